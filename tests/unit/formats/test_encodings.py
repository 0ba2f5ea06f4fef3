"""Lists of carriers and BGZF: what goes in comes out."""

import gzip
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from rehearsal.formats.bgzf import END_OF_FILE, BgzfWriter
from rehearsal.stores.carrier_bitmaps import BITS, LONG, SHORT, decode
from rehearsal.stores.carrier_lists import encode


@pytest.mark.parametrize(
    ("members", "form", "size"),
    [
        ([0], BITS, 2),
        ([8], SHORT, 3),
        ([65_535], SHORT, 3),
        ([65_536], LONG, 5),
        ([0, 70_000], LONG, 9),
        (range(100), BITS, 14),
        (range(0, 80, 8), BITS, 11),
        (range(140_000), BITS, 17_501),
    ],
)
def test_the_shortest_form_is_taken(members, form, size):
    data = encode(np.array(members))
    assert (data[0], len(data)) == (form, size)
    assert decode(data) == BitMap(members)


def test_nobody_is_no_bytes():
    assert encode(np.array([], int)) == b""
    assert decode(b"") == BitMap()


@settings(deadline=None)
@given(st.sets(st.integers(0, 200_000), max_size=300))
def test_scattered_members_survive(members):
    assert decode(encode(np.array(sorted(members), int))) == BitMap(members)


@settings(deadline=None, max_examples=30)
@given(st.integers(1, 200_000), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_members_of_any_density_survive(people, share, seed):
    chosen = np.flatnonzero(np.random.default_rng(seed).random(people) < share)
    assert decode(encode(chosen)) == BitMap(chosen.tolist())


def test_foreign_bytes_are_refused():
    with pytest.raises(ValueError, match="first byte 9"):
        decode(b"\x09\x00")


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 200_000), max_size=4), st.booleans())
def test_bgzf_is_gzip_whatever_the_pieces(tmp_path_factory, sizes, compressible):
    rng = np.random.default_rng(1)
    highest = 2 if compressible else 256
    pieces = [rng.integers(0, highest, size, np.uint8).tobytes() for size in sizes]
    path = tmp_path_factory.mktemp("bgzf") / "x.gz"
    with BgzfWriter(path) as file:
        for piece in pieces:
            file.write(piece)
    assert gzip.decompress(path.read_bytes()) == b"".join(pieces)
    assert path.read_bytes().endswith(END_OF_FILE)


def test_an_interrupted_bgzf_has_no_end_mark(tmp_path):
    path = tmp_path / "x.gz"
    with pytest.raises(RuntimeError, match="stop"), BgzfWriter(path) as file:
        file.write(b"x" * 100_000)
        raise RuntimeError("stop")
    assert not path.read_bytes().endswith(END_OF_FILE)


@pytest.mark.skipif(shutil.which("bgzip") is None, reason="bgzip is not installed")
def test_bgzip_accepts_the_blocks(tmp_path):
    path = tmp_path / "x.gz"
    with BgzfWriter(path) as file:
        file.write(np.random.default_rng(1).integers(0, 256, 300_000, np.uint8))
    subprocess.run(["bgzip", "--test", str(path)], check=True)
