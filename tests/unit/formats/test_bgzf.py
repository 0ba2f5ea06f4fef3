"""BGZF: what goes in comes out."""

import gzip
import shutil
import subprocess

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.formats.bgzf import END_OF_FILE, BgzfWriter


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
