"""The sequence of a haplotype: the reference with all its alleles, structural variants included."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehearsal.export.genotypes import Genotypes
from rehearsal.export.structural import is_symbolic, symbolic_kind
from rehearsal.model import Block
from rehearsal.seeds import derive_seed

POLY_A = 25  # A's at the 3' end of a mobile element
DIVERGENCE = 0.05  # share of bases in which an insertion differs from the sequence of its family
_COMPLEMENT = str.maketrans("ACGT", "TGCA")
_BASES = np.frombuffer(b"ACGT", np.uint8)


@dataclass(frozen=True, slots=True, order=True)
class Change:
    """What a haplotype has in place of the reference at one site."""

    start: int  # 0-based position of the first base of ref
    ref: str
    allele: str  # bases, or a symbol such as <DEL>
    end: int  # 0-based exclusive end of the affected bases
    svlen: int = 0  # length of a structural variant


def haplotype_changes(genotypes: Genotypes, person: int, copy: int) -> Iterator[Change]:
    """Yield the alternate alleles of one haplotype by position.

    Args:
        genotypes: The genotypes of one contig.
        person: Number of the person.
        copy: 0 or 1. Records where the person has no such copy are left out.
    """
    for records in genotypes.records():
        if records.ploidy[person] <= copy:
            continue
        haplotype = int(records.ploidy[:person].sum()) + copy
        entries = np.flatnonzero(records.haplotype == haplotype)
        sites = np.searchsorted(records.indptr, entries, side="right") - 1
        for site, number in zip(sites.tolist(), records.allele[entries].tolist(), strict=True):
            letters = records.alleles[site]
            start, end = int(records.position[site]), int(records.end[site])
            svlen = int(records.svlen[site])
            yield Change(start, letters[0], letters[number], end, svlen)


def apply_changes(
    bases: NDArray[np.uint8], region: Block, changes: Sequence[Change], seed: int
) -> str:
    """Return the region's sequence with the alleles of a haplotype.

    Deleted bases are missing, duplicated ones repeated with the changes in them, inverted ones
    reverse-complemented. The sequence of an insertion depends on its place, type and length, so
    that all haplotypes with it have the same.

    Args:
        bases: The contig's reference bases as ASCII, shape (length,), uint8.
        region: The region to return, 0-based half-open.
        changes: The changes. Those that begin inside an earlier deletion, or that end outside the
            region, are left out.
        seed: Root seed of the inserted sequences.
    """
    own = [change for change in sorted(changes) if change.start >= region.start]
    return _sequence(bases, region.start, region.end, own, seed)


def _sequence(
    bases: NDArray[np.uint8], start: int, end: int, changes: Sequence[Change], seed: int
) -> str:
    parts, place = [], start
    for number, change in enumerate(changes):
        if change.start < place or max(change.end, change.start + len(change.ref)) > end:
            continue
        if not is_symbolic(change.allele):
            parts += [bases[place : change.start].tobytes().decode(), change.allele]
            place = change.start + len(change.ref)
            continue
        parts.append(bases[place : change.start + 1].tobytes().decode())
        inside = [x for x in changes[number + 1 :] if x.start < change.end]
        parts.append(_structural(bases, change, inside, seed))
        place = change.end
    return "".join([*parts, bases[place:end].tobytes().decode()])


def _structural(
    bases: NDArray[np.uint8], change: Change, inside: Sequence[Change], seed: int
) -> str:
    """Return what a haplotype has between the base before the event and the event's end."""
    kind = symbolic_kind(change.allele)
    if kind == "INS":
        return inserted_sequence(change, seed)
    copies = {"DEL": 0, "DUP": 2, "INV": 1}.get(kind)
    if copies is None:
        copies = int(change.allele[3:-1])
    if copies == 0:
        return ""
    segment = _sequence(bases, change.start + 1, change.end, inside, seed)
    return segment[::-1].translate(_COMPLEMENT) if kind == "INV" else segment * copies


def inserted_sequence(change: Change, seed: int) -> str:
    """Draw the sequence of an inserted mobile element.

    Each family has one drawn sequence that ends in A's. An insertion is its 3' end, because
    elements lose their 5' end when they are copied, with some bases changed.

    Args:
        change: The insertion, with an allele such as ``<INS:ME:ALU>``.
        seed: Root seed of the inserted sequences.

    Returns:
        As many bases as the insertion has.
    """
    family = np.random.default_rng(derive_seed(seed, "mobile element", change.allele))
    own = derive_seed(seed, "insertion", change.allele, change.start, change.svlen)
    draw = np.random.default_rng(own)
    letters = family.integers(0, 4, change.svlen)  # from the 3' end
    changed = draw.random(change.svlen) < DIVERGENCE
    letters[changed] = (letters[changed] + draw.integers(1, 4, int(changed.sum()))) % 4
    letters[:POLY_A] = 0
    return _BASES[letters[::-1]].tobytes().decode()
