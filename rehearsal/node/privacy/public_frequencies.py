"""How frequent alleles and terms are elsewhere: what prices rest on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehearsal.errors import InputError
from rehearsal.files import atomic_path

PUBLIC_FREQUENCIES_FILE = "public_frequencies.npz"


class PublicFrequencies:
    """How many people elsewhere carry each allele or have each term, from data that anybody has.

    In a rehearsal the other countries' people together, as the Genome of Europe publishes them;
    a node with real data takes a public catalogue. The file has two arrays, ``keys`` (the first 8
    bytes of an allele's or term's question key, ascending) and ``shares``, and ``people``,
    how many they were counted in.
    """

    def __init__(
        self, keys: NDArray[np.uint64], frequencies: NDArray[np.float64], people: int
    ) -> None:
        """``keys`` in any order; ``frequencies`` of carriers among ``people``."""
        order = np.argsort(keys, kind="stable")
        self._keys, self._frequencies, self.people = keys[order], frequencies[order], people

    @staticmethod
    def key(question: bytes) -> int:
        """What stands for an allele's question in the file."""
        return int.from_bytes(question[:8], "big")

    @classmethod
    def open(cls, path: Path | str) -> PublicFrequencies:
        """Raises InputError for a file that is missing or something else."""
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(file["keys"], file["shares"], int(file["people"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(path, "file", f"shares of carriers elsewhere ({error})") from None

    def write(self, path: Path | str) -> None:
        with atomic_path(path) as aside, aside.open("wb") as file:
            np.savez(file, keys=self._keys, shares=self._frequencies, people=self.people)

    def frequency(self, question: bytes) -> float:
        """Of an allele by its question; half a person where nobody elsewhere has it."""
        key = np.uint64(self.key(question))
        at = int(np.searchsorted(self._keys, key))
        if at < self._keys.size and self._keys[at] == key:
            return max(float(self._frequencies[at]), 0.5 / (self.people + 1))
        return 0.5 / (self.people + 1)
