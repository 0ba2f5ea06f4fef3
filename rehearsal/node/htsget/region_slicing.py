"""Extract exactly the records of a region from a BCF.

Records are sorted, so those that begin inside a region are contiguous. Blocks that hold nothing
else are sent as they are in the file. The two blocks at the borders are compressed again without
the records outside. Records (deletions) that begin before the region and reach into it come first.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator, Set
from contextlib import closing
from dataclasses import dataclass
from typing import BinaryIO

import numpy as np

from rehearsal.errors import InputError
from rehearsal.node.htsget.bgzf_blocks import Cursor, pack_blocks
from rehearsal.node.htsget.bgzf_content import unpack_range
from rehearsal.node.htsget.genome_files import GenomeFile

CHUNK = 1 << 20
_PLACE = struct.Struct("<IIiii")  # two lengths in bytes, contig, position, length in bases


@dataclass(frozen=True, slots=True)
class Window:
    """The records to send of a file's contig: those that overlap ``[start, end)``, 0-based.

    Args:
        start: First position.
        end: Position behind the last one.
        after: Records that begin before this position belong to an earlier region and are left out.
    """

    start: int
    end: int
    after: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """The records of a window.

    Args:
        start: First position of the window, 0-based.
        reaching: Whole records that begin before the window and reach into it, uncompressed.
        first: Virtual offset of the first other record.
        last: Virtual offset behind the last record.
    """

    start: int
    reaching: bytes  # whole records, uncompressed
    first: int  # virtual offsets
    last: int


@dataclass(frozen=True, slots=True)
class FileSlice:
    """Bytes ``[begin, end)`` of an open file."""

    file: BinaryIO
    begin: int
    end: int

    def __len__(self) -> int:
        return self.end - self.begin


def find_span(file: BinaryIO, genome: GenomeFile, window: Window) -> Span:
    """Find the records of a window.

    Args:
        file: The open BCF.
        genome: Its block, header and index.
        window: The window.

    Returns:
        The span of its records.

    Raises:
        InputError: The file or its index is damaged.
    """
    block, end = genome.block, genome.layout.end
    if window.start <= block.start and window.end >= block.end:
        return Span(window.start, b"", genome.layout.first_record, end)
    offset = genome.index.reaching(genome.contig_number, window.start)
    if window.start >= window.end or offset is None:
        return Span(window.start, b"", end, end)
    reaching, first = _read_reaching(file, offset, window, end)
    offset = genome.index.reaching(genome.contig_number, window.end)
    last = end if offset is None else _first_from(file, max(first, offset), window.end, end)
    return Span(window.start, reaching, first, last)


def _read_reaching(file: BinaryIO, offset: int, window: Window, end: int) -> tuple[bytes, int]:
    """Read the records that reach into a window from before it; return also the next offset."""
    cursor = Cursor(file, offset)
    reaching = bytearray()
    while (record := _next_record(cursor, end)) and record.position < window.start:
        if record.position + record.length > window.start and record.position >= window.after:
            reaching += Cursor(file, record.offset).read(record.size)
        cursor.skip(record.size - _PLACE.size)
    return bytes(reaching), record.offset if record else end


def _first_from(file: BinaryIO, offset: int, position: int, end: int) -> int:
    """Find the first record from an offset on that begins at or after a position."""
    cursor = Cursor(file, offset)
    while (record := _next_record(cursor, end)) and record.position < position:
        cursor.skip(record.size - _PLACE.size)
    return record.offset if record else end


@dataclass(frozen=True, slots=True)
class _RecordPlace:
    offset: int  # virtual
    position: int
    length: int  # bases of the reference
    size: int  # bytes of the whole record


def _next_record(cursor: Cursor, end: int) -> _RecordPlace | None:
    """Read the place of the record at the cursor; None at the end."""
    offset = cursor.tell()
    if offset >= end or cursor.at_end():
        return None
    shared, individual, _, position, length = _PLACE.unpack(cursor.read(_PLACE.size))
    return _RecordPlace(offset, position, length, 8 + shared + individual)


def bgzf_parts(file: BinaryIO, span: Span) -> list[bytes | FileSlice]:
    """List the parts of a span as BGZF, without a header.

    Args:
        file: The open BCF.
        span: The span.

    Returns:
        Compressed bytes, and slices of the file to be sent unchanged.
    """
    reaching = pack_blocks(span.reaching)
    first, within = span.first >> 16, span.first & 0xFFFF
    last, rest = span.last >> 16, span.last & 0xFFFF
    if first == last:
        return [reaching + pack_blocks(Cursor(file, span.first).read(rest - within))]
    head = b""
    if within:
        cursor = Cursor(file, span.first)
        head = pack_blocks(cursor.to_end_of_block())
        first = min(cursor.tell() >> 16, last)  # it skips the end-of-file marker
    tail = pack_blocks(Cursor(file, last << 16).read(rest)) if rest else b""
    return [reaching + head, FileSlice(file, first, last), tail]


def uncompressed(genome: GenomeFile, span: Span) -> Iterator[bytes]:
    """Decompress the records of a span.

    Args:
        genome: The block.
        span: The span.

    Yields:
        Bytes, split anywhere.

    Raises:
        InputError: The file is damaged.
    """
    if span.reaching:
        yield span.reaching
    with closing(genome.open()) as file:
        yield from unpack_range(file, span.first, span.last)


def rewritten(
    genome: GenomeFile, span: Span, number: int, excluded: Set[str] = frozenset()
) -> Iterator[bytes]:
    """Decompress the records of a span, with another contig number and without some people.

    Args:
        genome: The block.
        span: The span.
        number: Number of the contig in the output.
        excluded: Names of samples to leave out.

    Yields:
        Bytes of whole records.

    Raises:
        InputError: The records do not match their header.
    """
    rewrite = _without_people(genome, span, number, excluded) if excluded else _renumbered(number)
    rest = b""
    for piece in uncompressed(genome, span):
        rest += piece
        used, changed = rewrite(rest)
        rest = rest[used:]
        if changed:
            yield changed
    if rest:
        raise InputError(genome.path, "records", "whole records", "a file that is cut off")


# takes bytes; returns the end of the whole records in them, and these records rewritten
_Rewrite = Callable[[bytes], tuple[int, bytes]]


def _renumbered(number: int) -> _Rewrite:
    # a large import, needed for rewritten records only
    from rehearsal.formats.bcf_reading_kernel import renumber

    def rewrite(records: bytes) -> tuple[int, bytes]:
        out = bytearray(records)
        used = renumber(np.frombuffer(out, np.uint8), number)
        return used, bytes(memoryview(out)[:used])

    return rewrite


def _without_people(genome: GenomeFile, span: Span, number: int, excluded: Set[str]) -> _Rewrite:
    from rehearsal.node.htsget.redaction_kernel import Redaction, redact, runs_of

    header = genome.read_header()
    if header.gt_key is None:
        raise InputError(genome.path, "header", "a line ##FORMAT of GT with IDX", "no such line")
    runs = runs_of(np.array([name not in excluded for name in header.samples], bool))
    info_keys = header.keys("INFO", "SVTYPE", "END", "SVLEN")
    format_keys = header.keys("FORMAT", "CN", "HF")
    about = len(header.samples), runs, header.gt_key, info_keys, format_keys
    redaction = Redaction(number, span.start, *about)

    def rewrite(records: bytes) -> tuple[int, bytes]:
        data = np.frombuffer(records, np.uint8)
        out = np.empty_like(data)
        used, written = redact(data, out, redaction)
        if written < 0:
            found = "a record without them"
            raise InputError(genome.path, "records", "genotypes of all samples", found)
        return used, out[:written].tobytes()

    return rewrite
