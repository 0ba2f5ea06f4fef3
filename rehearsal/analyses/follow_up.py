"""How long people were followed, and whether a disease began."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.protocol import Parameters, name_of_variable
from rehearsal.analyses.view import View


def read_follow_up(
    view: View, parameters: Parameters
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Read the follow-up of a disease.

    Args:
        view: The node's view, with the variables ``{outcome}.last_year`` and ``{outcome}.event``.
        parameters: ``outcome``: the disease.

    Returns:
        The last whole year of life in which each person was followed and healthy at its
        beginning, negative for none or an unknown one, and whether the disease began in it. Both
        have the shape (n_people,).

    Raises:
        AnalysisError: The node lacks the variables.
    """
    name = name_of_variable(parameters, "outcome")
    last_year = view.variable(f"{name}.last_year")
    event = view.variable(f"{name}.event")
    known = np.isfinite(last_year) & np.isfinite(event)
    years = np.where(known, last_year, -1).astype(np.int64)
    return years, known & (event == 1)
