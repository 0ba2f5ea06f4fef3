"""The rounds of an analysis: steps one after another, each of one round or more.

The network's side is :class:`NetworkRun`, a node's is :class:`NodeRun`. They exchange arrays:

- A node says its sums. Its first ones follow from the parameters alone.
- The network answers with the state of the next round: ``round`` (the number of the round that it
  answers), ``step`` (the next one) and ``done``, with the arrays that the step shares. What nodes
  keep for later steps is among them once. The network may begin a step anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rehearsal.analyses import (
    alleles,
    burden,
    components,
    cox,
    frequencies,
    kaplan_meier,
    kinship,
    ld_scores,
    linear,
    logistic,
)
from rehearsal.analyses.algorithm import Algorithm
from rehearsal.analyses.magnitudes import VARIABLES, variables_of
from rehearsal.analyses.protocol import (
    MASKED,
    SMALLEST_COUNT,
    AnalysisError,
    Arrays,
    Bounds,
    Parameters,
    State,
)
from rehearsal.analyses.step_parameters import check_names
from rehearsal.analyses.view import View
from rehearsal.errors import cause, shown

ALGORITHMS: Mapping[str, Algorithm] = {
    "alleles": alleles,
    "frequencies": frequencies,
    "components": components,
    "linear": linear,
    "logistic": logistic,
    "burden": burden,
    "ld_scores": ld_scores,
    "kinship": kinship,
    "kaplan_meier": kaplan_meier,
    "cox": cox,
}
# parameters of steps that nobody asked for: no tests whose results nobody wants
NEEDED: Mapping[str, Parameters] = {"alleles": {}, "frequencies": {"hardy_weinberg": False}}
CONTROL = ("round", "step", "done")  # numbers among the arrays of a state


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an analysis."""

    name: str  # of its results
    algorithm: str
    parameters: Parameters
    masked: bool = False  # whether nodes send its sums only masked

    @property
    def module(self) -> Algorithm:
        """The algorithm."""
        return ALGORITHMS[self.algorithm]


def plan_steps(parameters: Parameters) -> list[Step]:
    """List the steps of an analysis, with those that they need before them.

    Args:
        parameters: ``steps``: a list of ``algorithm``, ``parameters`` and, if an algorithm is
            there twice, ``name``; ``masked``: whether nodes send its sums only masked, and then
            hide nothing themselves. ``smallest_count`` (1 without it); ``given_alleles``: whether
            the network gives the list of alleles.

    Raises:
        AnalysisError: A step cannot be understood.
    """
    common = {SMALLEST_COUNT: int(parameters.get(SMALLEST_COUNT, 1)), MASKED: False}
    planned: dict[str, Step] = {}

    def add(name: str, algorithm: str, own: Parameters, masked: bool) -> None:
        additive = ALGORITHMS[algorithm].ADDITIVE
        for needed in ALGORITHMS[algorithm].NEEDS:
            if needed not in planned:
                add(needed, needed, NEEDED[needed], masked)
        given = {"given": bool(parameters.get("given_alleles"))} if algorithm == "alleles" else {}
        least = {SMALLEST_COUNT: 1, MASKED: True} if masked and additive else common
        wanted = {key: value for key, value in dict(own).items() if key != VARIABLES}
        planned[name] = Step(name, algorithm, wanted | least | given, masked and additive)

    for entry in parameters.get("steps", ()):
        algorithm = entry.get("algorithm") if isinstance(entry, Mapping) else None
        if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
            raise _bad("algorithm", f"one of {', '.join(ALGORITHMS)}", shown(algorithm))
        name = entry.get("name", algorithm)
        if name in planned:
            raise _bad("name", "names that differ from each other", shown(name))
        check_names(name, algorithm, entry.get("parameters", {}))
        add(name, algorithm, entry.get("parameters", {}), entry.get("masked") is True)
    if not planned:
        raise _bad("steps", "at least one step", "none")
    return _with_bounds(list(planned.values()))


def _with_bounds(steps: list[Step]) -> list[Step]:
    """Have the variables of masked steps bounded in the step of frequencies before them."""
    masked = [step for step in steps if step.masked]
    if not masked:
        return steps
    regressions = [step.parameters for step in masked if "frequencies" in step.module.NEEDS]
    named = {VARIABLES: variables_of(regressions)}
    return [
        replace(step, parameters={**step.parameters, **named})
        if step.masked or step.algorithm == "frequencies"
        else step
        for step in steps
    ]


class NetworkRun:
    """The network's side of an analysis.

    Args:
        parameters: As of :func:`plan_steps`.
        given: The list of alleles, if the network gives it.

    Attributes:
        steps: The steps.
        step: Number of the current step; that of steps when the analysis has ended.
        results: Results of the steps so far, by name of the step.

    Raises:
        AnalysisError: The parameters cannot be used.
    """

    def __init__(self, parameters: Parameters, given: alleles.AlleleList | None = None) -> None:
        self.steps = plan_steps(parameters)
        self.given = given
        self.step, self.results = 0, dict[str, Arrays]()
        self._kept: Arrays = {}
        self._state = self._start()

    def restart_step(self) -> None:
        """Return to the first round of the current step, after the loss of a node in its midst."""
        self._kept = {}
        self._state = self._start()

    @property
    def done(self) -> bool:
        """Whether all steps have ended."""
        return self.step == len(self.steps)

    @property
    def additive(self) -> bool:
        """Whether the sums of this round may be added, and so be masked."""
        return self.steps[self.step].module.ADDITIVE

    def advance(self, sums: Sequence[Arrays]) -> None:
        """Join the sums of a round.

        Args:
            sums: Those of the nodes that are present, or their total alone, if it is additive.

        Raises:
            AnalysisError: There are none, they do not fit each other, or the step cannot go on.
        """
        step = self.steps[self.step]
        if not sums:
            raise AnalysisError("no_people", "analysis", step.name, "sums of a node", "none")
        totals = self._total(sums)
        self._state = step.module.advance(step.parameters, self._state, totals)
        self._kept = self._state.kept
        if self._state.results is not None:
            self.results[step.name] = self._state.results
            self.step += 1
            if not self.done:
                self._state = self._start()

    def message(self, number: int) -> Arrays:
        """Return the state that nodes get after a round.

        What they keep is in the message after the round that made it, only.

        Args:
            number: The number of the round that it answers.
        """
        control = {"round": number, "step": self.step, "done": int(self.done)}
        following = {} if self.done else self._state.kept | self._state.shared
        return {name: np.array(value) for name, value in control.items()} | self._kept | following

    def _start(self) -> State:
        step = self.steps[self.step]
        earlier = {one.algorithm: self.results[one.name] for one in self.steps[: self.step]}
        return step.module.start(step.parameters, earlier)

    def _total(self, sums: Sequence[Arrays]) -> Arrays:
        step = self.steps[self.step]
        if step.algorithm == "alleles":
            lists = [self.given] if self.given else [alleles.AlleleList.of(one) for one in sums]
            return alleles.join(lists).arrays()
        if step.algorithm == "kinship":
            return kinship.join(sums)
        return add_sums(sums)


class NodeRun:
    """A node's side of an analysis.

    Args:
        view: The node's view.
        parameters: As of :func:`plan_steps`.

    Attributes:
        step: Number of the current step.

    Raises:
        AnalysisError: The parameters cannot be used.
    """

    def __init__(self, view: View, parameters: Parameters) -> None:
        self._view, self._steps = view, plan_steps(parameters)
        first = self._steps[0]
        self.step = 0
        self._kept: Arrays = {}
        self._state = first.module.start(first.parameters, {}).shared

    def follow(self, message: Arrays) -> bool:
        """Take the network's state.

        Args:
            message: The arrays of :meth:`NetworkRun.message`.

        Returns:
            Whether the analysis goes on.

        Raises:
            AnalysisError: It is no state of this analysis.
        """
        try:
            step, done = int(message["step"]), bool(message["done"])
        except (KeyError, TypeError, ValueError) as error:
            raise _bad_state("step and done", "other arrays") from error
        if not done and not 0 <= step < len(self._steps):
            raise _bad_state(f"a step below {len(self._steps)}", str(step))
        kept = {name: array for name, array in message.items() if "." in name}
        self._kept |= kept
        self._state = {k: v for k, v in message.items() if k not in kept and k not in CONTROL}
        self.step = step
        return not done

    def sums(self) -> Arrays:
        """Compute the node's sums of the current round.

        Raises:
            AnalysisError: The node cannot compute them.
        """
        step = self._steps[self.step]
        try:
            return step.module.node_sums(self._view, step.parameters, self._kept | self._state)
        except AnalysisError:
            raise
        except (KeyError, IndexError, TypeError, ValueError) as error:  # foreign arrays
            raise _bad_state(f"what the step {step.name} needs", cause(error)) from error

    def header(self, number: int, sums: Arrays) -> dict[str, Any]:
        """Describe sums for those who decide whether they may leave.

        Args:
            number: The number of the round.
            sums: The sums.
        """
        step = self._steps[self.step]
        bounds = self._bounds(step)
        return {
            "round": number,
            "step": self.step,
            "algorithm": step.algorithm,
            "people": self._view.n_people,
            "additive": step.module.ADDITIVE,
            "masked": step.masked,
            "arrays": {
                name: {
                    "dtype": array.dtype.str,
                    "shape": list(array.shape),
                    "class": step.module.DISCLOSURE[name].kind,
                    "counts": [one for one in step.module.DISCLOSURE[name].counts if one in sums],
                    **({"bound": bounds[name].tolist()} if name in bounds else {}),
                }
                for name, array in sums.items()
            },
        }

    def _bounds(self, step: Step) -> Bounds:
        """Bound the sums of a step that are added under masks."""
        if not step.masked:
            return {}
        try:
            return step.module.sum_bounds(step.parameters, self._kept | self._state)
        except (KeyError, IndexError, TypeError, ValueError) as error:  # foreign arrays
            raise _bad_state(f"what the bounds of {step.name} need", cause(error)) from error


def add_sums(sums: Sequence[Arrays]) -> Arrays:
    """Add the sums of nodes.

    Args:
        sums: At least one.

    Raises:
        AnalysisError: Their arrays have different names or shapes.
    """
    first = sums[0]
    shapes = {name: array.shape for name, array in first.items()}
    for other in sums[1:]:
        if {name: array.shape for name, array in other.items()} != shapes:
            raise _bad_state("sums of the same names and shapes", "others")
    totals = {name: array.astype(_wide(array.dtype)) for name, array in first.items()}
    for other in sums[1:]:
        for name, total in totals.items():
            total += other[name]
    return totals


def _wide(kind: np.dtype[Any]) -> np.dtype[Any]:
    return np.dtype(np.float64 if kind.kind == "f" else np.int64)


def _bad(key: str, expected: str, found: str) -> AnalysisError:
    return AnalysisError("bad_parameters", "parameters", key, expected, found)


def _bad_state(expected: str, found: str) -> AnalysisError:
    return AnalysisError("bad_state", "analysis", "state", expected, found)
