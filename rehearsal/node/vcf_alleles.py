"""The alleles of a VCF record as a variant store holds them."""

from __future__ import annotations

import re

import pysam

StoredAllele = tuple[int, str, str, int, int, int]  # 0-based start, REF, ALT, length, reach, shift

_SEQUENCE = re.compile("[ACGTUNRYSWKMBDHVacgtunryswkmbdhv]+")
_SYMBOLIC = re.compile("<(?:(?:DEL|DUP|INS|INV|CNV)(?::[A-Z0-9:]+)?|CN[0-9]+)>")


def stored_alleles(record: pysam.VariantRecord) -> dict[int, StoredAllele]:
    """Return the alternate alleles of a record that a store holds.

    Symbolic alleles are kept if they are deletions, duplications, insertions, inversions or copy
    numbers, and if INFO states their length: END or SVLEN, of insertions SVLEN.

    Args:
        record: The record.

    Returns:
        By number of the allele: its start, REF, ALT, and of structural variants their length and
        how many bases they affect behind REF, as in :mod:`rehearsal.stores.variant_store`. The
        shift is 0, as there is no reference.
    """
    ref, *alts = record.alleles or ("",)
    found = {}
    for allele, alt in enumerate(alts, start=1):
        if _SEQUENCE.fullmatch(alt):
            found[allele] = (*_trimmed(record.start, ref, alt), 0, 0, 0)
        elif _SYMBOLIC.fullmatch(alt) and (length := _length(record, allele)):
            reach = 0 if alt.startswith("<INS") else length
            found[allele] = (record.start, ref[:1], alt, length, reach, 0)
    return found


def _length(record: pysam.VariantRecord, allele: int) -> int:
    """Return the length of a symbolic allele in bases, 0 if the record does not state it."""
    is_insertion = (record.alts or ())[allele - 1].startswith("<INS")
    states_end = record.stop > record.start + len(record.ref or "")
    if states_end and not is_insertion:
        return record.stop - record.start - 1
    stated = record.info.get("SVLEN") if "SVLEN" in record.header.info else None
    lengths = stated if isinstance(stated, tuple) else (stated,)
    length = lengths[min(allele, len(lengths)) - 1]
    return abs(length) if isinstance(length, int) else 0


def _trimmed(start: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Remove the shared last bases, then the shared first ones, but leave a base in REF and ALT."""
    upper_ref, upper_alt = ref.upper(), alt.upper()
    most = min(len(ref), len(alt)) - 1
    end = first = 0
    while end < most and upper_ref[-1 - end] == upper_alt[-1 - end]:
        end += 1
    while first < most - end and upper_ref[first] == upper_alt[first]:
        first += 1
    return start + first, ref[first : len(ref) - end], alt[first : len(alt) - end]
