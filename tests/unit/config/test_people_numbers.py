"""How many people each country gets."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from rehearsal.config.people_numbers import share_by_census
from rehearsal.model import Country


def country(code, census):
    return Country(code, code, 50, 10, census, code, 50, 10, "no")


@given(
    census=st.lists(st.floats(0.1, 90), min_size=1, max_size=30),
    floor=st.integers(1, 50),
    extra=st.integers(0, 100_000),
)
def test_shares_by_census_add_up_and_respect_the_floor(census, floor, extra):
    countries = [country(f"C{i}", millions) for i, millions in enumerate(census)]
    total = floor * len(countries) + extra
    numbers = share_by_census(countries, total, floor)
    assert sum(numbers.values()) == total
    assert min(numbers.values()) >= floor
    ordered = sorted(countries, key=lambda c: c.census_millions)
    assert all(numbers[a.code] <= numbers[b.code] + 1 for a, b in pairwise(ordered))
