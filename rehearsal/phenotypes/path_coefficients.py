"""Compute how much of a trait its causes explain, when causes depend on each other.

Every score is standard normal and ``score = sum(w_j score_j) + own part``, a recursive path model.
The variance that the causes explain is ``w' C w``, with C their correlations (Wright 1934).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rehearsal.phenotypes.trait_types import Traits


def explained_by_causes(traits: Traits) -> dict[str, float]:
    """Compute the share of variance that ``causes`` explain.

    Unknown causes count as 0. The reader reports them.

    Args:
        traits: The traits.

    Returns:
        Shares by the name of a measurement or disease.
    """
    names = [exposure.name for exposure in traits.exposures]
    names += [measurement.name for measurement in traits.measurements]
    correlation = np.eye(len(names))
    for trait in traits.measurements:
        row = names.index(trait.name)
        weights = _weights(trait.causes, names)
        correlation[row, :row] = correlation[:row, row] = (correlation @ weights)[:row]
    explained = {}
    for scored in traits.scored:
        weights = _weights(scored.causes, names)
        explained[scored.name] = float(weights @ correlation @ weights)
    return explained


def _weights(causes: Mapping[str, float], names: list[str]) -> np.ndarray:
    return np.array([causes.get(name, 0.0) for name in names])
