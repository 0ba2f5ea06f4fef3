"""Sums as whole numbers modulo 2^64, where masks hide a number completely and cancel exactly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from rehearsal.errors import mismatch

Numbers = NDArray[np.float64]
LARGEST = 62  # a total in fixed point is at most 2**62: one bit is to spare for rounding


def fraction_bits(bound: Numbers, addends: int) -> NDArray[np.int32]:
    """Find how many bits behind the binary point leave room for a total.

    Args:
        bound: The largest absolute value of one addend, above 0, any shape.
        addends: The number of addends.

    Returns:
        The most bits, of the same shape, with which the total is below ``2**62``. Below 0, values
        are multiples of a larger power of two than 1.
    """
    return LARGEST - np.frexp(bound * addends)[1]


@dataclass(frozen=True, slots=True)
class SumLayout:
    """Which arrays are in a vector of 64-bit words, and how fine their values are.

    Args:
        shapes: The shape of each array by its name.
        fraction_bits: Bits behind the binary point, by name, in a shape that broadcasts to that of
            the array: a value is a multiple of ``2**-bits``. 0 for counts.
        addends: The number of vectors that are added. Each value is at most ``2**62 / addends`` in
            fixed point, so that no total overflows.
    """

    shapes: Mapping[str, tuple[int, ...]]
    fraction_bits: Mapping[str, NDArray[np.int32]]
    addends: int

    @property
    def length(self) -> int:
        """The number of words."""
        return sum(prod(shape) for shape in self.shapes.values())

    def pack(self, sums: Mapping[str, NDArray[np.generic]]) -> NDArray[np.uint64]:
        """Write arrays as one vector.

        Args:
            sums: The arrays by name.

        Returns:
            Shape (length,), in the order of the layout's names.

        Raises:
            ValueError: An array is missing or has another shape, or a value is not finite or too
                large. The message tells no value.
        """
        if set(sums) != set(self.shapes):
            expected = f"the arrays {', '.join(sorted(self.shapes))}"
            raise ValueError(mismatch("sums", expected, ", ".join(sorted(sums)) or "none"))
        parts = [self._words(name, sums[name]) for name in self.shapes]
        return np.concatenate([np.empty(0, np.uint64), *parts])

    def _words(self, name: str, values: NDArray[np.generic]) -> NDArray[np.uint64]:
        if values.shape != self.shapes[name]:
            where = f"sums: {name}: shape"
            raise ValueError(mismatch(where, str(self.shapes[name]), str(values.shape)))
        bits = self.fraction_bits[name]
        most = np.ldexp(2.0**LARGEST / self.addends, -bits)
        if not (np.abs(values) <= most).all():  # not-a-number is not below it either
            expected = f"finite numbers of at most {np.min(most):.3g}, as {self.addends} are added"
            # the value is about the node's people, and the message leaves it
            raise ValueError(mismatch(f"sums: {name}", expected, "others"))
        scaled = np.rint(np.ldexp(values.astype(np.float64), bits))
        return scaled.ravel().astype(np.int64).view(np.uint64)

    def unpack(self, vector: NDArray[np.uint64]) -> dict[str, NDArray[np.float64]]:
        """Read the arrays of a vector.

        Args:
            vector: What :meth:`pack` made, or a sum of such vectors modulo 2^64; shape (length,).

        Returns:
            The arrays by name. Counts are exact up to 2^53.

        Raises:
            ValueError: The vector has another length.
        """
        if vector.shape != (self.length,):
            expected = f"{self.length} words"
            raise ValueError(mismatch("sums: vector", expected, f"shape {vector.shape}"))
        arrays: dict[str, NDArray[np.float64]] = {}
        start = 0
        for name, shape in self.shapes.items():
            end = start + prod(shape)
            words = np.ascontiguousarray(vector[start:end]).view(np.int64).astype(np.float64)
            arrays[name] = np.ldexp(words.reshape(shape), -self.fraction_bits[name])
            start = end
        return arrays
