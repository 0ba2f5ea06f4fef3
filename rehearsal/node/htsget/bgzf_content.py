"""Content of BGZF files, unpacked and packed in other threads, some blocks ahead of the reader."""

from __future__ import annotations

import os
import struct
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import BinaryIO, TypeVar

from rehearsal.formats.bgzf import HEADER
from rehearsal.node.htsget.bgzf_blocks import HEAD, TAIL, damaged_block, pack_blocks, unpack_block

BATCH = 16  # blocks that one thread works on at a time: about 1 MB
_AHEAD = 4  # batches of one stream that are worked on or wait: bounds its memory

Given = TypeVar("Given")
Made = TypeVar("Made")


def unpack_range(file: BinaryIO, first: int, last: int) -> Iterator[bytes]:
    """The uncompressed bytes from one virtual offset to another, some blocks at a time.

    Raises InputError for what is not BGZF and for damaged blocks.
    """
    begin, end = first & 0xFFFF, last & 0xFFFF
    border = last & ~0xFFFF  # where the last block begins, of which only a part is meant
    for data in map_ahead(_unpack_batch, _read_batches(file, first, border)):
        yield data[begin:]
        begin = 0
    if end:
        for data in map(_unpack_batch, _read_batches(file, border, last)):
            yield data[begin:end]


def pack_pieces(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The pieces as BGZF blocks, without the mark of the end of a file."""
    return map_ahead(pack_blocks, pieces)


def map_ahead(work: Callable[[Given], Made], items: Iterable[Given]) -> Iterator[Made]:
    """What the work makes of each item, in order; a few are made before they are asked for."""
    waiting: deque[Future[Made]] = deque()
    try:
        for item in items:
            waiting.append(_pool().submit(work, item))
            if len(waiting) >= _AHEAD:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


@cache
def _pool() -> ThreadPoolExecutor:
    """Packing leaves the interpreter's lock; more threads than cores gain nothing."""
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="htsget")


_Batch = list[tuple[BinaryIO, int, bytes]]  # the file, a block's place in it, what follows its head


def _read_batches(file: BinaryIO, first: int, last: int) -> Iterator[_Batch]:
    """The blocks from one virtual offset to another, still packed."""
    batch: _Batch = []
    at = first >> 16
    file.seek(at)
    while at << 16 < last:
        head = file.read(HEAD)
        if len(head) < HEAD or head[: len(HEADER)] != HEADER:
            raise damaged_block(file, at)
        size = struct.unpack_from("<H", head, len(HEADER))[0] + 1
        rest = file.read(size - HEAD) if size > HEAD + TAIL else b""
        if len(rest) < size - HEAD:
            raise damaged_block(file, at)
        batch.append((file, at, rest))
        at += size
        if len(batch) == BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _unpack_batch(batch: _Batch) -> bytes:
    return b"".join(unpack_block(*block) for block in batch)
