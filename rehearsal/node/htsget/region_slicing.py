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
from rehearsal.node.htsget.content import content
from rehearsal.node.htsget.genomes import GenomeFile

CHUNK = 1 << 20
_PLACE = struct.Struct("<IIiii")  # lengths of the two parts, contig, position, reference bases

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
        first = min(cursor.tell() >> 16, last)  # it passes the mark of the end of a file
    tail = pack(Cursor(file, last << 16).read(rest)) if rest else b""
    return [reaching + head, (first, last), tail]


def uncompressed(genome: GenomeFile, span: Span) -> Iterator[bytes]:
    """The span's records, cut anywhere. Raises InputError for a damaged file."""
    if span.reaching:
        yield span.reaching
    with closing(genome.open()) as file:
        yield from content(file, span.first, span.last)


def recoded(
    genome: GenomeFile, span: Span, number: int, excluded: Set[str] = frozenset()
) -> Iterator[bytes]:
    """The span, uncompressed: on the contig with another number, without some people.

    Raises InputError for records that do not fit their header.
    """
    change = _leaving_out(genome, number, excluded) if excluded else _renumbering(number)
    rest = b""
    for piece in uncompressed(genome, span):
        rest += piece
        used, changed = change(rest)
        rest = rest[used:]
        if changed:
            yield changed
    if rest:
        raise InputError(genome.path, "records", "whole records: the file was cut")


# what is made of whole records, and where they end
_Change = Callable[[bytes], tuple[int, bytes]]


def _renumbering(number: int) -> _Change:
    # compiled code is large: only nodes that rewrite records load it
    from rehearsal.node.htsget.bcf_kernel import renumber

    def change(records: bytes) -> tuple[int, bytes]:
        out = bytearray(records)
        used = renumber(np.frombuffer(out, np.uint8), number)
        return used, bytes(memoryview(out)[:used])

    return change


def _leaving_out(genome: GenomeFile, number: int, excluded: Set[str]) -> _Change:
    from rehearsal.node.htsget.record_redaction import leave_out, runs_of

    header = genome.header()
    samples, gt_key = len(header.samples), header.gt_key
    runs = runs_of(np.array([name not in excluded for name in header.samples], bool))
    if gt_key is None:
        raise InputError(genome.path, "header", "a line ##FORMAT of GT, with its IDX")

    def change(records: bytes) -> tuple[int, bytes]:
        data = np.frombuffer(records, np.uint8)
        out = np.empty_like(data)
        used, written = leave_out(data, out, number, samples, runs, gt_key)
        if written < 0:
            raise InputError(genome.path, "records", "genotypes of all samples")
        return used, out[:written].tobytes()

    return change
