"""Lists of carriers: what goes in comes out, in the shortest form."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyroaring import BitMap

from rehearsal.stores.carrier_lists import BITS, LONG, SHORT, decode
from rehearsal.stores.carrier_lists_writer import encode


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
    with pytest.raises(ValueError, match="a first byte from 1 to 3, found 9"):
        decode(b"\x09\x00")
