"""Decompress and compress BGZF content in other threads, a few blocks ahead of the reader."""

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
_AHEAD = 4  # batches of one stream in work or waiting: limits its memory

Given = TypeVar("Given")
Made = TypeVar("Made")


def unpack_range(file: BinaryIO, first: int, last: int) -> Iterator[bytes]:
    """Decompress the bytes between two virtual offsets.

    Args:
        file: A BGZF file.
        first: Virtual offset of the first byte.
        last: Virtual offset behind the last byte.

    Yields:
        The bytes, some blocks at a time.

    Raises:
        InputError: The file is not BGZF or a block is damaged.
    """
    begin, end = first & 0xFFFF, last & 0xFFFF
    border = last & ~0xFFFF  # start of the last block, of which only a part is wanted
    for data in map_ahead(_unpack_batch, _read_batches(file, first, border)):
        yield data[begin:]
        begin = 0
    if end:
        for data in map(_unpack_batch, _read_batches(file, border, last)):
            yield data[begin:end]


def pack_pieces(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Compress pieces to BGZF blocks, without the end-of-file marker.

    Args:
        pieces: The content.

    Returns:
        An iterator over the blocks, one item per piece.
    """
    return map_ahead(pack_blocks, pieces)


def map_ahead(work: Callable[[Given], Made], items: Iterable[Given]) -> Iterator[Made]:
    """Apply a function to items in other threads, a few items ahead of the reader.

    Args:
        work: The function. It should release the interpreter lock.
        items: Its arguments.

    Yields:
        The results, in the order of the items.
    """
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
    """Create the thread pool, one thread per core: compression releases the interpreter lock."""
    return ThreadPoolExecutor(os.cpu_count(), thread_name_prefix="htsget")


_Batch = list[tuple[BinaryIO, int, bytes]]  # file, offset of a block, block without its header


def _read_batches(file: BinaryIO, first: int, last: int) -> Iterator[_Batch]:
    """Yield the compressed blocks between two virtual offsets."""
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
