"""Parameters, states and sums of algorithms, and the one form of their errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from numpy.typing import NDArray

from rehearsal.errors import InputError, shown

Array = NDArray[Any]
Arrays = dict[str, Array]
Parameters = Mapping[str, Any]

ErrorCode = Literal[
    "bad_view", "bad_parameters", "bad_state", "no_variable", "no_people", "deadline"
]


class AnalysisError(InputError):
    """An analysis that cannot go on.

    Args:
        code: The kind of error, from a fixed set, so that it may leave a node.
        source: The file or the part of the analysis.
        key: The place inside it.
        expected: What is allowed there.
        found: What stands there instead. It may tell of data, so the text stays at the node.
    """

    def __init__(
        self, code: ErrorCode, source: object, key: str, expected: str, found: str
    ) -> None:
        super().__init__(source, key, expected, found)
        self.code = code


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What an array of sums tells about people."""

    kind: Literal["count", "sum", "list", "sketch"]
    # Of a sum, arrays with the people behind each entry of the first axis. Of a count whose cells
    # follow each other on the last axis, those with which small cells are counted together.
    counts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """Where a step stands between two rounds."""

    shared: Arrays  # what all nodes get
    private: Arrays = field(default_factory=dict)  # what only the network keeps
    kept: Arrays = field(default_factory=dict)  # what nodes get once and keep for later steps
    results: Arrays | None = None  # the end of the step


Bounds = dict[str, Array]  # by array of sums; each broadcasts to it


def no_bounds(parameters: Parameters, state: Arrays) -> Bounds:
    """State no bounds of sums.

    Args:
        parameters: Parameters of a step.
        state: Its state.
    """
    return {}


MASKED = "masked"  # parameter of a step: its sums leave under masks only


def is_masked(parameters: Parameters) -> bool:
    """Say whether the sums of a step leave under masks only.

    Args:
        parameters: Parameters of the step.
    """
    return bool(parameters.get(MASKED))


SMALLEST_COUNT = "smallest_count"  # parameter of every step: fewer people make no cell


def smallest_count(parameters: Parameters) -> int:
    """Return the smallest number of people in a cell that a node sends; 1 hides nothing.

    Args:
        parameters: Parameters of a step.
    """
    return int(parameters.get(SMALLEST_COUNT, 1))


def name_of_variable(parameters: Parameters, key: str) -> str:
    """Return the name of a variable that a step must have.

    Args:
        parameters: Parameters of the step.
        key: The parameter.

    Raises:
        AnalysisError: It is not there or no text.
    """
    name = parameters.get(key)
    if not isinstance(name, str):
        found = "nothing" if name is None else shown(name)
        raise AnalysisError("bad_parameters", "parameters", key, "the name of a variable", found)
    return name
