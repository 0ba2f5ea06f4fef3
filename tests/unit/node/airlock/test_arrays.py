"""What an algorithm wrote is read without trust, and written anew."""

import io
import json
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest

from rehearsal.node.airlock.arrays import (
    Malformed,
    read_numbers,
    read_package,
    rounded,
    write_archive,
)

DECLARED = {"cases": "count", "total": "sum", "names": "list"}
ABOUT = {
    "people": 10,
    "additive": True,
    "arrays": {"cases": {"class": "count"}, "total": {"class": "sum", "counts": ["cases"]}},
}


def archive(compression=zipfile.ZIP_STORED, **arrays):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, one in arrays.items():
            content = io.BytesIO()
            np.lib.format.write_array(content, np.asarray(one))
            file.writestr(f"{name}.npy", content.getvalue())
    return buffer.getvalue()


def read(about=ABOUT, declared=DECLARED, largest_mb=1, **arrays):
    arrays = arrays or {"cases": [5, 6], "total": [1.5, 2.5]}
    return read_package(archive(**arrays), json.dumps(about).encode(), declared, largest_mb)


def bounded(bound):
    return {"arrays": {**ABOUT["arrays"], "total": {"class": "sum", "bound": bound}}}


def test_numbers_are_read_as_they_were_declared():
    package = read()
    assert package.arrays["cases"].dtype == np.int64
    assert package.arrays["total"].tolist() == [1.5, 2.5]
    assert package.about["total"].counts == ("cases",)
    assert package.numbers == {"people": 10} and package.additive
    assert package.about["total"].bound is None
    assert read(ABOUT | bounded([4.0, 1e6])).about["total"].bound.tolist() == [4.0, 1e6]


def test_equal_numbers_give_equal_bytes_however_they_were_written():
    one = read_package(
        archive(cases=[1, 2], total=np.asfortranarray([[1.0, 2.0], [3.0, 4.0]])),
        json.dumps(ABOUT).encode(),
        DECLARED,
        1,
    )
    noisy = io.BytesIO(
        archive(
            zipfile.ZIP_DEFLATED,
            total=np.array([[1.0, 2.0], [3.0, 4.0]]),
            cases=np.array([1, 2], dtype=">i4"),
        )
    )
    with zipfile.ZipFile(noisy, "a") as file:
        file.comment = b"a message"
    padded = b"a message before " + noisy.getvalue()
    about = {**ABOUT, "message": "ignored", "arrays": dict(reversed(ABOUT["arrays"].items()))}
    other = read_package(padded, json.dumps(about, indent=7).encode(), DECLARED, 1)
    assert write_archive(one.leaving()) == write_archive(other.leaving())
    assert b"message" not in write_archive(other.leaving())


def test_what_is_written_is_read_by_numpy():
    package = read(cases=7, total=[[1.5, 2.5]])
    with np.load(io.BytesIO(write_archive(package.leaving()))) as file:
        found = {name: file[name].tolist() for name in file.files}
    assert found == {"cases": 7, "total": [[1.5, 2.5]]}


@pytest.mark.parametrize(
    ("numbers", "kind"),
    [
        ([0, 255], "uint8"),
        ([0, 256], "uint16"),
        ([65_535, 65_536], "uint32"),
        ([0, 1 << 32], "int64"),
        ([-1, 5], "int64"),
        ([], "int64"),
        ([0.5], "float64"),
    ],
)
def test_whole_numbers_leave_in_the_smallest_type_that_holds_them(numbers, kind):
    array = np.array(numbers, float if kind == "float64" else np.int64)
    written = write_archive({"one": array})
    with np.load(io.BytesIO(written)) as file:
        assert file["one"].dtype == kind
        assert file["one"].tolist() == numbers
    (back,) = read_numbers(written, 1000).values()
    assert back.tolist() == numbers


@pytest.mark.parametrize(
    ("about", "arrays", "reason"),
    [
        ({"arrays": {"other": {"class": "count"}}}, {"other": [1]}, "undeclared_array"),
        ({"arrays": {"cases": {"class": "sum"}}}, {"cases": [1]}, "undeclared_array"),
        ({}, {"cases": [1], "total": [1.0], "third": [1]}, "undeclared_array"),
        ({}, {"cases": [1], "total": [np.nan]}, "not_finite"),
        ({}, {"cases": [1], "total": [np.inf]}, "not_finite"),
        ({}, {"cases": ["text"], "total": [1.0]}, "wrong_type"),
        ({}, {"cases": [1j], "total": [1.0]}, "wrong_type"),
        ({}, {"cases": np.zeros((1,) * 5, int), "total": [1.0]}, "wrong_type"),
        ({}, {"cases": [1], "total": np.zeros(200_000)}, "too_large"),
        (
            {"arrays": {"names": {"class": "list"}}},
            {"names": [61.5]},
            "wrong_type",
        ),
        ({"people": "ten"}, {}, "wrong_description"),
        ({"people": 10.5}, {}, "wrong_description"),
        ({"additive": "yes"}, {}, "wrong_description"),
        (bounded("many"), {}, "wrong_description"),
        (bounded(0.0), {}, "wrong_description"),
        (bounded([1.0, 2.0, 3.0]), {}, "wrong_description"),  # there are two sums
        (bounded(float("inf")), {}, "wrong_description"),
        ({"arrays": {}}, {}, "too_many_arrays"),
        ({"arrays": {"cases": {"class": "count", "counts": "cases"}}}, {}, "wrong_description"),
    ],
)
def test_anything_else_never_leaves(about, arrays, reason):
    with pytest.raises(Malformed, match=f"^{reason}(: .+: expected .+, found .+)?$"):
        read({**ABOUT, **about}, **arrays)


def test_objects_are_not_unpickled():
    buffer = io.BytesIO()
    np.savez(buffer, cases=np.array([{"a": 1}], dtype=object))
    with pytest.raises(Malformed, match="wrong_archive"):
        read_numbers(buffer.getvalue(), 1000)


def test_a_bomb_of_zeros_is_not_unpacked():
    bomb = archive(zipfile.ZIP_DEFLATED, cases=np.zeros(10_000_000))
    assert len(bomb) < 200_000
    with pytest.raises(Malformed, match="too_large"):
        read_numbers(bomb, 1 << 20)


def test_small_numbers_that_would_be_large_in_memory_are_not_widened():
    bomb = archive(zipfile.ZIP_DEFLATED, cases=np.zeros(1 << 20, np.int8))
    assert read_numbers(bomb, 8 << 20)["cases"].nbytes == 8 << 20
    with pytest.raises(Malformed, match="too_large"):
        read_numbers(bomb, (8 << 20) - 1)
    with pytest.raises(Malformed, match="too_large"):  # each of them would fit
        read_numbers(archive(a=np.zeros(100, np.int8), b=np.zeros(100, np.int8)), 1500)


def test_a_member_that_lies_about_its_size_is_not_expanded():
    honest = archive(zipfile.ZIP_DEFLATED, cases=np.zeros(8 << 20, np.uint8))
    lie = honest.replace(struct.pack("<I", (8 << 20) + 128), struct.pack("<I", 1000))
    assert lie != honest
    tracemalloc.start()
    with pytest.raises(Malformed, match="wrong_archive"):
        read_numbers(lie, 1 << 20)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1 << 20


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_methods_that_expand_without_a_bound_are_refused(method):
    with pytest.raises(Malformed, match="wrong_archive"):
        read_numbers(archive(method, cases=[1]), 1 << 20)


@pytest.mark.parametrize(
    "shape", [(0x3D371E1D261C06, 0), (0, 1 << 40), (1 << 20, 0, 1 << 20), (0, 200_000)]
)
def test_an_empty_array_has_a_bounded_shape(shape):
    with pytest.raises(Malformed, match="too_large"):
        read_numbers(archive(total=np.empty(shape)), 1 << 20)
    assert read_numbers(archive(total=np.empty((0, 55))), 1 << 20)["total"].shape == (0, 55)


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04", b"{}", archive(cases=[1])[:-30]])
def test_other_files_are_no_archives(content):
    with pytest.raises(Malformed, match="wrong_archive"):
        read_numbers(content, 1 << 20)


def test_last_bits_of_numbers_are_dropped():
    random = np.random.default_rng(1)
    true = random.normal(size=1000) * 10.0 ** random.integers(-300, 300, 1000)
    bits = true.view(np.int64)
    hidden = ((bits >> 5 << 5) | random.integers(0, 16, 1000)).view(np.float64)
    base = (bits >> 5 << 5).view(np.float64)
    assert (hidden != base).any()
    assert rounded(hidden, 48).tolist() == rounded(base, 48).tolist()
    assert np.abs(rounded(true, 48) / true - 1).max() < 2**-48


def test_zero_has_no_sign_and_whole_numbers_stay():
    assert not np.signbit(rounded(np.array([-0.0]), 48))[0]
    assert rounded(np.array([1 << 60]), 10).tolist() == [1 << 60]
    assert rounded(np.array([np.finfo(float).max]), 10)[0] < np.inf
