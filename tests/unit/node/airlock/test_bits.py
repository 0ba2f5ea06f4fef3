"""What a result can say is bounded: its cells, its shapes, and which arrays are there."""

import numpy as np
import pytest

from rehearsal.node.airlock.bits import ARRAY_BITS, FLAG_BITS, NUMBER_BITS, bits_of_result


def bits(numbers=1, declared=4, **arrays):
    """Bits beyond those of a result without an array."""
    empty = FLAG_BITS + NUMBER_BITS * numbers + ARRAY_BITS * declared
    return bits_of_result(arrays, declared, numbers, 10, 48) - empty


def of_axis(length):
    return 2 * np.log2(length + 1) + 1


def test_the_bound_counts_every_cell():
    assert bits(cases=np.array([0, 10, 20])) == pytest.approx(3 * np.log2(21) + of_axis(3))
    assert bits(codes=np.array([-1])) == pytest.approx(64 + of_axis(1))
    assert bits(bytes=np.zeros(4, np.uint8)) == pytest.approx(4 * 8 + of_axis(4))
    assert bits(total=np.zeros((2, 3))) == pytest.approx(6 * 60 + of_axis(2) + of_axis(3))
    assert bits(people=np.array(7)) == pytest.approx(np.log2(21))  # one number has no shape


@pytest.mark.parametrize("length", [0, 1, 2, 3, 7, 8, 1000, 12345])
def test_a_length_has_at_least_the_bits_of_its_gamma_code(length):
    zeros = np.zeros((length, 0))
    gamma = 2 * int(np.floor(np.log2(length + 1))) + 1
    assert bits(total=zeros) - of_axis(0) >= gamma


def test_shapes_that_differ_cannot_say_more_than_is_charged():
    """Kraft's inequality: the lengths of all axes are a code, whatever they are."""
    charged = [2.0 ** -bits(total=np.zeros((0, n))) for n in range(2000)]
    assert sum(charged) < 1
