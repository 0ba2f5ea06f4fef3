"""The parameters of each algorithm, so that a misspelt one is refused and not ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.analyses.protocol import AnalysisError
from rehearsal.errors import shown

MODEL = ("outcome", "covariates")
FIT = ("tolerance", "rounds")
COMMON = ("least_frequency", "window")
PARAMETERS: Mapping[str, tuple[str, ...]] = {
    "alleles": (),
    "frequencies": ("hardy_weinberg", "variables"),
    "components": ("number", *COMMON, *FIT, "seed"),
    "linear": MODEL,
    "logistic": (*MODEL, *COMMON, *FIT),
    "burden": ("model", *MODEL, "genes", "consequences", "largest_frequency", "weights", *FIT),
    "ld_scores": COMMON,
    "kinship": ("bits", *COMMON),
    "kaplan_meier": ("outcome", "group", "interval"),
    "cox": (*MODEL, *FIT),
}


def check_names(step: str, algorithm: str, given: Mapping[str, Any]) -> None:
    """Check that an algorithm has the parameters that a step gives it.

    Args:
        step: Name of the step.
        algorithm: Its algorithm, a key of :data:`PARAMETERS`.
        given: The parameters.

    Raises:
        AnalysisError: It lacks one, which the line names.
    """
    known = PARAMETERS[algorithm]
    for name in given:
        if name not in known:
            expected = f"one of {', '.join(known)}" if known else "no parameters"
            raise AnalysisError("bad_parameters", "parameters", step, expected, shown(name))
