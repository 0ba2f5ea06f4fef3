"""Rows about kinship, the X chromosome and crossovers in families."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rehearsal.realism.kinship import kinship_by_kind
from rehearsal.realism.measures import BlockMeasures
from rehearsal.realism.panel import KINSHIP, UNRELATED, MeasuredPeople
from rehearsal.realism.published import ReferenceFigures
from rehearsal.realism.requirements import (
    DIVERSITY_MB,
    KINSHIP_MB,
    LEAST_CROSSOVERS,
    MB,
    STANDARD_ERRORS,
    X_MB,
)
from rehearsal.realism.rows import Row, judged_row
from rehearsal.realism.statistics import ratio


def kinship_rows(joined: BlockMeasures, panel: MeasuredPeople) -> Iterator[Row]:
    """Yield one row per kind of relationship.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
    """
    for kind, row in kinship_by_kind(joined, panel).iterrows():
        margin = min(row["expected"] - row["low"], row["high"] - row["expected"])
        precise = STANDARD_ERRORS * row["error"] <= margin
        enough = bool(precise) and joined.bases >= KINSHIP_MB * MB
        what = "pairs within a country" if kind == UNRELATED else "pairs of the pedigree"
        yield judged_row(
            f"kinship, {kind}",
            row["mean"],
            round(row["low"], 4),
            round(row["high"], 4),
            source=f"KING-robust's range around {KINSHIP[str(kind)]:.4g} (Manichaikul et al. 2010)",
            sample=f"{row['pairs']} {what}, {float(joined.bases) / MB:.0f} Mb",
            needs=""
            if enough
            else f"needs {KINSHIP_MB} Mb and a standard error of {margin / STANDARD_ERRORS:.1g}"
            + ("" if np.isnan(row["error"]) else f"; it is {row['error']:.1g}"),
        )


def sex_chromosome_rows(joined: BlockMeasures, panel: MeasuredPeople) -> Iterator[Row]:
    """Yield the row about the diversity of X.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
    """
    bases, bases_x = float(joined.bases), float(joined.bases_x)
    autosomes = np.diag(joined.differences) / max(bases, 1)
    x = joined.differences_x / max(bases_x, 1)
    small = bases < DIVERSITY_MB * MB or bases_x < X_MB * MB
    yield judged_row(
        "diversity of X relative to autosomes",
        ratio(np.nanmean(x), np.nanmean(autosomes)) if bases_x else float("nan"),
        0.70,
        0.80,
        source="theory: 0.75 with equal numbers of fathers and mothers and constant size",
        sample=f"{len(panel.members)} unrelated people, {bases_x / MB:.1f} Mb of X",
        needs=f"needs {X_MB} Mb of chrX and {DIVERSITY_MB} Mb of autosomes" if small else "",
    )


def crossover_rows(joined: BlockMeasures, known: ReferenceFigures) -> Iterator[Row]:
    """Yield the row about crossovers in families.

    Args:
        joined: Sums over all blocks.
        known: Published and predicted figures.
    """
    expected = known.crossovers
    error = 4 / np.sqrt(max(expected, 1))
    yield judged_row(
        "crossovers in families, relative to the map",
        ratio(joined.crossovers, expected),
        round(1 - error, 3),
        round(1 + error, 3),
        source="the recombination map, within four standard errors",
        sample=f"{int(joined.crossovers):,} crossovers in {int(joined.gametes):,} gametes, "
        "counted per block",
        needs="" if expected >= LEAST_CROSSOVERS else f"needs {LEAST_CROSSOVERS} crossovers",
    )
