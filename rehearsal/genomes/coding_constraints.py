"""Bases that the gene model asks of a drawn reference: open reading frames and splice sites."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rehearsal.genomes.coding_sequence import reverse_complement
from rehearsal.genomes.codon_usage import CODON_USAGE, SENSE, STOP
from rehearsal.genomes.transcripts import Transcript
from rehearsal.seeds import derive_seed

Stretch = tuple[str, int, str]  # contig, 0-based first base, bases

_BIN = 1 << 14  # bases
# letters that stand for several bases (IUPAC)
_LETTERS = {"R": "AG", "Y": "CT", "N": "ACGT", **{base: base for base in "ACGT"}}


def coding_constraints(
    transcripts: Iterable[Transcript], known: Sequence[Stretch], seed: int
) -> list[Stretch]:
    """Draw bases of coding exons and splice sites that fit each other and what is known.

    The codons of a transcript follow human codon usage: a start, no stop inside, one stop at the
    end. Introns begin with GT and end with AG. Known bases are kept, and where two transcripts
    share bases the first one decides. A codon whose known bases fit no codon is left as known.

    Args:
        transcripts: The gene model.
        known: Bases that are not drawn: real ones and those of planted variants.
        seed: The run's root seed. The bases of a transcript depend on it and on the transcript's
            name only.

    Returns:
        Disjoint stretches by transcript and position.
    """
    settled = _Settled(known)
    stretches: list[Stretch] = []
    for transcript in transcripts:
        if not transcript.coding:
            continue
        for start, bases in _drawn(transcript, settled, seed):
            stretches.append((transcript.contig, start, bases))
            settled.add(transcript.contig, start, bases)
    return stretches


class _Settled:
    """Bases that are known or already drawn, listed by the bins that they touch."""

    def __init__(self, known: Iterable[Stretch]) -> None:
        self._bins: dict[tuple[str, int], list[tuple[int, str]]] = {}
        for contig, start, bases in known:
            self.add(contig, start, bases)

    def add(self, contig: str, start: int, bases: str) -> None:
        for number in range(start // _BIN, (start + len(bases) - 1) // _BIN + 1):
            self._bins.setdefault((contig, number), []).append((start, bases))

    def within(self, contig: str, start: int, end: int) -> str:
        """Write the bases of a stretch, N where they are free."""
        text = ["N"] * (end - start)
        for number in range(start // _BIN, (end - 1) // _BIN + 1):
            for first, bases in self._bins.get((contig, number), []):
                low, high = max(first, start), min(first + len(bases), end)
                if low < high:
                    text[low - start : high - start] = bases[low - first : high - first]
        return "".join(text)


def _drawn(transcript: Transcript, settled: _Settled, seed: int) -> Iterator[tuple[int, str]]:
    """Draw the stretches of one transcript."""
    parts = transcript.coding
    free = "".join(settled.within(transcript.contig, a, b) for a, b in parts)
    free = free if transcript.forward else reverse_complement(free)
    bases = _codons(transcript, free, seed)
    bases = bases if transcript.forward else reverse_complement(bases)
    at = 0
    for start, end in parts:
        yield start, bases[at : at + end - start]
        at += end - start
    first, last = ("GT", "AG") if transcript.forward else ("CT", "AC")
    for start, end in transcript.introns:
        if end - start < len(first + last):
            continue
        for place, site in ((start, first), (end - len(last), last)):
            there = settled.within(transcript.contig, place, place + len(site))
            yield place, _kept(there, site)


def _codons(transcript: Transcript, free: str, seed: int) -> str:
    """Draw a coding sequence with known bases in their places (N: free)."""
    number = len(free) // 3
    rng = np.random.default_rng(derive_seed(seed, "coding bases", transcript.name))
    shares = rng.random(number)
    codons = [SENSE[k] for k in np.searchsorted(_cumulative(tuple(SENSE)), shares, "right")]
    asked = dict(transcript.codons)
    asked[1], asked[number] = "ATG", "***"
    for k in range(number):
        there, pattern = free[3 * k : 3 * k + 3], asked.get(k + 1, "NNN")
        if there != "NNN" or pattern != "NNN":
            codons[k] = _codon(there, pattern, shares[k])
    return "".join(codons)


def _codon(there: str, pattern: str, share: float) -> str:
    """Choose one codon that has the known bases and fits a pattern, as often as it is used."""
    fitting = _fitting(there, pattern)
    if not fitting:
        return _kept(there, "CAG")
    return fitting[int(np.searchsorted(_cumulative(fitting), share, "right"))]


@lru_cache(maxsize=4096)
def _fitting(there: str, pattern: str) -> tuple[str, ...]:
    """List the codons that have the known bases and fit a pattern."""
    among = STOP if pattern == "***" else SENSE
    letters = "NNN" if pattern == "***" else pattern
    return tuple(one for one in among if fits_codon(one, there) and fits_codon(one, letters))


def fits_codon(codon: str, letters: str) -> bool:
    """Tell whether a codon is one that letters stand for.

    Args:
        codon: Three bases. An unknown one (N) fits every letter.
        letters: Three letters of IUPAC.
    """
    return all(base in _LETTERS[letter] + "N" for base, letter in zip(codon, letters, strict=True))


def _kept(there: str, wanted: str) -> str:
    """Take the known bases, and the wanted ones where they are free."""
    return "".join(new if old == "N" else old for old, new in zip(there, wanted, strict=True))


@lru_cache(maxsize=256)
def _cumulative(codons: tuple[str, ...]) -> NDArray[np.float64]:
    """Sum the shares of codons, without the last sum: a share below 1 finds its codon."""
    weights = np.array([CODON_USAGE[codon] for codon in codons])
    return np.asarray(np.cumsum(weights)[:-1] / weights.sum())
