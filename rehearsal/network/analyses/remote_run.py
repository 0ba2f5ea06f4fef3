"""What the network needs of a node's run of an analysis."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

from rehearsal.analyses.protocol import Arrays
from rehearsal.masked_sums.partners import JoinedNode
from rehearsal.masked_sums.signed_messages import SignedKey

T = TypeVar("T")
Outcome = Literal["refused", "late", "failed", "held", "not run"]


class NodeLostError(Exception):
    """A node that does not go on with an analysis.

    Args:
        outcome: Why: it ``refused``, is ``late``, ``failed``, its airlock has ``held`` a result, or
            it has no place where an algorithm could run (``not run``).
        reason: One line for a person, without data of people.
    """

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome, self.reason = outcome, reason


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try to add the masked sums of a round."""

    round_number: int
    number: int  # of all attempts of the analysis; masks are drawn for it
    nodes: Sequence[str]  # those that take part


class RemoteRun(Protocol):
    """A node's run of an analysis. Each call raises :class:`NodeLostError` if the node is lost."""

    @property
    def node(self) -> str:
        """The node's code."""

    async def start(self) -> None:
        """Ask the node to start the run."""

    async def sums(self, round_number: int) -> Arrays:
        """Wait for the node's sums.

        Args:
            round_number: The round.
        """

    async def answer(self, round_number: int, state: bytes) -> None:
        """Hand over the state that follows a round.

        Args:
            round_number: The round.
            state: The content of an NPZ file.
        """

    async def end(self) -> None:
        """Ask the node to end the run if it still goes on. Never fails."""

    async def join(self) -> JoinedNode:
        """Return the node's key for masks in this run, and whose keys it accepts."""

    async def meet(self, keys: Mapping[str, SignedKey]) -> None:
        """Hand over the keys of all nodes.

        Args:
            keys: The keys by node.
        """

    async def masked_sums(self, attempt: Attempt) -> bytes:
        """Wait for the node's masked sums.

        Args:
            attempt: The attempt.

        Returns:
            Words of 64 bits, little-endian.
        """

    async def confirm(self, attempt: Attempt, present: Sequence[str]) -> Mapping[str, bytes]:
        """Say whose sums were added.

        Args:
            attempt: The attempt.
            present: The nodes whose sums were added.

        Returns:
            The node's confirmation for each other node.
        """

    async def reveal(
        self, attempt: Attempt, confirmations: Mapping[str, bytes], opener: str
    ) -> bytes:
        """Return the keys of the masks that are left in the total, sealed for the opener.

        Args:
            attempt: The attempt.
            confirmations: What the other nodes confirmed to this one.
            opener: The node that opens the total.
        """

    async def open(
        self,
        attempt: Attempt,
        masked_total: bytes,
        confirmations: Mapping[str, bytes],
        sealed: Mapping[str, bytes],
    ) -> Arrays:
        """Open the total, apply the rule for small counts to it, and return it.

        Args:
            attempt: The attempt.
            masked_total: The sum of the words of all nodes.
            confirmations: What the other nodes confirmed to this one.
            sealed: What the other nodes revealed to this one.
        """


async def ask_all(
    nodes: Iterable[RemoteRun], ask: Callable[[RemoteRun], Awaitable[T]]
) -> tuple[dict[str, T], dict[str, NodeLostError]]:
    """Ask nodes at the same time.

    Args:
        nodes: The nodes.
        ask: The call.

    Returns:
        The answers, and the nodes that were lost, both by node.
    """
    asked = list(nodes)
    outcomes = await asyncio.gather(*(ask(node) for node in asked), return_exceptions=True)
    answers: dict[str, T] = {}
    losses: dict[str, NodeLostError] = {}
    for node, outcome in zip(asked, outcomes, strict=True):
        if isinstance(outcome, NodeLostError):
            losses[node.node] = outcome
        elif isinstance(outcome, BaseException):
            raise outcome
        else:
            answers[node.node] = outcome
    return answers, losses
