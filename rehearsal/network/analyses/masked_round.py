"""The network's part in masked sums: it adds what it cannot read, and relays."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from itertools import count
from typing import TypeVar

import numpy as np

from rehearsal.analyses.protocol import AnalysisError, Arrays
from rehearsal.masked_sums.participant import FEWEST
from rehearsal.network.analyses.remote_run import Attempt, NodeLostError, RemoteRun, ask_all

T = TypeVar("T")
WORDS = np.dtype("<u8")


def check_number(nodes: Collection[str]) -> None:
    """Check that masks hide something.

    Args:
        nodes: The nodes that are present.

    Raises:
        AnalysisError: They are fewer than three.
    """
    if len(nodes) < FEWEST:
        found = ", ".join(sorted(nodes)) or "none"
        expected = f"at least {FEWEST}, because sums are masked"
        raise AnalysisError("no_people", "analysis", "nodes", expected, found)


class Masking:
    """Adds masked sums over nodes and has the totals opened, each at another node in turn."""

    def __init__(self) -> None:
        self._attempts = count()

    async def total(
        self, round_number: int, nodes: Sequence[RemoteRun], losses: dict[str, NodeLostError]
    ) -> Arrays:
        """Add the sums of a round.

        A node that is lost before its sums came is left out. One that is lost while the total is
        opened costs another attempt without it.

        Args:
            round_number: The round.
            nodes: The nodes that are present.
            losses: Gets the nodes that are not in the total, also if there is none.

        Returns:
            The opened total.

        Raises:
            AnalysisError: Fewer than three nodes are left.
        """
        present = {node.node: node for node in nodes}
        while True:
            check_number(present)
            attempt = Attempt(round_number, next(self._attempts), sorted(present))
            one_try = _Try(attempt, present)
            try:
                total = await one_try.play()
            finally:
                losses |= one_try.losses
            for node in one_try.losses:
                del present[node]
            if total is not None:
                return total


class _Try:
    """One attempt. ``_present`` shrinks to the nodes whose sums came."""

    def __init__(self, attempt: Attempt, present: Mapping[str, RemoteRun]) -> None:
        self._attempt, self._present = attempt, dict(present)
        self.losses: dict[str, NodeLostError] = {}

    async def play(self) -> Arrays | None:
        """Return the total; None if a node was lost while it was opened."""
        attempt = self._attempt
        vectors = await self._ask(lambda node: node.masked_sums(attempt))
        masked_total = self._add(vectors)
        listed = sorted(self._present)
        sent = await self._ask(lambda node: node.confirm(attempt, listed))
        if len(sent) < len(listed):
            return None
        received = {
            name: {peer: sent[peer][name] for peer in listed if peer != name} for name in listed
        }
        opener = self._present[listed[attempt.number % len(listed)]]
        sealed = await self._ask(
            lambda node: node.reveal(attempt, received[node.node], opener.node), without=opener
        )
        if len(sealed) < len(listed) - 1:
            return None
        try:
            return await opener.open(attempt, masked_total, received[opener.node], sealed)
        except NodeLostError as error:
            self.losses[opener.node] = error
            return None

    async def _ask(
        self, ask: Callable[[RemoteRun], Awaitable[T]], without: RemoteRun | None = None
    ) -> dict[str, T]:
        """Ask all nodes that are present. Those that fail are lost."""
        asked = [node for node in self._present.values() if node is not without]
        answers, losses = await ask_all(asked, ask)
        self._lose(losses)
        return answers

    def _add(self, vectors: Mapping[str, bytes]) -> bytes:
        """Add vectors modulo 2^64. A node with another number of words than most is lost."""
        sizes = Counter(len(vector) for vector in vectors.values())
        usual = sizes.most_common(1)[0][0] if sizes else 0
        odd = NodeLostError("failed", "its masked sums have another length than those of others")
        self._lose({name: odd for name, vector in vectors.items() if len(vector) != usual})
        check_number(self._present)
        total = np.zeros(usual // WORDS.itemsize, WORDS)
        for name in self._present:
            total += np.frombuffer(vectors[name], WORDS, len(total))
        return total.tobytes()

    def _lose(self, losses: Mapping[str, NodeLostError]) -> None:
        self.losses |= losses
        for name in losses:
            del self._present[name]
