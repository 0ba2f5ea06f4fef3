"""Arrays in files: what a node says in a round, and what the network answers.

An array file is an NPZ without Python objects. A file appears under its name when it is complete.
It is not compressed: DEFLATE would take more CPU than the sums.
"""

from __future__ import annotations

import io
import json
import time
import zipfile
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from rehearsal.analyses.protocol import AnalysisError, Arrays
from rehearsal.errors import cause
from rehearsal.files import atomic_path

LARGEST = 4 << 30  # bytes of the arrays of a file
FIRST_WAIT, LONGEST_WAIT = 0.01, 0.05  # seconds between looks for a file


def pack_arrays(arrays: Mapping[str, np.ndarray[Any, Any]]) -> bytes:
    """Write arrays of numbers as the content of an NPZ file, the same bytes for the same arrays.

    Args:
        arrays: The arrays by name.
    """
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy")  # of a fixed date
            with archive.open(entry, "w", force_zip64=True) as file:
                np.lib.format.write_array(file, np.asarray(array), allow_pickle=False)
    return content.getvalue()


def unpack_arrays(content: bytes, place: object, largest: int = LARGEST) -> Arrays:
    """Read arrays of numbers from the content of an NPZ file.

    Args:
        content: The content.
        place: Where it comes from, for errors.
        largest: The most bytes that all arrays may have together.

    Raises:
        AnalysisError: The content is of another format, or has larger arrays or other numbers.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            size = sum(entry.file_size for entry in archive.infolist())
            if size > largest:
                expected = f"arrays of at most {largest:,} bytes"
                raise AnalysisError("bad_state", place, "content", expected, f"{size:,}")
            return {
                entry.filename.removesuffix(".npy"): _read_array(archive, entry)
                for entry in archive.infolist()
            }
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, NotImplementedError) as error:
        if isinstance(error, AnalysisError):
            raise
        expected = "arrays of finite numbers"
        raise AnalysisError("bad_state", place, "content", expected, "others") from error


def _read_array(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> np.ndarray[Any, Any]:
    """Read one array whose header tells no more than what is there."""
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError
    with archive.open(entry) as file:
        version = np.lib.format.read_magic(file)
        if version != (1, 0):
            raise ValueError
        shape, by_columns, kind = np.lib.format.read_array_header_1_0(file)
        if kind.kind not in "biuf" or prod(shape) * kind.itemsize > entry.file_size:
            raise ValueError
        # without a number, an entry that lies about its size would expand whole
        numbers = np.frombuffer(file.read(prod(shape) * kind.itemsize), kind)
        if kind.kind == "f" and not np.isfinite(numbers).all():
            raise ValueError
    return numbers.reshape(shape, order="F" if by_columns else "C")


def write_arrays(path: Path | str, arrays: Mapping[str, np.ndarray[Any, Any]]) -> None:
    """Write arrays of numbers to an NPZ file.

    Args:
        path: The file.
        arrays: The arrays by name.
    """
    with atomic_path(path) as aside:
        aside.write_bytes(pack_arrays(arrays))


def read_arrays(path: Path | str) -> Arrays:
    """Read arrays of numbers from an NPZ file.

    Args:
        path: The file.

    Raises:
        AnalysisError: The file is not one.
    """
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        expected = "arrays of numbers"
        raise AnalysisError("bad_state", path, "content", expected, cause(error)) from error
    return unpack_arrays(content, path)


def write_header(path: Path | str, header: Mapping[str, Any]) -> None:
    """Write the description of arrays as JSON.

    Args:
        path: The file.
        header: ``people`` (how many), ``additive``, ``arrays`` (of each its ``class``, and where it
            has them ``counts``, ``largest`` and ``bound``); with masks ``masked``; perhaps
            ``round``, ``step`` and ``suppressed``. Write it after the arrays: it completes them.
    """
    with atomic_path(path) as aside:
        aside.write_text(json.dumps(header, indent=1) + "\n")


def wait_for(path: Path, deadline: float) -> None:
    """Wait until a file is there, looking for it twenty times a second or more.

    Args:
        path: The file.
        deadline: The time to end, of ``time.monotonic``.

    Raises:
        AnalysisError: It did not come in time.
    """
    pause = FIRST_WAIT
    while not path.exists():
        if time.monotonic() > deadline:
            raise AnalysisError("deadline", path, "file", "the state of the next round", "nothing")
        time.sleep(pause)
        pause = min(2 * pause, LONGEST_WAIT)
