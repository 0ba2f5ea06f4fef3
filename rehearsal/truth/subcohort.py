"""A subcohort: the part of the cohort that an export holds, computed for the truth.

Its people and alleles are selected a second time, from the same settings but by other code than the
exporters', so that their errors are not repeated.
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
    """Some people of a cohort, and some of their alleles.

    Args:
        people: Whether each person is in it, shape (people,), bool.
        regions: Only alleles that begin in these are in it, 0-based half-open. None for all.
        places: Only alleles that begin here are in it: contig and 0-based start. None for all.
    """

    people: np.ndarray
    regions: Sequence[Block] | None = None
    places: Collection[tuple[str, int]] | None = None

    @classmethod
    def whole(cls, people: int) -> Subcohort:
        """Return the subcohort that has everything.

        Args:
            people: Number of people in the cohort.
        """
        return cls(np.ones(people, dtype=bool))

    def samples_of(self, trees: tskit.TreeSequence) -> np.ndarray:
        """Return the sample nodes of its people.

        Args:
            trees: A tree sequence of the whole cohort.
        """
        samples = trees.samples()
        return samples[self.people[trees.nodes_individual[samples]]]

    def contains_alleles(self, contig: Any, start: Any) -> np.ndarray:
        """Say which alleles are in it.

        Args:
            contig: One contig, or an array of the length of ``start``.
            start: One 0-based start, or an array.

        Returns:
            Truth values of the shape of ``start``.
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
    """The settings of an export that decide what it holds: ``rehearsal.export.settings.Export``."""

    @property
    def name(self) -> str:
        """Name of the export."""
        ...

    @property
    def countries(self) -> Sequence[str]:
        """Codes of the countries, each a folder of the export."""
        ...

    @property
    def people(self) -> str | Sequence[str]:
        """``all``, ``carriers``, ``patients``, or identifiers of people."""
        ...

    @property
    def story(self) -> str | None:
        """The story whose patients are meant; None: all stories."""
        ...

    @property
    def limit(self) -> int | None:
        """The largest number of people from each country; None: no limit."""
        ...

    @property
    def variants(self) -> Sequence[Variant] | None:
        """The variants to write; None: all."""
        ...

    @property
    def planted(self) -> Sequence[PlantedVariant]:
        """The planted variants that the export selects."""
        ...

    @property
    def regions(self) -> Sequence[Block] | None:
        """Regions whose records are written; None: all."""
        ...


def select_subcohort(
    selection: ExportSelection, people: pd.DataFrame, carriers: pd.DataFrame, patients: pd.DataFrame
) -> Subcohort:
    """Select the subcohort of an export.

    Args:
        selection: The settings of the export.
        people: Rows of ``cohort/people.parquet``.
        carriers: Rows of ``truth/planted_carriers.parquet``.
        patients: Rows of ``cohort/patients.parquet``.

    Raises:
        InputError: The subcohort is empty.
    """
    chosen = people["country"].isin(selection.countries)
    if selection.people != "all":
        chosen &= people["id"].isin(_named_people(selection, carriers, patients))
    if selection.limit is not None:
        chosen &= chosen.astype(int).groupby(people["country"]).cumsum() <= selection.limit
    if not chosen.any():
        found = "no one who fits its settings"
        raise InputError("exports", selection.name, "at least one person", found)
    variants = selection.variants
    places = None if variants is None else {(one.contig, one.start) for one in variants}
    return Subcohort(chosen.to_numpy(), selection.regions, places)


def _named_people(
    selection: ExportSelection, carriers: pd.DataFrame, patients: pd.DataFrame
) -> Collection[str]:
    """Return the identifiers of the people that the settings name, in all countries."""
    if selection.people == "carriers":
        variants = [(one.gene, one.name) for one in selection.planted]
        named = carriers.merge(pd.DataFrame(variants, columns=["gene", "name"]))
        return set(named["individual"])
    if selection.people == "patients":
        if selection.story is not None:
            patients = patients[patients["story"] == selection.story]
        return set(patients["individual"])
    return selection.people
