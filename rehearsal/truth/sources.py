"""The sources of the truth: tree sequences and tables of the pooled cohort."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from rehearsal.model import Block, Gene
from rehearsal.truth.gene_consequences import GeneTruth


@dataclass(frozen=True, slots=True)
class TruthSources:
    """All people of a run, all countries together.

    ``trees`` has one tree-sequence file per block; individual *i* is row *i* of ``people``. The
    tables are those of docs/reference/files.md. Without ``consent`` everyone permits everything.
    """

    trees: Mapping[Block, Path]
    people: pd.DataFrame
    diseases: pd.DataFrame
    features: pd.DataFrame
    measurements: pd.DataFrame
    genes: Sequence[Gene] = ()
    consent: pd.DataFrame | None = None
    treatments: pd.DataFrame | None = None
    gene_truth: GeneTruth | None = None  # to judge filters by consequence
