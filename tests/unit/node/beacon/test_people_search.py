"""Texts are matched with patterns; sets of people are intersected."""

import re

from hypothesis import given
from hypothesis import strategies as st
from pyroaring import BitMap

from rehearsal.node.beacon.filters import is_like
from rehearsal.node.beacon.people_search import intersection


@given(st.text("ab%", max_size=8), st.text("ab", max_size=8))
def test_percent_matches_any_text(pattern, value):
    as_regex = ".*".join(map(re.escape, pattern.split("%")))
    assert is_like(value, pattern) == bool(re.fullmatch(as_regex, value))


def test_intersections_distinguish_nobody_from_everybody():
    some, others = BitMap([1, 2, 3]), BitMap([3, 4])
    assert intersection() is None
    assert intersection(None, None) is None
    assert intersection(None, some) == some
    assert intersection(some, None, others) == BitMap([3])
    assert intersection(some, BitMap()) == BitMap()
