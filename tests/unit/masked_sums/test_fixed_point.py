"""Arrays survive the way through 64-bit words, and their totals too, whatever their bound is."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.masked_sums.fixed_point import SumLayout, fraction_bits

BITS = {"counts": np.array(0), "products": np.array(20)}
LAYOUT = SumLayout({"counts": (3,), "products": (2, 2)}, BITS, 8)


def sums(counts, products):
    return {"counts": np.array(counts), "products": np.array(products, float).reshape(2, 2)}


def test_counts_are_exact_and_values_are_rounded_to_the_last_bit():
    given_sums = sums([0, 7, 2**40], [1.5, -2.25, 1e-9, 1e6])
    read = LAYOUT.unpack(LAYOUT.pack(given_sums))
    assert read["counts"].tolist() == [0, 7, 2**40]
    assert np.abs(read["products"] - given_sums["products"]).max() <= 2**-21


ROWS = st.lists(st.integers(-(2**39), 2**39), min_size=7, max_size=7)


@given(st.lists(ROWS, min_size=1, max_size=8))
def test_the_sum_of_vectors_is_the_vector_of_the_sum(numbers):
    parts = [sums(row[:3], row[3:]) for row in numbers]
    total = np.sum([LAYOUT.pack(part) for part in parts], axis=0, dtype=np.uint64)
    read = LAYOUT.unpack(total)
    assert read["counts"].tolist() == [sum(row[i] for row in numbers) for i in range(3)]
    expected = [sum(row[i] for row in numbers) for i in range(3, 7)]
    assert read["products"].ravel().tolist() == expected


@given(
    st.floats(1e-12, 1e24),
    st.integers(3, 60),
    st.sampled_from(["all at the bound", "all below 0", "drawn"]),
    st.integers(0, 1000),
)
def test_no_total_below_its_bound_overflows_and_no_bits_are_wasted(bound, nodes, kind, seed):
    """Of 63 bits, one is to spare, and one is lost because bounds are rounded to powers of two."""
    random = np.random.default_rng(seed).uniform(-bound, bound, nodes)
    values = {"all at the bound": [bound] * nodes, "all below 0": [-bound] * nodes, "drawn": random}
    layout = SumLayout({"x": ()}, {"x": fraction_bits(np.array(bound), nodes)}, nodes)
    words = np.sum([layout.pack({"x": np.array(one)}) for one in values[kind]], axis=0)
    total, expected = float(layout.unpack(words)["x"]), math.fsum(values[kind])
    off = nodes * 2**-61 + 2**-52  # of fixed point, and of 64-bit numbers
    assert total == pytest.approx(expected, abs=nodes * bound * off)
    if kind != "drawn":
        assert np.abs(words.view(np.int64)).item() > 2**60


@given(st.floats(1e-12, 1e24), st.integers(3, 60), st.floats(2.0, 1e6))
def test_what_could_overflow_is_refused_by_the_node_itself(bound, nodes, times):
    layout = SumLayout({"x": ()}, {"x": fraction_bits(np.array(bound), nodes)}, nodes)
    with pytest.raises(ValueError, match=f"x: expected finite numbers .* as {nodes} are added"):
        layout.pack({"x": np.array(bound * times * 1.01)})


def test_columns_of_one_array_have_their_own_bits():
    """Beside a column of 1e12, one of 1e-6 keeps its digits."""
    bits = fraction_bits(np.array([1e12, 1e-6]), 3)
    layout = SumLayout({"x": (2, 2)}, {"x": bits}, 3)
    values = np.array([[9e11, 9e-7], [1.5, -3.25e-13]])
    read = layout.unpack(layout.pack({"x": values}))["x"]
    assert np.abs(read - values).max(axis=0) == pytest.approx([0, 0], abs=1e-5)
    assert abs(read[1, 1] / values[1, 1] - 1) < 1e-9


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"counts": np.zeros(3)}, "expected the arrays counts, products, found counts"),
        (sums([0, 1], [0] * 4), r"counts: shape: expected \(3,\), found \(2,\)"),
        (sums([0, 1, 2], [0, 0, 0, np.nan]), r"products: expected finite numbers of at most"),
        (sums([0, 1, 2], [0, 0, 0, -1e13]), r"of at most 5.5e\+11, as 8 are added, found others"),
    ],
)
def test_sums_off_the_layout_are_refused_in_one_line(wrong, message):
    with pytest.raises(ValueError, match=message):
        LAYOUT.pack(wrong)


def test_a_vector_of_another_length_is_refused():
    with pytest.raises(ValueError, match="expected 7 words"):
        LAYOUT.unpack(np.zeros(6, np.uint64))
