"""Gzip files without a name or a time stamp, so that equal content gives equal bytes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from isal import igzip


@contextmanager
def open_gzip(path: Path | str) -> Iterator[igzip.IGzipFile]:
    """Open a new gzip file to write bytes into. It is finished when the ``with`` block ends.

    Args:
        path: The file to write.

    Yields:
        The open file.
    """
    with (
        Path(path).open("wb") as raw,
        igzip.IGzipFile(filename="", mode="wb", fileobj=raw, mtime=0) as stream,
    ):
        yield stream
