"""Frequencies of alleles and terms elsewhere, on which prices are based."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehearsal.errors import InputError, cause
from rehearsal.files import atomic_path

PUBLIC_FREQUENCIES_FILE = "public_frequencies.npz"


class PublicFrequencies:
    """Share of people elsewhere who carry each allele or have each term, from public data.

    In a rehearsal, "elsewhere" is all other countries together, as if published by the Genome of
    Europe. A node with real data takes a public catalogue. The file has the arrays ``keys`` (the
    first 8 bytes of an allele's or term's question key, ascending) and ``shares``, and ``people``,
    the number of people in whom they were counted.

    Args:
        keys: Question keys as integers, shape (n,), uint64, in any order.
        frequencies: Share of carriers of each key, shape (n,), float64.
        people: Number of people in whom they were counted.
    """

    def __init__(
        self, keys: NDArray[np.uint64], frequencies: NDArray[np.float64], people: int
    ) -> None:
        """Sort the frequencies by key.

        Args:
            keys: Question keys as integers, shape (n,), uint64, in any order.
            frequencies: Share of carriers of each key, shape (n,), float64.
            people: Number of people in whom they were counted.
        """
        order = np.argsort(keys, kind="stable")
        self._keys, self._frequencies, self.people = keys[order], frequencies[order], people

    @staticmethod
    def key(question: bytes) -> int:
        """Return the integer that stands for a question in the file.

        Args:
            question: Key of an allele's or term's question.
        """
        return int.from_bytes(question[:8], "big")

    @classmethod
    def open(cls, path: Path | str) -> PublicFrequencies:
        """Read a file of frequencies.

        Args:
            path: The ``.npz`` file.

        Returns:
            The frequencies.

        Raises:
            InputError: The file is missing or has other content.
        """
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(file["keys"], file["shares"], int(file["people"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            expected = "a NumPy file with the arrays keys, shares and people"
            raise InputError(path, "file", expected, f"an unusable file ({cause(error)})") from None

    def write(self, path: Path | str) -> None:
        """Write the file.

        Args:
            path: The ``.npz`` file.
        """
        with atomic_path(path) as aside, aside.open("wb") as file:
            np.savez(file, keys=self._keys, shares=self._frequencies, people=self.people)

    def frequency(self, question: bytes) -> float:
        """Return the share of carriers of an allele, or of people with a term.

        Args:
            question: Key of the allele's or term's question.

        Returns:
            At least the share that half a person would be, also where nobody elsewhere has it.
        """
        key = np.uint64(self.key(question))
        at = int(np.searchsorted(self._keys, key))
        if at < self._keys.size and self._keys[at] == key:
            return max(float(self._frequencies[at]), 0.5 / (self.people + 1))
        return 0.5 / (self.people + 1)
