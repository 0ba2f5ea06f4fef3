"""Convert BCF to VCF while it is sent."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from threading import Thread
from typing import TYPE_CHECKING, BinaryIO

import numpy as np

from rehearsal.errors import InputError
from rehearsal.formats.bcf_header import HeaderNames
from rehearsal.formats.bgzf import END_OF_FILE
from rehearsal.node.htsget.bgzf_blocks import pack_blocks
from rehearsal.node.htsget.bgzf_content import pack_pieces
from rehearsal.node.htsget.region_slicing import CHUNK

if TYPE_CHECKING:
    import pysam


def vcf_header(bcf_header: bytes) -> bytes:
    """Convert the header of a BCF to that of a VCF.

    Args:
        bcf_header: The uncompressed beginning of a BCF.

    Returns:
        The header of the VCF, in BGZF blocks.
    """
    with _decoded(bcf_header, ()) as variants:
        return pack_blocks(str(variants.header).encode())


def vcf_records(bcf_header: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Convert records of a BCF to lines of a VCF.

    Args:
        bcf_header: The uncompressed beginning of the BCF.
        pieces: Its records, uncompressed, split anywhere.

    Returns:
        The lines, in BGZF blocks, without a header.

    Raises:
        InputError: The records do not match the header. Errors of ``pieces`` pass through.
    """
    return pack_pieces(_lines(bcf_header, iter(pieces)))


def _lines(bcf_header: bytes, pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the lines, by compiled code, or by htslib from the first record it does not support."""
    # a large import, needed for VCF only
    from rehearsal.formats.bcf_reading_kernel import BAD
    from rehearsal.formats.line_buffer import LineBuffer
    from rehearsal.formats.vcf_text_kernel import Dictionary, to_text

    header = HeaderNames.read(bcf_header)
    dictionary, no_ends = Dictionary.of(header), np.empty(0, np.int64)
    buffer = LineBuffer(lambda data, out: to_text(data, out, dictionary, no_ends), 8 * CHUNK)
    understood = header.is_plain
    while understood and (piece := next(pieces, None)) is not None:
        yield from buffer.lines_of(piece)
        if buffer.status == BAD:
            expected = "records that match their header"
            raise InputError("genomes", "records", expected, "one that does not")
        understood = buffer.status == 0
    if not understood:
        yield from _by_htslib(bcf_header, chain((buffer.rest,), pieces))
    elif buffer.rest:
        raise InputError("genomes", "records", "whole records", "a file that is cut off")


def _by_htslib(bcf_header: bytes, pieces: Iterable[bytes]) -> Iterator[bytes]:
    out = bytearray()
    with _decoded(bcf_header, pieces) as variants:
        for record in variants:
            out += str(record).encode()
            if len(out) >= CHUNK:
                yield bytes(out)
                out.clear()
    yield bytes(out)


@contextmanager
def _decoded(bcf_header: bytes, pieces: Iterable[bytes]) -> Iterator[pysam.VariantFile]:
    """Open records in htslib through a pipe, without touching the disk."""
    import pysam  # a large import, needed for VCF only

    source, sink = os.pipe()
    failures: list[Exception] = []
    feeder = Thread(target=_feed, args=(sink, bcf_header, pieces, failures), daemon=True)
    feeder.start()
    try:
        with os.fdopen(source, "rb", 0) as stream, pysam.VariantFile(stream) as variants:
            yield variants
    finally:
        feeder.join()  # it also ends when the reader stops early: the pipe is closed
    if failures:
        raise failures[0]


def _feed(sink: int, bcf_header: bytes, pieces: Iterable[bytes], failures: list[Exception]) -> None:
    try:
        with os.fdopen(sink, "wb", 0) as pipe:
            _write(pipe, pack_blocks(bcf_header))
            for piece in pieces:
                _write(pipe, pack_blocks(piece))
            _write(pipe, END_OF_FILE)
    except BrokenPipeError:
        pass
    except Exception as failure:
        failures.append(failure)


def _write(pipe: BinaryIO, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[pipe.write(view) :]
