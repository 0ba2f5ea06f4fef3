import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.demography.procrustes import (
    fit_layout,
    procrustes_correlation,
    procrustes_residuals,
)


@settings(deadline=None)  # other work on the machine is no failure
@given(
    st.floats(0.1, 10),
    st.floats(0, 6.3),
    st.booleans(),
    st.tuples(st.floats(-5, 5), st.floats(-5, 5)),
)
def test_procrustes_ignores_shift_scale_rotation_and_reflection(scale, angle, mirror, shift):
    points = np.random.default_rng(2).normal(size=(7, 2))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    if mirror:
        turn = turn @ np.diag([1, -1])
    moved = scale * points @ turn + shift
    assert procrustes_correlation(points, moved) == pytest.approx(1)
    assert np.abs(procrustes_residuals(points, moved)).max() < 1e-9


def test_procrustes_residuals_are_what_the_correlation_lacks():
    one, other = np.random.default_rng(3).normal(size=(2, 8, 2))
    left = (procrustes_residuals(one, other) ** 2).sum()
    assert left == pytest.approx(1 - procrustes_correlation(one, other) ** 2)


@settings(deadline=None)  # other work on the machine is no failure
@given(
    st.floats(-3, 3),
    st.floats(0.1, 5),
    st.booleans(),
    st.tuples(st.floats(-9, 9), st.floats(-9, 9)),
)
def test_a_turned_layout_is_laid_over_its_target(angle, factor, mirrored, shift):
    target = np.array([[0.0, 0.0], [4.0, 0.0], [1.0, 3.0], [2.0, 2.0]])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    layout = factor * (target * [-1 if mirrored else 1, 1]) @ turn + shift
    assert fit_layout(layout, target, layout) == pytest.approx(target, abs=1e-6)
