"""Reads what an algorithm wrote, and writes it anew: nothing but declared numbers is left of it.

An algorithm writes NAME.npz (arrays) and NAME.json (what they are). Both are read without trust.
What leaves is written here: names in order, no comments, times, padding or second ways to write the
same number (whole numbers have the smallest type that holds them). So it carries what the numbers
say and no more.
"""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

MB = 1 << 20
MOST_ARRAYS = 2000
LONGEST_JSON = 1 << 20  # bytes
MOST_DIMENSIONS = 4
BLOCK = 1 << 20  # numbers that are rounded at a time
NUMBERS = {"int64": np.int64, "uint8": np.uint8, "float64": np.float64}  # dtypes of a package
WIDENED = {
    "bool": "uint8",
    **dict.fromkeys(("int8", "int16", "int32", "uint16", "uint32"), "int64"),
    "float32": "float64",
}
NARROW = (np.uint8, np.uint16, np.uint32)  # dtypes of whole numbers that leave, else int64
WHOLE = ("round", "step", "people", "suppressed")
EPOCH = (1980, 1, 1, 0, 0, 0)  # time of every file in an archive

Array = NDArray[Any]


class Malformed(Exception):  # noqa: N818 - the run ends with it
    """What an algorithm wrote is not as it was declared. It never leaves.

    Args:
        reason: One of a fixed set of words.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class ArrayAbout:
    """What an algorithm says of one array."""

    kind: str  # disclosure class
    counts: tuple[str, ...]  # arrays with the people behind each entry of the first axis
    largest: str | None  # the array of the largest share of a person in each cell, which stays
    bound: Array | None = None  # of absolute values, at any node; broadcasts to the array


@dataclass(frozen=True)
class Package:
    """The arrays of one round or output.

    Attributes:
        arrays: By name, of a dtype of :data:`NUMBERS`.
        about: What they are, by name.
        numbers: Whole numbers about all: ``people`` used, cells that are ``suppressed``, and which
            ``round`` and ``step`` it is.
        additive: Whether nodes add their arrays.
        is_masked: Whether they leave under masks only, which go away in the sum over all nodes.
    """

    arrays: dict[str, Array]
    about: dict[str, ArrayAbout]
    numbers: dict[str, int]
    additive: bool
    is_masked: bool

    def leaving(self) -> dict[str, Array]:
        """The arrays that may leave: without those that are for the airlock only."""
        return {
            name: one for name, one in self.arrays.items() if self.about[name].kind != "largest"
        }


def read_package(
    archive: bytes, about: bytes, declared: Mapping[str, str], largest_mb: int
) -> Package:
    """Read what an algorithm wrote.

    Args:
        archive: An NPZ file.
        about: Its JSON.
        declared: The disclosure class of each array that the algorithm may let out, by name.
        largest_mb: Largest size of all arrays together, MB.

    Returns:
        The arrays and what they are.

    Raises:
        Malformed: It is not such a pair of files, or not as it was declared.
    """
    values = _read_about(about)
    described = {name: _read_array_about(one) for name, one in values["arrays"].items()}
    for name, one in described.items():
        if one.kind != declared.get(name) and one.kind != "largest":
            raise Malformed("undeclared_array")
    arrays = read_numbers(archive, largest_mb * MB)
    if set(arrays) != set(described):
        raise Malformed("undeclared_array")
    for name, one in described.items():
        _compare(one, arrays[name])
    additive, is_masked = values.get("additive"), values.get("masked", False)
    if type(additive) is not bool or type(is_masked) is not bool:
        raise Malformed("wrong_description")
    return Package(arrays, described, _whole_numbers(values), additive, is_masked)


def _compare(about: ArrayAbout, array: Array) -> None:
    """Compare an array with what is said of it. Raises Malformed."""
    if about.kind == "list" and array.dtype == np.float64:
        raise Malformed("wrong_type")  # names are written as whole numbers
    if not _bounds(about.bound, array):
        raise Malformed("wrong_description")


def _bounds(bound: Array | None, array: Array) -> bool:
    """Tell whether a bound broadcasts to its array."""
    if bound is None:
        return True
    lengths = zip(reversed(bound.shape), reversed(array.shape), strict=False)
    return bound.ndim <= array.ndim and all(one in (1, other) for one, other in lengths)


def _whole_numbers(values: dict[str, Any]) -> dict[str, int]:
    numbers = {key: values[key] for key in WHOLE if key in values}
    if any(type(one) is not int or not 0 <= one < 1 << 31 for one in numbers.values()):
        raise Malformed("wrong_description")
    if "people" not in numbers:
        raise Malformed("wrong_description")
    return numbers


def _read_about(about: bytes) -> dict[str, Any]:
    if len(about) > LONGEST_JSON:
        raise Malformed("too_large")
    try:
        values = json.loads(about)
    except (ValueError, RecursionError):
        raise Malformed("wrong_description") from None
    if not isinstance(values, dict) or not isinstance(values.get("arrays"), dict):
        raise Malformed("wrong_description")
    if not 1 <= len(values["arrays"]) <= MOST_ARRAYS:
        raise Malformed("too_many_arrays")
    return values


def _read_array_about(one: Any) -> ArrayAbout:
    if not isinstance(one, dict):
        raise Malformed("wrong_description")
    counts, largest = one.get("counts") or [], one.get("largest")
    texts = [one.get("class"), *counts] if isinstance(counts, list) else [None]
    if not all(isinstance(text, str) for text in texts) or not isinstance(largest, str | None):
        raise Malformed("wrong_description")
    return ArrayAbout(one["class"], tuple(counts), largest, _read_bound(one.get("bound")))


def _read_bound(value: Any) -> Array | None:
    if value is None:
        return None
    try:
        bound = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise Malformed("wrong_description") from None
    if bound.ndim > MOST_DIMENSIONS or not (np.isfinite(bound) & (bound > 0)).all():
        raise Malformed("wrong_description")
    return bound


def read_numbers(archive: bytes, most: int) -> dict[str, Array]:
    """Read an NPZ file from somebody who is not trusted.

    Args:
        archive: The file.
        most: Most bytes of all arrays together, in the file and in memory.

    Returns:
        Arrays of finite numbers by name, of a dtype of :data:`NUMBERS`.

    Raises:
        Malformed: It is no such file, or too large.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(archive)) as file:
            members = file.infolist()
            names = [one.filename.removesuffix(".npy") for one in members]
            if len(set(names)) != len(names) or len(names) > MOST_ARRAYS:
                raise Malformed("too_many_arrays")
            if sum(one.file_size for one in members) > most:
                raise Malformed("too_large")
            arrays, left = {}, most
            for name, one in zip(names, members, strict=True):
                arrays[name] = _read_array(_unpack(file, one), left)
                left -= arrays[name].nbytes
            return arrays
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError):
        raise Malformed("wrong_archive") from None
    except zlib.error:
        raise Malformed("wrong_archive") from None


def _unpack(file: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Unpack as many bytes as a member says that it has. Raises ValueError."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError  # others expand without a bound
    with file.open(member) as stream:
        return stream.read(member.file_size)  # without a number, a lying member expands whole


def _read_array(content: bytes, most: int) -> Array:
    """Read one array of at most so many bytes, as it will be in memory.

    Raises ValueError, or Malformed for numbers that do not leave.
    """
    stream = io.BytesIO(content)
    shape, by_columns, kind = _read_header(stream)
    name = WIDENED.get(kind.name, kind.name)
    if name not in NUMBERS or len(shape) > MOST_DIMENSIONS:
        raise Malformed("wrong_type")
    # also an array without cells has a bounded shape
    if math.prod(max(1, length) for length in shape) * np.dtype(name).itemsize > most:
        raise Malformed("too_large")
    cells = np.frombuffer(content, kind, math.prod(shape), stream.tell())
    array = np.asarray(
        cells.reshape(shape, order="F" if by_columns else "C"), dtype=NUMBERS[name], order="C"
    )
    if array.dtype == np.float64 and not np.isfinite(array).all():  # NaNs have 51 bits for anything
        raise Malformed("not_finite")
    return array


def _read_header(stream: io.BytesIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Read shape, whether cells are in order of columns, and type. Raises ValueError."""
    if np.lib.format.read_magic(stream) != (1, 0):
        raise ValueError
    shape, by_columns, kind = np.lib.format.read_array_header_1_0(stream)
    if kind.hasobject or any(length < 0 for length in shape):
        raise ValueError
    return shape, by_columns, kind


def rounded(array: Array, significant_bits: int) -> Array:
    """Round real numbers, so that their last bits say nothing.

    Args:
        array: Finite numbers of any shape.
        significant_bits: Bits of each number that are kept, 1 to 53.

    Returns:
        Whole numbers as they are; real ones to the nearest with so many bits, 0 without a sign.
    """
    if array.dtype != np.float64:
        return array
    back = np.empty(array.shape)
    cells, numbers = back.reshape(-1), array.reshape(-1)
    for first in range(0, array.size, BLOCK):  # so that what is between takes little memory
        part = slice(first, first + BLOCK)
        cells[part] = _rounded(numbers[part], float(1 << significant_bits))
    return back


def _rounded(numbers: Array, scale: float) -> Array:
    share, exponent = np.frexp(numbers)
    with np.errstate(over="ignore", under="ignore"):
        back = np.ldexp(np.rint(share * scale) / scale, exponent)
    return np.where(np.isfinite(back), back, numbers) + 0.0


def write_archive(arrays: Mapping[str, Array]) -> bytes:
    """Write arrays as an NPZ file. Equal arrays give equal bytes.

    Args:
        arrays: By name.

    Returns:
        The file.
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as file:
        for name in sorted(arrays):
            content = io.BytesIO()
            in_order = np.asarray(_narrowed(arrays[name]), order="C")
            np.lib.format.write_array(content, in_order, version=(1, 0))
            file.writestr(zipfile.ZipInfo(f"{name}.npy", EPOCH), content.getvalue())
    return buffer.getvalue()


def _narrowed(array: Array) -> Array:
    """Give whole numbers the smallest type of :data:`NARROW` that holds all of them."""
    if array.dtype != np.int64 or array.size == 0 or array.min() < 0:
        return array
    largest = int(array.max())
    fitting = (kind for kind in NARROW if largest <= np.iinfo(kind).max)
    return array.astype(next(fitting, np.int64))
