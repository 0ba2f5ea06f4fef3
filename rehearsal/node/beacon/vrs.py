"""Computed identifiers of alleles: GA4GH Variation Representation, versions 1.3 and 2.0.

An identifier is a digest of an allele's location on a reference sequence and of its bases. The
sequence is identified by its refget accession, itself a digest. Simulated alleles have coordinates
on GRCh38, but their reference bases are drawn at random. So an identifier names the real allele at
that location, which does not mean that GRCh38 has the same REF there.

VRS first extends an insertion or deletion as far as the surrounding bases allow ("fully
justified"). That requires the reference sequence, which a node does not have, so such alleles get
no identifier here.
"""

from __future__ import annotations

import base64
import hashlib
from functools import lru_cache
from typing import Any

import orjson

from rehearsal.genomes.assembly import REFGET
from rehearsal.node.beacon.hgvs import trimmed

REFERENCES = {
    "1.3": "https://vrs.ga4gh.org/en/1.3/impl-guide/computed_identifiers.html",
    "2.0": "https://vrs.ga4gh.org/en/2.0/conventions/computed_identifiers.html",
}


@lru_cache(maxsize=1 << 12)
def identifiers(contig: str, start: int, ref: str, alt: str) -> tuple[tuple[str, str], ...]:
    """Compute the identifiers of an allele in VCF notation.

    Args:
        contig: Contig name.
        start: Position, 0-based.
        ref: Reference bases.
        alt: Alternate bases.

    Returns:
        Pairs of VRS version and identifier. Empty for an insertion, a deletion, or a contig that is
        not one of GRCh38.
    """
    allele = trimmed(contig, start, ref, alt)
    sequence = REFGET.get(contig)
    if sequence is None or not allele.deleted or not allele.inserted:
        return ()
    first = _identifier(_location_1(sequence, allele.start, allele.end), allele.inserted)
    second = _identifier(_location_2(sequence, allele.start, allele.end), allele.inserted)
    return ("1.3", first), ("2.0", second)


def alternative_ids(contig: str, start: int, ref: str, alt: str) -> list[dict[str, str]]:
    """Build the identifiers of an allele as external references of a Beacon.

    Args:
        contig: Contig name.
        start: Position, 0-based.
        ref: Reference bases.
        alt: Alternate bases.

    Returns:
        External references, JSON values.
    """
    return [
        {"id": one, "notes": f"VRS {version} computed identifier", "reference": REFERENCES[version]}
        for version, one in identifiers(contig, start, ref, alt)
    ]


def _location_1(sequence: str, start: int, end: int) -> dict[str, Any]:
    return {
        "interval": {
            "end": {"type": "Number", "value": end},
            "start": {"type": "Number", "value": start},
            "type": "SequenceInterval",
        },
        "sequence_id": sequence.removeprefix("SQ."),
        "type": "SequenceLocation",
    }


def _location_2(sequence: str, start: int, end: int) -> dict[str, Any]:
    reference = {"refgetAccession": sequence, "type": "SequenceReference"}
    return {"end": end, "sequenceReference": reference, "start": start, "type": "SequenceLocation"}


def _identifier(location: dict[str, Any], sequence: str) -> str:
    state = {"sequence": sequence, "type": "LiteralSequenceExpression"}
    return f"ga4gh:VA.{_digest({'location': _digest(location), 'state': state, 'type': 'Allele'})}"


def _digest(value: dict[str, Any]) -> str:
    """Compute the sha512t24u digest of the canonical JSON (sorted keys, no spaces)."""
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return base64.urlsafe_b64encode(hashlib.sha512(text).digest()[:24]).decode()
