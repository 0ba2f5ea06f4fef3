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

from rehearsal.errors import mismatch, shown

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
NO_ARCHIVE = (
    zipfile.BadZipFile,
    NotImplementedError,
    RuntimeError,
    OSError,
    EOFError,
    ValueError,
)
ALGORITHM = "algorithm.yaml"
EPOCH = (1980, 1, 1, 0, 0, 0)  # time of every file in an archive

Array = NDArray[Any]


class Malformed(Exception):  # noqa: N818 - the run ends with it
    """What an algorithm wrote is not as it was declared. It never leaves.

    Args:
        reason: One of a fixed set of words.
        detail: What was declared and found, for the node's operator: names, types, shapes, no
            values.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
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
    described = {name: _read_array_about(name, one) for name, one in values["arrays"].items()}
    for name, one in described.items():
        if one.kind != declared.get(name) and one.kind != "largest":
            found = f"class {shown(one.kind)}"
            expected = f"the class in {ALGORITHM}: {declared.get(name, 'none')}"
            raise Malformed("undeclared_array", mismatch(f"array {shown(name)}", expected, found))
    arrays = read_numbers(archive, largest_mb * MB)
    if set(arrays) != set(described):
        expected, found = (
            ", ".join(shown(one) for one in sorted(names)) for names in (described, arrays)
        )
        raise Malformed(
            "undeclared_array", mismatch("NPZ", f"the arrays of the JSON: {expected}", found)
        )
    for name, one in described.items():
        _compare(name, one, arrays[name])
    additive, is_masked = _flag("additive", values), _flag("masked", {"masked": False} | values)
    return Package(arrays, described, _whole_numbers(values), additive, is_masked)


def _flag(key: str, values: Mapping[str, Any]) -> bool:
    value = values.get(key)
    if not isinstance(value, bool):
        raise _wrong(key, "true or false", value)
    return value


def _wrong(key: str, expected: str, found: object) -> Malformed:
    """Build what says that a key of the JSON is not as it should be."""
    kind = "nothing" if found is None else f"a {type(found).__name__}"
    return Malformed("wrong_description", mismatch(f"JSON, {key}", expected, kind))


def _compare(name: str, about: ArrayAbout, array: Array) -> None:
    """Compare an array with what is said of it. Raises Malformed."""
    if about.kind == "list" and array.dtype == np.float64:  # names are written as whole numbers
        raise Malformed("wrong_type", mismatch(f"array {name}", "whole numbers", "real ones"))
    if about.bound is not None and not _bounds(about.bound, array):
        expected = f"a shape that broadcasts to {array.shape}"
        found = str(about.bound.shape)
        raise Malformed("wrong_description", mismatch(f"bound of {name}", expected, found))


def _bounds(bound: Array, array: Array) -> bool:
    """Tell whether a bound broadcasts to its array."""
    lengths = zip(reversed(bound.shape), reversed(array.shape), strict=False)
    return bound.ndim <= array.ndim and all(one in (1, other) for one, other in lengths)


def _whole_numbers(values: dict[str, Any]) -> dict[str, int]:
    numbers = {key: values[key] for key in WHOLE if key in values}
    for key in ("people", *numbers):
        one = numbers.get(key)
        if type(one) is not int or not 0 <= one < 1 << 31:
            raise _wrong(key, "a whole number from 0 to 2147483647", one)
    return numbers


def _read_about(about: bytes) -> dict[str, Any]:
    if len(about) > LONGEST_JSON:
        raise Malformed("too_large", mismatch("JSON", f"at most {LONGEST_JSON} bytes", "more"))
    try:
        values = json.loads(about)
    except (ValueError, RecursionError):
        raise Malformed("wrong_description", mismatch("JSON", "an object", "no JSON")) from None
    if not isinstance(values, dict):
        raise _wrong("content", "an object", values)
    if not isinstance(values.get("arrays"), dict):
        raise _wrong("arrays", "an object with the class of each array", values.get("arrays"))
    if not 1 <= (number := len(values["arrays"])) <= MOST_ARRAYS:
        expected = f"1 to {MOST_ARRAYS}"
        raise Malformed("too_many_arrays", mismatch("JSON, arrays", expected, str(number)))
    return values


def _read_array_about(name: str, one: Any) -> ArrayAbout:
    where = f"arrays.{shown(name)}"
    if not isinstance(one, dict):
        raise _wrong(where, "an object with class, counts, largest, bound", one)
    counts, largest = one.get("counts") or [], one.get("largest")
    texts = [one.get("class"), *counts] if isinstance(counts, list) else [None]
    if not all(isinstance(text, str) for text in texts) or not isinstance(largest, str | None):
        expected = "texts for class and largest, a list of texts for counts"
        raise _wrong(where, expected, one)
    return ArrayAbout(one["class"], tuple(counts), largest, _read_bound(where, one.get("bound")))


def _read_bound(where: str, value: Any) -> Array | None:
    if value is None:
        return None
    try:
        bound = np.array(value, dtype=np.float64)
    except (TypeError, ValueError):
        raise _wrong(f"{where}.bound", "numbers above 0", value) from None
    if bound.ndim > MOST_DIMENSIONS or not (np.isfinite(bound) & (bound > 0)).all():
        raise _wrong(f"{where}.bound", "numbers above 0", value)
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
                expected = f"at most {MOST_ARRAYS}, each once"
                raise Malformed("too_many_arrays", mismatch("arrays", expected, str(len(names))))
            if (size := sum(one.file_size for one in members)) > most:
                raise _too_large(f"{size} bytes", most)
            arrays, left = {}, most
            for name, one in zip(names, members, strict=True):
                arrays[name] = _read_array(shown(name), _unpack(file, one), left)
                left -= arrays[name].nbytes
            return arrays
    except (*NO_ARCHIVE, zlib.error):
        found = "another file, or a part of one"
        raise Malformed("wrong_archive", mismatch("NPZ", "arrays of numbers", found)) from None


def _too_large(found: str, most: int) -> Malformed:
    expected = f"at most {most} bytes (largest_mb)"
    return Malformed("too_large", mismatch("NPZ", expected, found))


def _unpack(file: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """Unpack as many bytes as a member says that it has. Raises ValueError."""
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError  # others expand without a bound
    with file.open(member) as stream:
        return stream.read(member.file_size)  # without a number, a lying member expands whole


def _read_array(label: str, content: bytes, most: int) -> Array:
    """Read one array of at most so many bytes, as it will be in memory.

    Raises ValueError, or Malformed for numbers that do not leave.
    """
    stream = io.BytesIO(content)
    shape, by_columns, kind = _read_header(stream)
    name = WIDENED.get(kind.name, kind.name)
    if name not in NUMBERS or len(shape) > MOST_DIMENSIONS:
        expected = f"bool, int, float32 or float64 of at most {MOST_DIMENSIONS} dimensions"
        found = f"{kind.name} of {len(shape)}"
        raise Malformed("wrong_type", mismatch(f"array {label}", expected, found))
    # also an array without cells has a bounded shape
    if math.prod(max(1, length) for length in shape) * np.dtype(name).itemsize > most:
        raise _too_large(f"array {label} of shape {shape}", most)
    cells = np.frombuffer(content, kind, math.prod(shape), stream.tell())
    array = np.asarray(
        cells.reshape(shape, order="F" if by_columns else "C"), dtype=NUMBERS[name], order="C"
    )
    if array.dtype == np.float64 and not np.isfinite(array).all():  # NaNs have 51 bits for anything
        expected = "finite numbers"
        raise Malformed("not_finite", mismatch(f"array {label}", expected, "NaN or infinity"))
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
