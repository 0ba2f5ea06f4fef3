"""What every algorithm offers.

An algorithm is a module with the functions and constants of :class:`Algorithm`. It knows neither
nodes nor networks: it turns a view and a state into sums, and sums into the next state.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from rehearsal.analyses.protocol import Arrays, Bounds, Disclosure, Parameters, State
from rehearsal.analyses.view import View


class Algorithm(Protocol):
    """The functions and constants of the module of an algorithm.

    ``ADDITIVE`` tells whether the sums of nodes are added. Then their shapes depend on parameters
    and state only. ``DISCLOSURE`` describes each array of sums. ``NEEDS`` names the algorithms
    whose results must be there first.
    """

    ADDITIVE: bool
    DISCLOSURE: Mapping[str, Disclosure]
    NEEDS: tuple[str, ...]

    @property
    def start(self) -> _Start:
        """Make the first state of the step."""

    @property
    def node_sums(self) -> _NodeSums:
        """Compute one node's sums of a round."""

    @property
    def sum_bounds(self) -> _SumBounds:
        """Bound the real sums of one node by what all nodes know: for fixed point under masks."""

    @property
    def advance(self) -> _Advance:
        """Make the next state from the sums of all nodes that are present."""


class _Start(Protocol):
    def __call__(self, parameters: Parameters, earlier: Mapping[str, Arrays], /) -> State: ...


class _NodeSums(Protocol):
    def __call__(self, view: View, parameters: Parameters, state: Arrays, /) -> Arrays: ...


class _SumBounds(Protocol):
    def __call__(self, parameters: Parameters, state: Arrays, /) -> Bounds: ...


class _Advance(Protocol):
    def __call__(self, parameters: Parameters, state: State, totals: Arrays, /) -> State: ...
