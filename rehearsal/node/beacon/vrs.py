"""Computed identifiers of alleles and copy numbers: GA4GH VRS, versions 1.3 and 2.0.

An identifier is a digest of an allele's location on a reference sequence and of its bases. The
sequence is identified by its refget accession, itself a digest: that of GRCh38 where the run's
reference has its bases, else that of the run's own sequence. A node without a reference names
substitutions on GRCh38, and nothing else.

VRS extends an insertion or deletion over all of its places ("fully justified"). The bases between
them repeat those of the allele. VRS 2.0 writes what the reference repeats as a length
(ReferenceLengthExpression): github.com/ga4gh/vrs-python 2.3.3, ga4gh/vrs/normalize.py.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import orjson

from rehearsal.genomes.assembly import REFGET
from rehearsal.genomes.genomic_names import trimmed

REFERENCES = {
    "1.3": "https://vrs.ga4gh.org/en/1.3/impl-guide/computed_identifiers.html",
    "2.0": "https://vrs.ga4gh.org/en/2.0/conventions/computed_identifiers.html",
}


# terms of EFO for changes of copy number, as VRS 1.3 writes them, and the words of VRS 2.0
LOSS, GAIN = "efo:0030067", "efo:0030070"
_CHANGES = {LOSS: "loss", GAIN: "gain"}


def copy_number_identifiers(
    start: int, end: int, change: str, accession: str
) -> tuple[tuple[str, str], ...]:
    """Compute the identifiers of a change of copy number.

    Args:
        start: First base of which there are fewer or more copies, 0-based.
        end: One past the last base.
        change: ``LOSS`` or ``GAIN``.
        accession: Refget accession of the sequence.

    Returns:
        Pairs of VRS version and identifier.
    """
    first = {"copy_change": change, "subject": _digest(_location_1(accession, start, end))}
    second = {
        "copyChange": _CHANGES[change],
        "location": _digest(_location_2(accession, start, end)),
    }
    named = (("1.3", first), ("2.0", second))
    kind = {"type": "CopyNumberChange"}
    return tuple((version, f"ga4gh:CX.{_digest(one | kind)}") for version, one in named)


@lru_cache(maxsize=1 << 12)
def identifiers(
    contig: str, start: int, ref: str, alt: str, shift: int = 0, accession: str | None = None
) -> tuple[tuple[str, str], ...]:
    """Compute the identifiers of an allele in VCF notation.

    Args:
        contig: Contig name.
        start: Position, 0-based.
        ref: Reference bases.
        alt: Alternate bases.
        shift: Bases by which an insertion or deletion can be moved to the right.
        accession: Refget accession of the sequence. None for that of GRCh38, on which the shift of
            an indel is not known.

    Returns:
        Pairs of VRS version and identifier. Empty for an insertion or deletion without an
        accession, or a contig that is not one of GRCh38.
    """
    allele = trimmed(contig, start, ref, alt)
    sequence = accession or REFGET.get(contig)
    is_indel = not allele.deleted or not allele.inserted
    if sequence is None or (is_indel and accession is None):
        return ()
    end, bases = allele.end + shift, allele.inserted
    if is_indel:
        unit = allele.inserted or allele.deleted
        size = len(allele.inserted) + shift
        bases = (unit * (size // len(unit) + 1))[:size]
    literal = {"sequence": bases, "type": "LiteralSequenceExpression"}
    first = _identifier(_location_1(sequence, allele.start, end), literal)
    state = _repeat(unit, bool(allele.deleted), shift) if is_indel else None
    second = _identifier(_location_2(sequence, allele.start, end), state or literal)
    return ("1.3", first), ("2.0", second)


def _repeat(unit: str, is_deletion: bool, shift: int) -> dict[str, Any] | None:
    """Write the state of an indel as a length of repeated reference, None if it is none."""
    length, size = (shift if is_deletion else len(unit) + shift), len(unit)
    if not is_deletion:
        sizes = [n for n in range(size, 0, -1) if size % n == 0 and n <= shift]
        size = next((n for n in sizes if unit == unit[:n] * (size // n)), 0)
    if not size:
        return None
    return {
        "length": length,
        "repeatSubunitLength": size,
        "type": "ReferenceLengthExpression",
    }


def digest_of(identifier: str) -> bytes:
    """Read the digest in an identifier.

    Args:
        identifier: For example ``ga4gh:VA.s8vzlmFv83fcoJnNovFkp4pnE48weUh4``.

    Returns:
        24 bytes.
    """
    return base64.urlsafe_b64decode(identifier.rpartition(".")[2])


def alternative_ids(identifiers: Iterable[tuple[str, str]]) -> list[dict[str, str]]:
    """Build the identifiers of a variant as external references of a Beacon.

    Args:
        identifiers: Pairs of VRS version and identifier.

    Returns:
        External references, JSON values.
    """
    return [
        {"id": one, "notes": f"VRS {version} computed identifier", "reference": REFERENCES[version]}
        for version, one in identifiers
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


def _identifier(location: dict[str, Any], state: dict[str, Any]) -> str:
    return f"ga4gh:VA.{_digest({'location': _digest(location), 'state': state, 'type': 'Allele'})}"


def _digest(value: dict[str, Any]) -> str:
    """Compute the sha512t24u digest of the canonical JSON (sorted keys, no spaces)."""
    text = orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    return base64.urlsafe_b64encode(hashlib.sha512(text).digest()[:24]).decode()
