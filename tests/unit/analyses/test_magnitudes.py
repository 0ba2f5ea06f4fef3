"""Sums under masks have bounds that all nodes know, and none exceeds them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehearsal.analyses.magnitudes import (
    EXPONENTS,
    PEOPLE,
    SQUARES,
    kept_bounds,
    say_magnitudes,
    variables_of,
)
from rehearsal.analyses.rounds import NetworkRun, NodeRun
from rehearsal.analyses.view import View

from .cohort import simulate, write_view

BOTH = {"outcome": "height", "covariates": ["sex", "age", "components"]}


def view_of(folder, **columns):
    return View(write_view(folder, np.zeros((0, 1), np.int8), [], pd.DataFrame(columns)))


def test_a_node_says_sums_of_squares_up_to_the_next_power_of_256(tmp_path):
    view = view_of(tmp_path, sex=["male", "female"] * 3, age=[10.0] * 6, few=[1.0] + [np.nan] * 5)
    said = say_magnitudes(view, ["age", "few", "sex"], 5)
    assert said.sum(axis=1).tolist() == [1, 0, 1]  # of one person nothing is said
    kept = kept_bounds(6, said)
    assert kept[PEOPLE] == 6
    assert kept[SQUARES].tolist() == [2.0**16, 1.0, 2.0**8]  # of 600, nothing and 3


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=5, max_size=8))
def test_what_is_said_is_never_too_small(tmp_path_factory, values):
    view = view_of(tmp_path_factory.mktemp("view"), x=values)
    squares, kept = np.square(values).sum(), kept_bounds(8, say_magnitudes(view, ["x"], 5))
    assert squares <= kept[SQUARES][0] <= max(256 * squares, 2.0 ** EXPONENTS[0])


def test_variables_of_steps_are_named_once_without_components():
    steps = [BOTH, {"outcome": "bmi", "covariates": [{}, "age"]}, {"number": 4}]
    assert variables_of(steps) == ["age", "bmi", "height", "sex"]


@pytest.mark.parametrize(
    "step",
    [
        {"algorithm": "linear", "parameters": BOTH},
        {"algorithm": "logistic", "parameters": BOTH | {"outcome": "disease"}},
    ],
)
def test_no_sum_of_any_round_exceeds_its_bound(tmp_path, step):
    cohort = simulate(tmp_path, n_variants=60, structure=0.15, missing=0.02)
    pca = {"algorithm": "components", "parameters": {"number": 2}}
    parameters = {"steps": [{**one, "masked": True} for one in (pca, step)]}
    network = NetworkRun(parameters)
    nodes = [NodeRun(view, parameters) for view in cohort.views()]
    bounded, number = set(), 0
    while not network.done:
        sums = [node.sums() for node in nodes]
        headers = [
            node.header(number, one)["arrays"] for node, one in zip(nodes, sums, strict=True)
        ]
        for name, about in headers[0].items():
            whole = np.dtype(about["dtype"]).kind in "iu"
            assert whole != ("bound" in about), name
            if whole:
                continue
            assert all(one[name]["bound"] == about["bound"] for one in headers)
            bound = np.array(about["bound"])
            total = np.sum([np.abs(one[name]) for one in sums], axis=0)
            assert (total <= bound).all(), name
            bounded.add(name)
        network.advance(sums)
        for node in nodes:
            node.follow(network.message(number))
        number += 1
    assert {"images", "component_sums"} < bounded
