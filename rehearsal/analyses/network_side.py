"""What plays the network's side of an analysis, and that of algorithms which only nodes know."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np

from rehearsal.analyses.protocol import AnalysisError, Arrays
from rehearsal.analyses.rounds import Step, add_sums


class NetworkSide(Protocol):
    """The network's side of an analysis, as :class:`rehearsal.analyses.rounds.NetworkRun`.

    Attributes:
        steps: The steps.
        step: Number of the current step.
        results: Results of the steps so far, by name of the step.
    """

    steps: list[Step]
    step: int
    results: dict[str, Arrays]

    @property
    def done(self) -> bool:
        """Whether all steps have ended."""

    def restart_step(self) -> None:
        """Return to the first round of the current step."""

    def advance(self, sums: Sequence[Arrays]) -> None:
        """Join the sums of a round.

        Args:
            sums: Those of the nodes that are present, or their total alone.
        """

    def message(self, number: int) -> Arrays:
        """Return the state that nodes get after a round.

        Args:
            number: The number of the round that it answers.
        """


class AddedSums:
    """The network's side of an algorithm of one round, whose sums are added.

    The network needs to know nothing else of it: the totals are the result.

    Args:
        name: The name of the result.
        masked: Whether nodes send their sums only masked.

    Attributes:
        steps: The one step.
        step: 0, and 1 at the end.
        results: The totals by name of the step.
    """

    def __init__(self, name: str, masked: bool) -> None:
        self.steps = [Step(name, name, {}, masked)]
        self.step, self.results = 0, dict[str, Arrays]()

    @property
    def done(self) -> bool:
        """Whether the sums were added."""
        return self.step == 1

    def restart_step(self) -> None:
        """Nothing is kept between rounds."""

    def advance(self, sums: Sequence[Arrays]) -> None:
        """Add the sums.

        Args:
            sums: Those of the nodes that are present, or their total alone.

        Raises:
            AnalysisError: There are none, or they have different names or shapes.
        """
        (step,) = self.steps
        if not sums:
            raise AnalysisError("no_people", "analysis", step.name, "sums of a node", "none")
        self.results[step.name] = dict(sorted(add_sums(sums).items()))
        self.step = 1

    def message(self, number: int) -> Arrays:
        """Return what tells the algorithm that it is done.

        Args:
            number: The number of the round that it answers.
        """
        control = {"round": number, "step": self.step, "done": int(self.done)}
        return {name: np.array(value) for name, value in control.items()}
