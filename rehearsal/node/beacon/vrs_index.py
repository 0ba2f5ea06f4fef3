"""Alleles by their computed identifiers.

An identifier does not say where its allele is. So a node lists the identifiers of all alleles of a
source when somebody asks for the first one, which takes some 13 s per million alleles.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from rehearsal.genomes.reference_identity import ReferenceIdentity
from rehearsal.node.beacon import vrs
from rehearsal.node.beacon.allele_source import AlleleSource
from rehearsal.node.beacon.variant_types import GAIN, LOSS, class_of

IDENTIFIER = re.compile(r"ga4gh:(?:VA|CX)\.[A-Za-z0-9_-]{32}")
COPY_CHANGES = {LOSS: vrs.LOSS, GAIN: vrs.GAIN}  # by class of variant


@dataclass(frozen=True, slots=True)
class VrsQuery:
    """The allele with this computed identifier."""

    identifier: str


def accession_of(row: Any, sequences: ReferenceIdentity | None) -> str | None:
    """Return the accession of the bases on which an allele's identifiers depend.

    Args:
        row: A row of a source of alleles.
        sequences: Names of the reference sequences; None without a reference.

    Returns:
        The accession; None without a reference.
    """
    if sequences is None:
        return None
    behind = row.end if row.svlen else row.end + row.shift + 1
    return sequences.accession(row.contig, row.start, behind)


def identifiers_of(row: Any, sequences: ReferenceIdentity | None) -> tuple[tuple[str, str], ...]:
    """Compute the identifiers of an allele. Structural variants but copy numbers have none.

    Args:
        row: A row of a source of alleles.
        sequences: Names of the reference sequences; None without a reference.

    Returns:
        Pairs of VRS version and identifier.
    """
    accession = accession_of(row, sequences)
    if not row.svlen:
        return vrs.identifiers(row.contig, row.start, row.ref, row.alt, row.shift, accession)
    change = COPY_CHANGES.get(class_of(row.ref, row.alt))
    if accession is None or change is None:
        return ()
    return vrs.copy_number_identifiers(row.start + 1, row.end, change, accession)


class VrsIndex:
    """The alleles of a source by their identifiers.

    Args:
        source: The source.
        sequences: Names of the reference sequences; None without a reference.
    """

    def __init__(self, source: AlleleSource, sequences: ReferenceIdentity | None) -> None:
        self._source, self._sequences = source, sequences
        self._contigs = list(source.contigs)
        keys = np.array(list(self._keys()), dtype=[("key", "u8"), ("contig", "u1"), ("at", "i4")])
        self._keys_of_places = keys[np.argsort(keys["key"], kind="stable")]

    def _keys(self) -> Iterable[tuple[int, int, int]]:
        for number, contig in enumerate(self._contigs):
            for row in self._source.overlapping(contig, 0, self._source.contigs[contig]):
                for _, identifier in identifiers_of(row, self._sequences):
                    yield _key(identifier), number, row.start

    def find(self, identifier: str) -> Iterator[Any]:
        """Find the allele with an identifier.

        Args:
            identifier: As :data:`IDENTIFIER` describes it.

        Yields:
            Its row.
        """
        keys = self._keys_of_places["key"]
        first, last = (
            int(np.searchsorted(keys, np.uint64(_key(identifier)), side))
            for side in ("left", "right")
        )
        for _, number, start in self._keys_of_places[first:last].tolist():
            for row in self._source.overlapping(self._contigs[number], start, start + 1):
                names = (one for _, one in identifiers_of(row, self._sequences))
                if row.start == start and identifier in names:
                    yield row
                    return


def _key(identifier: str) -> int:
    """Shorten an identifier to 8 bytes. Alleles that share them are told apart by their rows."""
    return int.from_bytes(vrs.digest_of(identifier)[:8], "big")
