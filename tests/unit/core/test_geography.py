"""Distances on the globe agree with what can be worked out by hand."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehearsal.geography import EARTH_RADIUS_KM, great_circle_km, great_circle_matrix_km


def test_great_circle_of_a_quarter_meridian():
    distance = great_circle_matrix_km(np.array([0.0, 90.0]), np.array([0.0, 40.0]))
    assert distance == pytest.approx(np.array([[0, 10007.5], [10007.5, 0]]), abs=0.1)


@given(*[st.floats(-89, 89), st.floats(-180, 180)] * 2)
def test_a_pair_is_as_far_apart_as_in_the_matrix(latitude_1, longitude_1, latitude_2, longitude_2):
    matrix = great_circle_matrix_km(
        np.array([latitude_1, latitude_2]), np.array([longitude_1, longitude_2])
    )
    one = great_circle_km(latitude_1, longitude_1, latitude_2, longitude_2)
    assert one == pytest.approx(matrix[0, 1], abs=1e-3)  # near the antipode rounding counts most


def test_antipodes_are_half_a_circumference_apart():
    assert great_circle_km(35.0, 20.0, -35.0, -160.0) == pytest.approx(math.pi * EARTH_RADIUS_KM)
