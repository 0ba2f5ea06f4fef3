"""Files that are whole or not there, and digests of what they hold."""

from __future__ import annotations

import gzip
import hashlib
import math
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import orjson

if TYPE_CHECKING:
    from pandas import DataFrame

CHUNK = 1 << 20
GZIP_MAGIC = b"\x1f\x8b"


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
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


def write_text(path: Path | str, text: str) -> None:
    """Write text, UTF-8, as a whole file or not at all."""
    with atomic_path(path) as aside:
        aside.write_text(text, encoding="utf-8")


def write_json(
    path: Path | str, value: object, *, indented: bool = True, newline: bool = True
) -> None:
    """Write JSON, UTF-8, as a whole file or not at all; NumPy's numbers are numbers.

    Raises ValueError for NaN and infinity, which JSON does not have, TypeError for what is no data.
    """
    refuse_nan(value)
    option = orjson.OPT_SERIALIZE_NUMPY
    option |= orjson.OPT_INDENT_2 if indented else 0
    option |= orjson.OPT_APPEND_NEWLINE if newline else 0
    with atomic_path(path) as aside:
        aside.write_bytes(orjson.dumps(value, option=option))


def refuse_nan(value: object, place: str = "$") -> None:
    """Raise ValueError when a number in plain data is NaN or infinite; the error says where."""
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError(f"{place}: expected a number that JSON has, found {value}")
    if isinstance(value, dict):
        for key, member in value.items():
            refuse_nan(member, f"{place}.{key}")
    elif isinstance(value, list | tuple):
        for index, member in enumerate(value):
            refuse_nan(member, f"{place}[{index}]")


def read_json(path: Path | str) -> Any:
    """The content of a JSON file. Raises OSError, or ValueError for what is no JSON."""
    return orjson.loads(Path(path).read_bytes())


def write_parquet(path: Path | str, table: DataFrame) -> None:
    """Write a table as a whole Parquet file or not at all."""
    with atomic_path(path) as aside:
        table.to_parquet(aside)


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
