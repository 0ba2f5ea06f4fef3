"""Weights of variants in a gene burden: rarer ones weigh more."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.protocol import AnalysisError, Arrays, Parameters
from rehearsal.errors import shown

Numbers = NDArray[np.float64]


def _madsen_browning(alleles: Numbers, chromosomes: Numbers) -> Numbers:
    """One divided by the standard deviation of an allele (Madsen and Browning 2009).

    One allele is added to those seen and two to all, as they do. All people are counted here, not
    only those without the disease.
    """
    q = (alleles + 1) / (chromosomes + 2)
    return 1 / np.sqrt(q * (1 - q))


def _beta(alleles: Numbers, chromosomes: Numbers) -> Numbers:
    """The density of the distribution Beta(1, 25) at the frequency (Wu and others 2011)."""
    return 25 * (1 - alleles / np.maximum(chromosomes, 1)) ** 24


WEIGHTS: Mapping[str, Callable[[Numbers, Numbers], Numbers]] = {
    "madsen_browning": _madsen_browning,
    "beta": _beta,
}


def variant_weights(parameters: Parameters, frequencies: Arrays) -> Numbers | None:
    """Weigh all variants by their joint frequency.

    Args:
        parameters: ``weights``: a key of :data:`WEIGHTS`, or None; ``model``.
        frequencies: Results of the step of frequencies.

    Returns:
        Shape (n_alleles,). None without weights: then it counts whether a person carries any.

    Raises:
        AnalysisError: The weights are unknown, or the model is another one than the linear one.
    """
    name = parameters.get("weights")
    if name is None:
        return None
    if name not in WEIGHTS:
        raise _bad(f"null or one of {', '.join(WEIGHTS)}", shown(name))
    if parameters.get("model") != "linear":
        raise _bad("null where the model is not linear", shown(name))
    called = frequencies["people"] - frequencies["missing"]
    return WEIGHTS[name](frequencies["alleles"], 2.0 * called)


def _bad(expected: str, found: str) -> AnalysisError:
    return AnalysisError("bad_parameters", "parameters", "weights", expected, found)
