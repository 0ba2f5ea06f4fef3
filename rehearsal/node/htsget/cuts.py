"""The records of a region, cut out of a BCF exactly.

Records are sorted, so those that begin inside a region lie together: the blocks that hold nothing
else are sent as they are in the file, and the two at the borders are compressed again without
what lies outside. Deletions that begin before the region and reach into it come first.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Set
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from rehearsal.model import InputError
from rehearsal.node.htsget.blocks import Cursor, pack
from rehearsal.node.htsget.genomes import GenomeFile
from rehearsal.node.htsget.leaving_out import left

CHUNK = 1 << 20
_PLACE = struct.Struct("<IIiii")  # lengths of the two parts, contig, position, reference bases
_CONTIG = 8  # bytes before a record's contig

Slice = tuple[int, int]  # bytes of the file


@dataclass(frozen=True, slots=True)
class Span:
    """The records of a region: some that reach into it, and all of ``[first, last)``."""

    reaching: bytes  # whole records, uncompressed
    first: int  # virtual offsets
    last: int


def find_span(file: BinaryIO, genome: GenomeFile, start: int, end: int, after: int = 0) -> Span:
    """The records that overlap ``[start, end)`` of the file's contig.

    Records that begin before ``after`` belong to a region before this one and are left out.
    """
    block = genome.block
    if start <= block.start and end >= block.end:
        return Span(b"", genome.first_record, genome.end)
    number = genome.contig_number
    offset = genome.index.reaching(number, start)
    if start >= end or offset is None:
        return Span(b"", genome.end, genome.end)
    cursor = Cursor(file, offset)
    reaching = bytearray()
    while (place := _place(cursor, genome.end)) and place.position < start:
        size = place.size
        if place.position + place.length > start and place.position >= after:
            reaching += Cursor(file, place.offset).read(size)
        cursor.skip(size - _PLACE.size)
    first = place.offset if place else genome.end
    offset = genome.index.reaching(number, end)
    if offset is None:
        return Span(bytes(reaching), first, genome.end)
    cursor = Cursor(file, max(first, offset))
    while (place := _place(cursor, genome.end)) and place.position < end:
        cursor.skip(place.size - _PLACE.size)
    return Span(bytes(reaching), first, place.offset if place else genome.end)


@dataclass(frozen=True, slots=True)
class _Place:
    offset: int
    position: int
    length: int
    size: int  # bytes of the whole record


def _place(cursor: Cursor, end: int) -> _Place | None:
    """The beginning of the record at the cursor, which moves behind it; None behind the last."""
    offset = cursor.tell()
    if offset >= end or cursor.at_end():
        return None
    shared, individual, _, position, length = _PLACE.unpack(cursor.read(_PLACE.size))
    return _Place(offset, position, length, 8 + shared + individual)


def parts(file: BinaryIO, span: Span) -> list[bytes | Slice]:
    """The span as BGZF without a header: bytes, and slices of the file to be sent as they are."""
    reaching = pack(span.reaching)
    first, within = span.first >> 16, span.first & 0xFFFF
    last, rest = span.last >> 16, span.last & 0xFFFF
    if first == last:
        return [reaching + pack(Cursor(file, span.first).read(rest - within))]
    head = b""
    if within:
        cursor = Cursor(file, span.first)
        head = pack(cursor.to_end_of_block())
        first = cursor.tell() >> 16
    tail = pack(Cursor(file, last << 16).read(rest)) if rest else b""
    return [reaching + head, (first, last), tail]


def recoded(
    genome: GenomeFile, span: Span, number: int, excluded: Set[str] = frozenset()
) -> Iterator[bytes]:
    """The span as BGZF without a header: on the contig with another number, without some people.

    Raises InputError for records that do not fit their header.
    """
    contig = struct.pack("<i", number)
    change = _leaving_out(genome, excluded) if excluded else None
    out = bytearray()
    for record in _records(genome, span):
        record = record[:_CONTIG] + contig + record[_CONTIG + 4 :]
        out += record if change is None else change(record)
        if len(out) >= CHUNK:
            yield pack(out)
            out.clear()
    yield pack(out)


def _records(genome: GenomeFile, span: Span) -> Iterator[bytes]:
    at = 0
    while at < len(span.reaching):
        size = 8 + sum(struct.unpack_from("<II", span.reaching, at))
        yield span.reaching[at : at + size]
        at += size
    with closing(genome.open()) as file:
        cursor = Cursor(file, span.first)
        while cursor.tell() < span.last and (lengths := cursor.read(8)):
            yield lengths + cursor.read(sum(struct.unpack("<II", lengths)))


def _leaving_out(genome: GenomeFile, excluded: Set[str]) -> Callable[[bytes], bytes]:
    header = genome.header()
    samples = len(header.samples)
    stay = np.flatnonzero([name not in excluded for name in header.samples])
    gt_key = header.gt_key
    if gt_key is None:
        raise InputError(genome.path, "header", "a line ##FORMAT of GT, with its IDX")

    def change(record: bytes) -> bytes:
        try:
            return left(record, samples, stay, gt_key)
        except (ValueError, IndexError, KeyError, struct.error) as error:
            raise InputError(
                genome.path, "records", f"genotypes of all samples ({error})"
            ) from None

    return change
