"""Files that are whole or not there, and digests of what they hold."""

from __future__ import annotations

import gzip
import hashlib
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import BinaryIO

CHUNK = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def written_aside(path: Path | str) -> Iterator[Path]:
    """A temporary path beside ``path`` that becomes ``path`` when the block ends well.

    It keeps the suffixes, since many writers choose their format by them. On any exception the
    temporary file or folder is removed and ``path`` stays as it was.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    aside = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield aside
        aside.replace(path)
    finally:
        if aside.is_dir():
            shutil.rmtree(aside, ignore_errors=True)
        else:
            aside.unlink(missing_ok=True)


def content_digest(path: Path | str) -> str:
    """SHA-256 of a file's content, uncompressed where it is gzip or BGZF, as 64 hex digits."""
    with Path(path).open("rb") as file:
        return stream_digest(file)


def stream_digest(file: BinaryIO) -> str:
    """The same of an open file, read from its beginning."""
    digest = hashlib.sha256()
    compressed = file.read(2) == GZIP_MAGIC
    file.seek(0)
    with gzip.open(file) if compressed else nullcontext(file) as content:
        while chunk := content.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def tree_digest(paths: Iterable[Path | str]) -> str:
    """SHA-256 over the names and contents of Python and data files below the given paths."""
    digest = hashlib.sha256()
    for top in sorted(map(Path, paths)):
        files = sorted(top.rglob("*")) if top.is_dir() else [top]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                digest.update(f"{top.name}/{file.relative_to(top)}\0".encode())
                digest.update(file.read_bytes())
    return digest.hexdigest()
