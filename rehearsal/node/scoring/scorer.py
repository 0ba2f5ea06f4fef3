"""Scores of a node's people: computed once per scoring file, then counted and summed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from rehearsal.analyses.partial_likelihood import partial_likelihood
from rehearsal.errors import InputError, shown
from rehearsal.formats.scoring_file import SUFFIX, ScoringFile, read_scoring_file
from rehearsal.model import SEXES
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.stores.people_store import AGE
from rehearsal.web.problem import Problem

FOLDER = "scores"  # subfolder of a node's folder with the scoring files that may be used
KEPT = 16  # files whose scores stay in memory, 8 bytes per person

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class HistogramGroup:
    """A group of people in a histogram, with their counts."""

    labels: Mapping[str, str | bool]  # ``sex`` and ``case``, when the group is by them
    below: int  # people below the first bin
    counts: tuple[int, ...]  # people in each bin
    above: int  # people above the last bin


@dataclass(frozen=True, slots=True)
class HazardSums:
    """Sums of a Cox regression at one coefficient. They can be added over nodes."""

    people: int
    events: int  # people with the disease
    gradient: float  # the first derivative of the log partial likelihood
    information: float  # the negative second derivative


class Scorer:
    """Scores a node's people by its scoring files.

    Files are read when the node starts. People are scored at the first request for a file.

    Args:
        node_data: The node's data.
        folder: The node's folder. None has no scoring files.

    Attributes:
        files: Scoring files by digest.

    Raises:
        InputError: A file cannot be used.
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
        """Find a scoring file.

        Args:
            digest: Digest of the file.

        Returns:
            The file.

        Raises:
            Problem: The node has no such file (404).
        """
        if digest not in self.files:
            expected = "a scoring file of this node, as listed by GET /scores"
            raise Problem.mismatch("scoringFile", expected, shown(digest), 404)
        return self.files[digest]

    def scores(self, digest: str) -> Numbers:
        """Return everybody's standardised score.

        Args:
            digest: Digest of the scoring file.

        Returns:
            Scores by number of the person, shape (n_people,). The array is cached; do not change
            it.

        Raises:
            Problem: The node has no such file (404).
        """
        return self._scores(self.file(digest).digest)

    def _compute_scores(self, digest: str) -> Numbers:
        """Compute scores as sums over carriers, so that people without the alleles cost nothing."""
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
        """Refuse weights of reference alleles, which would count for nobody instead of for most."""
        for one in file.weights:
            if self._node_data.variants.get(one.contig, one.start, one.alt, one.ref) is not None:
                where = f"{one.contig.removeprefix('chr')} {one.start + 1}"
                expected = "the alternate allele as effect_allele"
                raise InputError(path, where, expected, f"the reference allele {one.alt}")

    # --- counts and sums ---

    def histogram(
        self,
        digest: str,
        edges: Numbers,
        among: BitMap | None,
        by_sex: bool,
        disease: str | None,
    ) -> tuple[int, list[HistogramGroup]]:
        """Count people by score.

        Args:
            digest: Digest of the scoring file.
            edges: Edges of the bins ``[edge, next edge)``, ascending, in standard deviations.
            among: Numbers of the people considered. None stands for everybody.
            by_sex: Whether to count women and men separately.
            disease: Count people with this disease, or a descendant term, separately. None does
                not.

        Returns:
            The number of people, and the groups: everybody, or by sex, by disease, or both.

        Raises:
            Problem: The node has no such file (404).
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
    ) -> HazardSums:
        """Compute this node's part of a Cox regression of the age at onset on the score, by sex.

        Args:
            digest: Digest of the scoring file.
            disease: The disease, a CURIE.
            coefficient: The coefficient of the score.
            among: Numbers of the people considered. None stands for everybody.

        Returns:
            Sums over both sexes.

        Raises:
            Problem: The node has no such file (404).
        """
        scores, (last_year, affected) = self.scores(digest), self._follow_up(disease)
        chosen = last_year >= 0  # infants were not followed for a whole year
        if among is not None:
            chosen &= self._mask(among)
        masks = [chosen & self._mask(self._node_data.of_sex[sex]) for sex in SEXES]
        strata = [(scores[mine, None], last_year[mine], affected[mine]) for mine in masks]
        parts = [partial_likelihood(*one, np.array([coefficient])) for one in strata]
        return HazardSums(
            sum(one.people for one in parts),
            sum(one.events for one in parts),
            sum(float(one.gradient[0]) for one in parts),
            sum(float(one.information[0]) for one in parts),
        )

    def _read_follow_up(self, disease: str) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Return each person's last whole year of follow-up, and whether the disease began in it.

        Onsets are in whole years, so a person of 50 is at risk up to the year that ends with the
        50th birthday.
        """
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
            else:  # unknown onset: not followed
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
