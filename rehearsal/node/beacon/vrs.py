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

from rehearsal.node.beacon.hgvs import trimmed

# refget accessions of GRCh38, as published by seqrepo and the tests of the variation normaliser
# (read 2026-11-26; a test compares published identifiers of alleles on some of them)
REFGET = {
    "chr1": "SQ.Ya6Rs7DHhDeg7YaOSg1EoNi3U_nQ9SvO",
    "chr2": "SQ.pnAqCRBrTsUoBghSD1yp_jXWSmlbdh4g",
    "chr3": "SQ.Zu7h9AggXxhTaGVsy7h_EZSChSZGcmgX",
    "chr4": "SQ.HxuclGHh0XCDuF8x6yQrpHUBL7ZntAHc",
    "chr5": "SQ.aUiQCzCPZ2d0csHbMSbh2NzInhonSXwI",
    "chr6": "SQ.0iKlIQk2oZLoeOG9P1riRU6hvL5Ux8TV",
    "chr7": "SQ.F-LrLMe1SRpfUZHkQmvkVKFEGaoDeHul",
    "chr8": "SQ.209Z7zJ-mFypBEWLk4rNC6S_OxY5p7bs",
    "chr9": "SQ.KEO-4XBcm1cxeo_DIQ8_ofqGUkp4iZhI",
    "chr10": "SQ.ss8r_wB0-b9r44TQTMmVTI92884QvBiB",
    "chr11": "SQ.2NkFm8HK88MqeNkCgj78KidCAXgnsfV1",
    "chr12": "SQ.6wlJpONE3oNb4D69ULmEXhqyDZ4vwNfl",
    "chr13": "SQ._0wi-qoDrvram155UmcSC-zA5ZK4fpLT",
    "chr14": "SQ.eK4D2MosgK_ivBkgi6FVPg5UXs1bYESm",
    "chr15": "SQ.AsXvWL1-2i5U_buw6_niVIxD6zTbAuS6",
    "chr16": "SQ.yC_0RBj3fgBlvgyAuycbzdubtLxq-rE0",
    "chr17": "SQ.dLZ15tNO1Ur0IcGjwc3Sdi_0A6Yf4zm7",
    "chr18": "SQ.vWwFhJ5lQDMhh-czg06YtlWqu0lvFAZV",
    "chr19": "SQ.IIB53T8CNeJJdUqzn9V_JnRtQadwWCbl",
    "chr20": "SQ.-A1QmD_MatoqxvgVxBLZTONHz9-c7nQo",
    "chr21": "SQ.5ZUqxCmDDgN4xTRbaSjN8LwgZironmB8",
    "chr22": "SQ.7B7SHsmchAR0dFcDCuSFjJAo7tX87krQ",
    "chrX": "SQ.w0WZEvgJF0zf_P4yyTzjjv9oW1z61HHP",
    "chrY": "SQ.8_liLu1aycC0tPQPFmUaGXJLDs5SbPZ5",
    "chrM": "SQ.k3grVkjY-hoWcCUojHw6VU6GE3MZ8Sct",
}
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
