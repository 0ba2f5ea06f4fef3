"""BCF to VCF on the fly."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from threading import Thread
from typing import TYPE_CHECKING, BinaryIO

from rehearsal.export.bgzf import END_OF_FILE
from rehearsal.node.htsget.blocks import pack
from rehearsal.node.htsget.cuts import CHUNK

if TYPE_CHECKING:
    import pysam


def vcf_header(bcf_header: bytes) -> bytes:
    """The header as BGZF; ``bcf_header`` is a BCF's uncompressed beginning."""
    with _decoded(bcf_header, ()) as variants:
        return pack(str(variants.header).encode())


def vcf_records(bcf_header: bytes, body: Iterable[bytes]) -> Iterator[bytes]:
    """The records as BGZF without a header; ``body`` is BGZF. Raises what ``body`` raises."""
    out = bytearray()
    with _decoded(bcf_header, body) as variants:
        for record in variants:
            out += str(record).encode()
            if len(out) >= CHUNK:
                yield pack(out)
                out.clear()
    yield pack(out)


@contextmanager
def _decoded(bcf_header: bytes, body: Iterable[bytes]) -> Iterator[pysam.VariantFile]:
    """htslib at the end of a pipe: it reads a stream like a file, and nothing touches the disk."""
    import pysam  # large: only nodes that are asked for VCF load it

    source, sink = os.pipe()
    failures: list[Exception] = []
    feeder = Thread(target=_feed, args=(sink, bcf_header, body, failures), daemon=True)
    feeder.start()
    try:
        with os.fdopen(source, "rb", 0) as stream, pysam.VariantFile(stream) as variants:
            yield variants
    finally:
        feeder.join()  # it ends also when it is not read to its end: the pipe is closed
    if failures:
        raise failures[0]


def _feed(sink: int, bcf_header: bytes, body: Iterable[bytes], failures: list[Exception]) -> None:
    try:
        with os.fdopen(sink, "wb", 0) as pipe:
            _write(pipe, pack(bcf_header))
            for piece in body:
                _write(pipe, piece)
            _write(pipe, END_OF_FILE)
    except BrokenPipeError:
        pass
    except Exception as failure:
        failures.append(failure)


def _write(pipe: BinaryIO, piece: bytes) -> None:
    view = memoryview(piece)
    while view:
        view = view[pipe.write(view) :]
