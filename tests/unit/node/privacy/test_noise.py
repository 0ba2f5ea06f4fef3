"""Noise is fixed, and its probabilities are those of answers."""

import math

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from rehearsal.node.privacy.noise import answer_probabilities, draw_noise
from rehearsal.node.privacy.protected_answers import protect_count
from rehearsal.node.privacy.question_keys import question_key

from rehearsal.node.privacy.protection import Protection

from .conftest import KEY, people, protected


def test_noise_is_fixed_by_the_question_and_hidden_by_the_key():
    rules = Protection(10, 10, 3)
    questions = [question_key(f"chr1-{i}-A-T") for i in range(400)]
    drawn = [draw_noise(KEY, question, rules) for question in questions]
    assert drawn == [draw_noise(KEY, question, rules) for question in questions]
    assert drawn != [draw_noise(bytes(32), question, rules) for question in questions]
    assert {up for up, _ in drawn} == set(range(4))
    assert {shift for _, shift in drawn} == set(range(-3, 4))


@given(
    number=st.integers(1, 60),
    threshold=st.integers(1, 20),
    step=st.integers(1, 20),
    spread=st.integers(0, 19),
)
@settings(max_examples=60, deadline=None)
def test_the_table_of_probabilities_matches_answers(number, threshold, step, spread):
    rules = Protection(threshold, step, min(spread, threshold - 1), math.inf, math.inf)
    table = answer_probabilities(60, rules, counted=True)
    assert np.allclose(table.sum(axis=1), 1)
    for i in range(20):
        told = protect_count(protected(rules, people=60), "u", question_key(str(i)), people(number))
        assert table[number, (told.count or 0) // step] > 0
