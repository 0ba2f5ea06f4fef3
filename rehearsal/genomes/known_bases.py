"""Bases that a drawn reference must have: real ones from a FASTA, and those of planted variants."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehearsal.errors import InputError, shown, unreadable_file
from rehearsal.genomes.assembly import ASSEMBLY, CONTIG_LENGTHS
from rehearsal.genomes.blocks import VARIANTS, subtract, variant_label
from rehearsal.model import Block, PlantedVariant


@dataclass(frozen=True, slots=True)
class KnownBases:
    """Bases of a stretch of a contig that are not drawn."""

    contig: str
    start: int  # 0-based
    bases: str  # A, C, G and T
    source: str  # where they are from

    @property
    def end(self) -> int:
        """The end of the stretch, exclusive."""
        return self.start + len(self.bases)

    def overlaps(self, other: KnownBases) -> bool:
        """Tell whether two stretches share a base.

        Args:
            other: The other stretch.
        """
        is_before = self.end <= other.start or other.end <= self.start
        return self.contig == other.contig and not is_before


def read_known_bases(path: Path | str) -> list[KnownBases]:
    """Read real bases of GRCh38 from a FASTA.

    The name of each sequence is its region as ``samtools faidx`` writes it,
    ``chr17:43008077-43128367``: 1-based, both ends included. The rest of the line is the source.

    Args:
        path: The FASTA file, plain text.

    Returns:
        The stretches, in the order of the file.

    Raises:
        InputError: The file cannot be read, a name is no region of GRCh38, a stretch has other than
            its number of bases or other letters, or two stretches overlap.
    """
    try:
        text = Path(path).read_text(encoding="ascii")
    except (OSError, ValueError) as problem:
        raise InputError(path, "file", "a FASTA file of text", unreadable_file(problem)) from None
    if text.strip() and not text.startswith(">"):
        raise InputError(path, "line 1", "a name after >", shown(text.splitlines()[0]))
    found: list[KnownBases] = []
    for record in text.split(">")[1:]:
        title, _, lines = record.partition("\n")
        stretch = _stretch(path, title, "".join(lines.split()).upper())
        for other in found:
            if (
                other.contig == stretch.contig
                and other.start < stretch.end > stretch.start < other.end
            ):
                expected = "stretches that do not overlap"
                raise InputError(path, title.split()[0], expected, f"bases of {other.source}")
        found.append(stretch)
    return found


def _stretch(path: Path | str, title: str, bases: str) -> KnownBases:
    name, _, source = title.partition(" ")
    match = re.fullmatch(r"(chr\w+):([0-9]+)-([0-9]+)", name)
    if not match or match[1] not in CONTIG_LENGTHS:
        expected = f"a region of {ASSEMBLY} as name, such as chr17:43008077-43128367"
        raise InputError(path, "name", expected, shown(name))
    start, end = int(match[2]) - 1, int(match[3])
    if not 0 <= start < end <= CONTIG_LENGTHS[match[1]]:
        raise InputError(path, name, f"a region within {match[1]}", shown(name))
    if len(bases) != end - start:
        raise InputError(path, name, f"{end - start} bases", str(len(bases)))
    if wrong := bases.translate({ord(letter): None for letter in "ACGT"}):
        raise InputError(path, name, "the bases A, C, G and T", shown(wrong[0]))
    return KnownBases(match[1], start, bases, source)


def with_planted(
    known: Sequence[KnownBases],
    planted: Iterable[PlantedVariant],
    path: Path | str | None = None,
    stated: Iterable[KnownBases] = (),
) -> list[KnownBases]:
    """Add the reference alleles of planted variants to known bases.

    Args:
        known: Real bases, disjoint.
        planted: Planted variants, whose REF alleles do not overlap.
        path: The file of the real bases, for errors.
        stated: Bases beside those alleles that belong to variants too. They may overlap.

    Returns:
        Real bases, and those of the variants that are not among them, disjoint.

    Raises:
        InputError: A REF or stated bases contradict a real base, or each other.
    """
    found = list(known)
    for one in planted:
        variant = one.variant
        ref = KnownBases(variant.contig, variant.start, variant.ref, variant_label(one))
        _check_agreement(ref, known, f"the bases of {path}")
        found += _outside(ref, found)
    for more in stated:
        _check_agreement(more, known, f"the bases of {path}")
        _check_agreement(more, found, "the bases of another planted variant")
        found += _outside(more, found)
    return found


def _check_agreement(ref: KnownBases, known: Iterable[KnownBases], whose: str) -> None:
    """Refuse reference bases of a variant that contradict known ones."""
    for other in known:
        if not other.overlaps(ref):
            continue
        start, end = max(ref.start, other.start), min(ref.end, other.end)
        real = other.bases[start - other.start : end - other.start]
        if real != ref.bases[start - ref.start : end - ref.start]:
            raise InputError(
                VARIANTS, ref.source, f"{whose} at this position, {real}, in REF", ref.bases
            )


def _outside(ref: KnownBases, known: Iterable[KnownBases]) -> list[KnownBases]:
    """Return the bases of a stretch that are in no other stretch."""
    stretch = Block(ref.contig, ref.start, ref.end)
    holes = [Block(one.contig, one.start, one.end) for one in known if one.overlaps(ref)]
    return [
        replace(
            ref, start=left.start, bases=ref.bases[left.start - ref.start : left.end - ref.start]
        )
        for left in subtract([stretch], holes)
    ]


class BasesByPlace:
    """Known bases of all contigs, quick to find by place.

    Args:
        known: Disjoint stretches, in any order.
    """

    def __init__(self, known: Iterable[KnownBases]) -> None:
        self._stretches: dict[str, list[KnownBases]] = {}
        for one in sorted(known, key=lambda one: (one.contig, one.start)):
            self._stretches.setdefault(one.contig, []).append(one)

    def write_to(self, bases: NDArray[np.uint8], block: Block) -> None:
        """Overwrite the bases of a stretch where they are known.

        Args:
            bases: The stretch's bases as ASCII, shape (block.length,), uint8. Changed in place.
            block: The stretch.
        """
        own = self._stretches.get(block.contig, [])
        first = bisect_right(own, block.start, key=lambda one: one.end)
        for one in own[first:]:
            if one.start >= block.end:
                break
            start, end = max(one.start, block.start), min(one.end, block.end)
            letters = one.bases[start - one.start : end - one.start].encode()
            bases[start - block.start : end - block.start] = np.frombuffer(letters, np.uint8)
