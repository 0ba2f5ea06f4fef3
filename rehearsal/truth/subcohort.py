"""A subcohort: the part of the cohort that an export is of, as the truth sees it.

Who and what an export has is worked out here a second time, from the same words of the
configuration and by other code than the exporters': their mistakes are not repeated.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd
import tskit

from rehearsal.errors import InputError
from rehearsal.model import Block, PlantedVariant, Variant


@dataclass(frozen=True, slots=True)
class Subcohort:
    """Some people of a cohort, and some of the alleles that they carry.

    ``people``: bool[people], whether one is in it. ``regions``: alleles that begin in them are in
    it; ``places`` (contig, 0-based start): those that begin there. None: all are.
    """

    people: np.ndarray
    regions: Sequence[Block] | None = None
    places: Collection[tuple[str, int]] | None = None

    @classmethod
    def whole(cls, people: int) -> Subcohort:
        """The cohort of so many people."""
        return cls(np.ones(people, dtype=bool))

    def samples_of(self, trees: tskit.TreeSequence) -> np.ndarray:
        """The sample nodes of its people, int[samples]."""
        samples = trees.samples()
        return samples[self.people[trees.nodes_individual[samples]]]

    def contains_alleles(self, contig: Any, start: Any) -> np.ndarray:
        """Whether alleles are in it, bool of the shape of the (0-based) starts.

        ``contig`` and ``start``: one, or arrays of one length.
        """
        contig, start = np.asarray(contig), np.asarray(start)
        held = np.ones(start.shape, dtype=bool)
        if self.regions is not None:
            held &= _any_of(
                (contig == one.contig) & (one.start <= start) & (start < one.end)
                for one in self.regions
            )
        if self.places is not None:
            held &= _any_of((contig == name) & (start == place) for name, place in self.places)
        return held


def _any_of(masks: Iterable[np.ndarray]) -> np.ndarray | np.bool_:
    return np.any(list(masks), axis=0)


class ExportSelection(Protocol):
    """What an export asks for, as ``rehearsal.export.settings.Export`` has it."""

    @property
    def name(self) -> str: ...
    @property
    def countries(self) -> Sequence[str]: ...
    @property
    def people(self) -> str | Sequence[str]: ...
    @property
    def story(self) -> str | None: ...
    @property
    def limit(self) -> int | None: ...
    @property
    def variants(self) -> Sequence[Variant] | None: ...
    @property
    def planted(self) -> Sequence[PlantedVariant]: ...
    @property
    def regions(self) -> Sequence[Block] | None: ...


def select_subcohort(
    selection: ExportSelection, people: pd.DataFrame, carriers: pd.DataFrame, patients: pd.DataFrame
) -> Subcohort:
    """The subcohort that an export is of.

    ``people``, ``carriers``, ``patients``: rows of ``cohort/people.parquet``,
    ``truth/planted_carriers.parquet`` and ``cohort/patients.parquet``. Raises InputError where
    nobody is in it.
    """
    chosen = people["country"].isin(selection.countries)
    if selection.people != "all":
        chosen &= people["id"].isin(_named_people(selection, carriers, patients))
    if selection.limit is not None:
        chosen &= chosen.astype(int).groupby(people["country"]).cumsum() <= selection.limit
    if not chosen.any():
        raise InputError("exports", selection.name, "somebody; nobody is left")
    variants = selection.variants
    places = None if variants is None else {(one.contig, one.start) for one in variants}
    return Subcohort(chosen.to_numpy(), selection.regions, places)


def _named_people(
    selection: ExportSelection, carriers: pd.DataFrame, patients: pd.DataFrame
) -> Collection[str]:
    """Identifiers of those who are meant, wherever they live."""
    if selection.people == "carriers":
        variants = [(one.gene, one.name) for one in selection.planted]
        named = carriers.merge(pd.DataFrame(variants, columns=["gene", "name"]))
        return set(named["individual"])
    if selection.people == "patients":
        if selection.story is not None:
            patients = patients[patients["story"] == selection.story]
        return set(patients["individual"])
    return selection.people
