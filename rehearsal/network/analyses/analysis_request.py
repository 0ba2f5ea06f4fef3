"""The request of an analysis, as ``POST /analyses`` and ``rehearsal network analyse`` take it."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, field

from rehearsal.web.model_errors import ModelError
from rehearsal.web.request_models import RequestModel, whole

ASSOCIATION = "association"  # the algorithm that plays steps
MASKED = "masked"  # the parameter of other algorithms that asks for masked sums
DEADLINE_S, LONGEST_DEADLINE_S = 600.0, 3600.0

Name = Annotated[str, Meta(min_length=1, max_length=80)]
StepName = Annotated[str, Meta(pattern=whole("[A-Za-z0-9][A-Za-z0-9 _-]{0,79}"))]  # of a file too


class StepRequest(RequestModel):
    """One step of an analysis."""

    algorithm: Annotated[Name, Meta(description="The algorithm of the step.", examples=["linear"])]
    parameters: Annotated[dict[str, Any], Meta(description="Its parameters.")] = field(
        default_factory=dict
    )
    masked: Annotated[
        bool, Meta(description="Whether nodes send its sums under masks, so that only totals show.")
    ] = False
    name: Annotated[
        StepName | None, Meta(description="Name of its results. Default: that of its algorithm.")
    ] = None

    def given(self) -> dict[str, Any]:
        """Return the step as nodes read it."""
        step: dict[str, Any] = {"algorithm": self.algorithm, "parameters": self.parameters}
        step |= {MASKED: True} if self.masked else {}
        return step | ({"name": self.name} if self.name else {})


class AnalysisRequest(RequestModel):
    """An analysis over nodes: steps, or the parameters of an algorithm whose sums are added."""

    algorithm: Annotated[
        Name,
        Meta(description="Name or digest of an algorithm that the nodes approve."),
    ] = ASSOCIATION
    steps: Annotated[
        list[StepRequest],
        Meta(max_length=20, description="The steps, in order, of an algorithm that plays steps."),
    ] = field(default_factory=list)
    parameters: Annotated[
        dict[str, Any],
        Meta(
            description="The parameters of an algorithm of one round, whose sums the network adds. "
            "With masked: true, nodes send them under masks."
        ),
    ] = field(default_factory=dict)
    nodes: Annotated[
        list[Name], Meta(max_length=1000, description="Codes of the nodes. Default: all.")
    ] = field(default_factory=list)
    deadline_s: Annotated[
        float,
        Meta(
            gt=0,
            le=LONGEST_DEADLINE_S,
            description="Seconds that a node has for each answer before it is late.",
        ),
    ] = DEADLINE_S

    def __post_init__(self) -> None:
        if self.steps and self.parameters:
            raise ModelError("steps or parameters", "both")
        if not self.steps and self.algorithm == ASSOCIATION:
            raise ModelError("at least one step", "none", "steps")
