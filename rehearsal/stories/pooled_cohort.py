"""The pooled cohort, as the truth of stories sees it."""

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
    """Everybody of a run: tree sequences and tables.

    ``trees``: a file a block. ``results``: folder of the run; ``table`` reads the files of
    docs/reference/files.md below it. ``patients``: ``truth/patients.parquet``.
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
        """A table of the run, such as ``phenotypes/diseases.parquet``."""
        if path not in self._tables:
            self._tables[path] = pd.read_parquet(self.results / path)
        return self._tables[path]

    @property
    def people(self) -> pd.DataFrame:
        return self.table("cohort/people.parquet")

    def patient(self, story: str, handle: str) -> str:
        """The individual who is a story's patient. Raises KeyError."""
        patients = self.table("truth/patients.parquet").set_index(["story", "handle"])
        return str(patients.loc[(story, handle), "individual"])

    @cached_property
    def beacon(self) -> TruthCalculator:
        """The truth of Beacon requests."""
        tables = {name: self.table(f"phenotypes/{name}.parquet") for name in OF_BEACON}
        sources = TruthSources(self.trees, self.people, genes=self.genes, **tables)
        return TruthCalculator(sources, self.reference_year)
