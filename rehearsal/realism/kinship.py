"""Kinship estimated from genotypes."""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rehearsal.realism.measures import BlockMeasures
from rehearsal.realism.panel import KINSHIP, MeasuredPeople

# The range of estimates for each kinship: Manichaikul et al. 2010, table 1.
BOUNDS = {
    1 / 4: (2**-2.5, 2**-1.5),
    1 / 8: (2**-3.5, 2**-2.5),
    1 / 16: (2**-4.5, 2**-3.5),
    0.0: (-(2**-4.5), 2**-4.5),
}


def king_robust(joined: BlockMeasures) -> NDArray[np.float64]:
    """Estimate the kinship of each pair of the panel.

    (both heterozygous - 2 * opposite homozygotes) / (sum of both people's heterozygous sites):
    KING-robust, Manichaikul et al. 2010, Bioinformatics 26:2867, equation 9.

    Args:
        joined: Sums over all blocks.

    Returns:
        Estimates, shape (P,). NaN if neither person is heterozygous anywhere.
    """
    heterozygous = joined.pair_heterozygous.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (joined.pair_both_heterozygous - 2 * joined.pair_opposite) / heterozygous


def kinship_by_kind(joined: BlockMeasures, panel: MeasuredPeople) -> pd.DataFrame:
    """Average the kinship of each kind of relationship.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.

    Returns:
        ``expected``, ``low``, ``high``, ``pairs``, ``mean`` and ``error`` (standard error of the
        mean over pairs), indexed by kind.
    """
    table = panel.pairs.assign(kinship=king_robust(joined))
    groups = table.groupby("kind")["kinship"]
    found = pd.DataFrame({"pairs": groups.count(), "mean": groups.mean(), "error": groups.sem()})
    found = found.reindex(list(KINSHIP)).fillna({"pairs": 0}).astype({"pairs": int})
    found.insert(0, "expected", [KINSHIP[kind] for kind in found.index])
    bounds = [BOUNDS[KINSHIP[kind]] for kind in found.index]
    found.insert(1, "low", [low for low, _ in bounds])
    found.insert(2, "high", [high for _, high in bounds])
    return found
