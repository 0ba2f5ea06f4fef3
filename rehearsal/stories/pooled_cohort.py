"""The pooled cohort, for the right answers to stories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path

import pandas as pd

from rehearsal.model import Block, Gene, PlantedVariant
from rehearsal.truth.query_answers import TruthCalculator
from rehearsal.truth.sources import TruthSources

OF_BEACON = ("diseases", "features", "measurements", "consent", "treatments")


class PooledCohort:
    """All people of a run: tree sequences and tables.

    Args:
        results: Folder of the run, which has the files of docs/reference/files.md.
        trees: Tree-sequence files by block.
        genes: The run's genes.
        planted: The planted variants.
        reference_year: The year in which ages are given.
    """

    def __init__(
        self,
        results: Path,
        trees: Mapping[Block, Path],
        genes: Sequence[Gene],
        planted: Sequence[PlantedVariant],
        reference_year: int,
    ) -> None:
        self.results, self.trees = results, trees
        self.genes, self.planted, self.reference_year = genes, planted, reference_year
        self._tables: dict[str, pd.DataFrame] = {}

    def table(self, path: str) -> pd.DataFrame:
        """Read a table of the run.

        Args:
            path: Path below the results, like ``phenotypes/diseases.parquet``.
        """
        if path not in self._tables:
            self._tables[path] = pd.read_parquet(self.results / path)
        return self._tables[path]

    @property
    def people(self) -> pd.DataFrame:
        """Table of all people."""
        return self.table("cohort/people.parquet")

    def patient(self, story: str, handle: str) -> str:
        """Return the individual who is a story's patient.

        Args:
            story: Name of the story.
            handle: Handle of the patient.

        Raises:
            KeyError: The story has no such patient.
        """
        patients = self.table("truth/patients.parquet").set_index(["story", "handle"])
        return str(patients.loc[(story, handle), "individual"])

    @cached_property
    def beacon(self) -> TruthCalculator:
        """The right answers to Beacon requests."""
        tables = {name: self.table(f"phenotypes/{name}.parquet") for name in OF_BEACON}
        sources = TruthSources(self.trees, self.people, genes=self.genes, **tables)
        return TruthCalculator(sources, self.reference_year)
