"""Scores of a node's people: computed once a scoring file, counted and summed for answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from rehearsal.errors import InputError, shown
from rehearsal.formats.scoring_file import SUFFIX, ScoringFile, read_scoring_file
from rehearsal.model import SEXES
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.scoring.cox import Derivatives, derivatives
from rehearsal.stores.people_store import AGE
from rehearsal.web.problem import Problem

FOLDER = "scores"  # in a node's folder: what its operator lets be asked for
KEPT = 16  # files whose scores stay in memory: 8 bytes a person

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HistogramGroup:
    """People of a histogram who are counted together. ``below`` and ``above``: beside the bins."""

    labels: Mapping[str, str | bool]
    below: int
    counts: tuple[int, ...]
    above: int


class Scorer:
    """Knows a node's scoring files and scores its people by them.

    Files are read when the node starts, people are scored when a file is first asked for.
    Raises InputError for a file that cannot be used.
    """

    def __init__(self, node_data: NodeData, folder: Path | None) -> None:
        self._node_data = node_data
        paths = sorted((folder / FOLDER).glob(f"*{SUFFIX}")) if folder is not None else []
        self.files: dict[str, ScoringFile] = {}
        for path in paths:
            file = read_scoring_file(path)
            self._refuse_swapped_alleles(path, file)
            self.files[file.digest] = file
        self._scores = lru_cache(maxsize=KEPT)(self._compute_scores)
        self._follow_up = lru_cache(maxsize=KEPT)(self._read_follow_up)

    def file(self, digest: str) -> ScoringFile:
        """Raises Problem (404) for a file that this node does not have."""
        if digest not in self.files:
            raise Problem(f"no scoring file {shown(digest)} at this node; see /scores", 404)
        return self.files[digest]

    def scores(self, digest: str) -> Numbers:
        """Everybody's standardised score, by number. Do not change the array: it is kept."""
        return self._scores(self.file(digest).digest)

    def _compute_scores(self, digest: str) -> Numbers:
        """A sum over carriers: who carries nothing costs nothing."""
        file, variants = self.files[digest], self._node_data.variants
        total = np.zeros(self._node_data.people.size)
        for one in file.weights:
            row = variants.get(one.contig, one.start, one.ref, one.alt)
            if row is None:  # nobody here carries it
                continue
            for carriers in (row.carriers(), row.homozygotes()):
                total[np.array(carriers, dtype=np.int64)] += one.weight
        return (total - file.mean) / file.sd

    def _refuse_swapped_alleles(self, path: Path, file: ScoringFile) -> None:
        """A weight of the reference allele would be added to nobody instead of to nearly all."""
        for one in file.weights:
            if self._node_data.variants.get(one.contig, one.start, one.alt, one.ref) is not None:
                where = f"{one.contig.removeprefix('chr')} {one.start + 1}"
                raise InputError(path, where, "the alternate allele as effect_allele")

    # --- counts and sums ---

    def histogram(
        self,
        digest: str,
        edges: Numbers,
        among: BitMap | None,
        by_sex: bool,
        disease: str | None,
    ) -> tuple[int, list[HistogramGroup]]:
        """How many people there are, and how many in each bin ``[edge, next edge)`` of each group.

        ``among``: the people who may be in it, None for everybody. Groups: all, or by sex, by
        whether people have a disease (or one under it), or both.
        """
        scores = self.scores(digest)
        chosen = np.zeros(len(scores), dtype=bool)
        chosen[np.array(self._everyone if among is None else among, dtype=np.int64)] = True
        parts: list[tuple[dict[str, str | bool], NDArray[np.bool_]]] = [({}, chosen)]
        if by_sex:
            parts = [
                ({**labels, "sex": sex}, mask & self._mask(self._node_data.of_sex[sex]))
                for labels, mask in parts
                for sex in SEXES
            ]
        if disease is not None:
            affected = self._mask(self._node_data.people.with_term(disease))
            parts = [
                ({**labels, "case": case}, mask & (affected == case))
                for labels, mask in parts
                for case in (True, False)
            ]
        return int(chosen.sum()), [_group(labels, scores[mask], edges) for labels, mask in parts]

    def hazard(
        self, digest: str, disease: str, coefficient: float, among: BitMap | None
    ) -> Derivatives:
        """This node's part in a Cox regression of the age at a disease on the score, by sex."""
        scores, (last_year, affected) = self.scores(digest), self._follow_up(disease)
        chosen = last_year >= 0  # who is not one year old was not followed for a whole year
        if among is not None:
            chosen &= self._mask(among)
        total = Derivatives(0, 0, 0.0, 0.0)
        for sex in SEXES:
            mine = chosen & self._mask(self._node_data.of_sex[sex])
            total += derivatives(scores[mine], last_year[mine], affected[mine], coefficient)
        return total

    def _read_follow_up(self, disease: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """By person: the last whole year that they lived through without the disease or in which
        it began, and whether it did. Onsets are in whole years, so somebody of 50 is at risk
        up to the year that ends with their birthday of 50."""
        people = self._node_data.people
        ages, owners = people.numbers_of(AGE)
        last_year = np.empty(people.size, dtype=np.int64)
        last_year[np.array(owners)] = np.array(ages, dtype=np.int64) - 1
        affected = np.zeros(people.size, dtype=bool)
        codes = {disease, *people.under(disease)}
        for position in people.with_term(disease):
            onsets = [
                one["age_of_onset"]
                for one in people.record(position)["diseases"]
                if codes & {one["code"], one["mondo"]} and one["age_of_onset"] is not None
            ]
            if onsets:
                last_year[position], affected[position] = int(min(onsets)), True
            else:  # nobody knows when: not followed
                last_year[position] = -1
        return last_year, affected

    @property
    def _everyone(self) -> BitMap:
        return self._node_data.people.everyone

    def _mask(self, people: BitMap) -> NDArray[np.bool_]:
        mask = np.zeros(self._node_data.people.size, dtype=bool)
        mask[np.array(people, dtype=np.int64)] = True
        return mask


def _group(labels: Mapping[str, str | bool], scores: Numbers, edges: Numbers) -> HistogramGroup:
    bins = np.searchsorted(edges, scores, side="right")
    counts = np.bincount(bins, minlength=len(edges) + 1)
    inside = tuple(int(number) for number in counts[1:-1])
    return HistogramGroup(labels, int(counts[0]), inside, int(counts[-1]))
