"""Models of requests to scores. Unknown keys are refused."""

from __future__ import annotations

import math
from typing import Annotated

import numpy as np
from msgspec import Meta, field
from numpy.typing import NDArray

from rehearsal.errors import shown
from rehearsal.web.model_errors import ModelError
from rehearsal.web.request_models import RequestModel, Term

STEP = 0.05  # standard deviations; edges are multiples of it, so a bin cannot fit one person
FURTHEST, MOST_BINS = 10.0, 400  # largest edge, standard deviations
STEEPEST = 10.0  # largest coefficient of a Cox regression, a hazard ratio of 22,026

UNIT = f"Standard deviations, a multiple of {STEP:g}."
Edge = Annotated[float, Meta(ge=-FURTHEST, le=FURTHEST, description=UNIT)]
Width = Annotated[float, Meta(gt=0, le=2 * FURTHEST, description=UNIT)]
Digest = Annotated[str, Meta(description="Digest of a scoring file, from GET /scores.")]
Coefficient = Annotated[
    float,
    Meta(ge=-STEEPEST, le=STEEPEST, description="Log hazard ratio per standard deviation."),
]


class Bins(RequestModel):
    """Bins of equal width, at most 400."""

    from_: Edge = field(name="from")
    to: Edge
    width: Width

    def __post_init__(self) -> None:
        first, last, width = self._steps()
        if first >= last:
            raise ModelError("from below to", f"from {self.from_:g} and to {self.to:g}")
        if (last - first) % width:
            raise ModelError("whole bins between from and to", f"width {self.width:g}")
        if (last - first) // width > MOST_BINS:
            raise ModelError(f"at most {MOST_BINS} bins", f"{(last - first) // width} bins")

    def edges(self) -> NDArray[np.float64]:
        """Return the edges of the bins, ascending, in standard deviations."""
        first, last, width = self._steps()
        return np.round(np.arange(first, last + 1, width) * STEP, 2)

    def _steps(self) -> tuple[int, int, int]:
        """Return first edge, last edge and width as multiples of STEP. Raises ModelError."""
        values = {"from": self.from_, "to": self.to, "width": self.width}
        steps = {name: round(value / STEP) for name, value in values.items()}
        for name, value in values.items():
            if not math.isclose(steps[name] * STEP, value, abs_tol=1e-9):
                raise ModelError(f"a multiple of {STEP:g}", shown(value), name)
        if steps["width"] < 1:
            raise ModelError(f"at least {STEP:g}", shown(self.width), "width")
        return steps["from"], steps["to"], steps["width"]


class HistogramRequest(RequestModel):
    """The histogram to compute."""

    scoring_file: Digest
    bins: Annotated[Bins, Meta(examples=[{"from": -4, "to": 4, "width": 0.1}])]
    by_sex: Annotated[bool, Meta(description="Count women and men separately.")] = False
    cases: (
        Annotated[Term, Meta(description="A disease. People with it are counted separately.")]
        | None
    ) = None


class HazardRequest(RequestModel):
    """A regression of the age at onset of a disease on a score."""

    scoring_file: Digest
    disease: Annotated[Term, Meta(description="The disease, a term.")]


class HazardSumsRequest(HazardRequest):
    """A request for one node's part of a regression."""

    coefficient: Coefficient
