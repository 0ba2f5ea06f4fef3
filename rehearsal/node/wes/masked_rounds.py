"""A node's part in the masked rounds of one run: it hides its sums, and opens totals of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.protocol import Arrays
from rehearsal.masked_sums.fixed_point import SumLayout, fraction_bits
from rehearsal.masked_sums.participant import MaskingError, Participant
from rehearsal.node.wes.pooled_cells import pool_small_cells

BOUND = 2.0**32  # of a real sum of one node, where the algorithm states none
MOST_PEOPLE = 1 << 31  # of one node, by far
WORDS = np.dtype("<u8")


@dataclass(frozen=True, slots=True)
class Sums:
    """The sums of a round that leave under masks."""

    arrays: Arrays
    counted: frozenset[str]  # names of the arrays that are numbers of people
    counts: Mapping[str, Sequence[str]]  # by array, those with the people behind its entries
    # of real sums, the largest absolute value at one node; all nodes know the same
    bounds: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    def layout(self, addends: int) -> SumLayout:
        """Return how the sums are written as words. It is the same at all nodes.

        Args:
            addends: The number of nodes whose sums are added.
        """
        bits = {}
        for name, array in self.arrays.items():
            bound = self.bounds.get(name, np.array(BOUND))
            bits[name] = np.array(0) if is_whole(array) else fraction_bits(bound, addends)
        return SumLayout({name: one.shape for name, one in self.arrays.items()}, bits, addends)


class MaskedRounds:
    """The masked rounds of one run.

    Args:
        run: The identifier of the run, the same at all nodes.
        node: The node's name among them.
        smallest_count: The smallest number of people that a total with its sums may tell of.
    """

    def __init__(self, run: str, node: str, smallest_count: int) -> None:
        self._participant = Participant(run, node, smallest_count)
        self._addends: dict[int, int] = {}  # by attempt

    @property
    def public_key(self) -> bytes:
        """The node's key in this run."""
        return self._participant.public_key

    def meet(self, public_keys: Mapping[str, bytes]) -> None:
        """Take the keys of all nodes.

        Args:
            public_keys: The keys by node.

        Raises:
            MaskingError: They cannot be used.
        """
        self._participant.meet(public_keys)

    def mask(self, attempt: int, sums: Sums, nodes: Sequence[str]) -> bytes:
        """Hide the sums of a round.

        Args:
            attempt: A number that was not used before in this run.
            sums: The sums.
            nodes: The nodes that take part.

        Returns:
            Words of 64 bits, little-endian.

        Raises:
            MaskingError: The protocol does not allow it.
            ValueError: A sum is too large. The message does not tell it.
        """
        vector = sums.layout(len(nodes)).pack(sums.arrays)
        masked = self._participant.mask(attempt, vector, nodes).astype(WORDS).tobytes()
        self._addends[attempt] = len(nodes)
        return masked

    def confirm(self, attempt: int, present: Sequence[str]) -> dict[str, bytes]:
        """Confirm whose sums are in the total.

        Args:
            attempt: The attempt.
            present: The nodes whose sums were added.

        Returns:
            A confirmation for each other node.

        Raises:
            MaskingError: The protocol does not allow it.
        """
        return self._participant.confirm(attempt, present)

    def reveal(self, attempt: int, confirmations: Mapping[str, bytes], opener: str) -> bytes:
        """Seal the keys of the masks that are left, for the node that opens the total.

        Args:
            attempt: The attempt.
            confirmations: What the other nodes confirmed.
            opener: The node that opens.

        Raises:
            MaskingError: The protocol does not allow it.
        """
        return self._participant.reveal(attempt, confirmations, opener)

    def open(
        self,
        attempt: int,
        sums: Sums,
        masked_total: bytes,
        confirmations: Mapping[str, bytes],
        sealed: Mapping[str, bytes],
    ) -> Arrays:
        """Open a total, and hide what it would tell of fewer people than the smallest count.

        Args:
            attempt: The attempt.
            sums: The node's own sums of the round.
            masked_total: The masked total, in words.
            confirmations: What the other nodes confirmed.
            sealed: What the other nodes revealed.

        Returns:
            The total.

        Raises:
            MaskingError: The protocol does not allow it, or the total has another length, or too
                few people are in it, or a count is negative or larger than any can be.
        """
        addends = self._addends.get(attempt, 1)
        layout = sums.layout(addends)
        if len(masked_total) != layout.length * WORDS.itemsize:
            expected = f"{layout.length} words of 64 bits"
            raise MaskingError("total", expected, f"{len(masked_total)} bytes")
        words = np.frombuffer(masked_total, WORDS)
        opened = self._participant.open(attempt, words, confirmations, sealed)
        arrays = {
            name: array.astype(np.int64) if is_whole(sums.arrays[name]) else array
            for name, array in layout.unpack(opened.vector).items()
        }
        _refuse_impossible(arrays, sums, addends)
        return hide_small_totals(arrays, sums, opened.smallest_count)


def _refuse_impossible(totals: Arrays, sums: Sums, addends: int) -> None:
    """Refuse counts that so many nodes cannot have: check words do not find all of them."""
    for name in sorted(sums.counted):
        if ((totals[name] < 0) | (totals[name] > addends * MOST_PEOPLE)).any():
            raise MaskingError(name, f"numbers of people of {addends} nodes", "others")


def hide_small_totals(totals: Arrays, sums: Sums, least: int) -> Arrays:
    """Make zero what a total would tell of fewer people than the smallest count.

    Counts that name other counts have cells that follow each other along the last axis. These are
    counted together, with those of the others, where they are small.

    Args:
        totals: The totals of a round.
        sums: The node's own sums, which say what the arrays are.
        least: The smallest count.

    Returns:
        The totals. Counts below the smallest count are zero, and so are the sums over these people.

    Raises:
        MaskingError: All people of the total are too few.
    """
    totals = totals | _pooled(totals, sums, least)
    few = {name: (totals[name] > 0) & (totals[name] < least) for name in sums.counted}
    for name, cells in sorted(few.items()):
        if cells.ndim == 0 and cells:
            raise MaskingError(name, f"at least {least} people", "fewer")
    hidden: Arrays = {}
    for name, total in totals.items():
        cells = few.get(name, np.zeros((), bool))
        for counts in () if name in sums.counted else sums.counts.get(name, ()):
            cells = cells | few[counts].reshape(-1, *[1] * (total.ndim - 1))
        hidden[name] = np.where(cells, 0, total)
    return hidden


def _pooled(totals: Arrays, sums: Sums, least: int) -> Arrays:
    """Count small cells together in the counts that name other counts."""
    found: Arrays = {}
    for name in sorted(one for one in sums.counted if sums.counts.get(one)):
        together = np.stack([totals[one] for one in (name, *sums.counts[name])])
        pooled = together.reshape(len(together), -1, together.shape[-1])
        for row in range(pooled.shape[1]):
            try:
                pooled[:, row] = pool_small_cells(pooled[:, row], least)
            except ValueError:
                expected = f"nobody or at least {least} people"
                raise MaskingError(name, expected, "fewer") from None
        found[name] = pooled[0].reshape(totals[name].shape)
    return found


def is_whole(array: NDArray[Any]) -> bool:
    """Say whether the values are whole numbers, which need no bits behind the point.

    Args:
        array: The values.
    """
    return array.dtype.kind in "biu"
