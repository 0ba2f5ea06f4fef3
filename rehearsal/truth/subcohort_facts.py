"""The facts of a subcohort as tables: its people, their planted variants, their drawn values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import pandas as pd
from isal import igzip

from rehearsal.files import atomic_path
from rehearsal.model import PlantedVariant
from rehearsal.truth.allele_counts import CountedAlleles, count_alleles
from rehearsal.truth.de_novo import list_de_novo
from rehearsal.truth.heteroplasmy import list_mixtures
from rehearsal.truth.sources import TruthSources
from rehearsal.truth.subcohort import Subcohort


@dataclass(frozen=True)
class SubcohortFacts:
    """A whole cohort, more tables of it, and the subcohort whose facts are written."""

    sources: TruthSources
    planted: Sequence[PlantedVariant]
    carriers: pd.DataFrame
    effects: pd.DataFrame
    genetic_values: pd.DataFrame
    untreated_values: pd.DataFrame
    subcohort: Subcohort

    @property
    def people(self) -> pd.DataFrame:
        """Rows of the people in the subcohort."""
        return self.sources.people[self.subcohort.people]

    @property
    def planted_within(self) -> list[PlantedVariant]:
        """Planted variants at positions that the subcohort has."""
        contains = self.subcohort.contains_alleles
        return [one for one in self.planted if contains(one.variant.contig, one.variant.start)]

    @cached_property
    def alleles(self) -> CountedAlleles:
        """The subcohort's alleles, counted when they are first asked for."""
        return count_alleles(self.sources.trees, self.sources.people, self.subcohort)

    def rows_within(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of the subcohort's people and alleles.

        Args:
            table: A table. A column ``individual`` selects people; columns ``contig`` and ``start``
                select alleles.
        """
        if "individual" in table:
            table = table[table["individual"].isin(self.people["id"])]
        if "contig" in table:
            table = table[self.subcohort.contains_alleles(table["contig"], table["start"])]
        return table

    def write_tables(self, folder: Path) -> None:
        """Write tab-separated tables. docs/tutorials/make-a-dataset.md describes their columns.

        Args:
            folder: An existing folder.
        """
        country = self.people.set_index("id")["country"]
        carriers = self.rows_within(self.carriers)
        tables = {
            "pedigree.tsv": self.people,
            "planted_carriers.tsv": carriers.assign(country=carriers["individual"].map(country)),
            "causal_sites.tsv": self.rows_within(self.effects),
            "genetic_values.tsv.gz": self.rows_within(self.genetic_values),
            "untreated_values.tsv.gz": self.rows_within(self.untreated_values),
            "de_novo.tsv": self.rows_within(list_de_novo(self.sources.trees, self.sources.people)),
            "allele_counts.tsv.gz": self.alleles.by_country(),
        }
        if on_m := [path for block, path in self.sources.trees.items() if block.contig == "chrM"]:
            tables["heteroplasmy.tsv"] = self.rows_within(self._mixtures(on_m))
        for name, table in tables.items():
            _write_table(table, folder / name)

    def _mixtures(self, trees: Sequence[Path]) -> pd.DataFrame:
        """List the mixtures of everybody, with the columns of the other tables."""
        table = list_mixtures(trees, self.sources.people).rename(columns={"position": "start"})
        table.insert(2, "contig", "chrM")
        return table


def _write_table(table: pd.DataFrame, path: Path) -> None:
    text = table.to_csv(sep="\t", index=False, lineterminator="\n").encode()
    with atomic_path(path) as aside:
        aside.write_bytes(igzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
