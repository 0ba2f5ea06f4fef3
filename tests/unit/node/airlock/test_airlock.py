"""Results leave, wait for a person, or end at the airlock; what they tell is charged."""

import json
import time

import numpy as np
import pytest
from pyroaring import BitMap

from rehearsal.errors import InputError
from rehearsal.node.airlock.airlock import TIME_STEP_S, Airlock, Asked
from rehearsal.node.airlock.desk import Desk
from rehearsal.node.privacy.ledger import Ledger
from rehearsal.node.settings.analysis_settings import AnalysisSettings

from .test_arrays import archive


class Node:
    def __init__(self, state, **settings):
        self._ledger = Ledger("release", bytes(32))
        self.airlock = Airlock(AnalysisSettings(**settings), state, self._ledger)

    @property
    def charged(self):
        return self._ledger.spent("controlled", "issuer subject")

    def asked(self, people=range(50), run="run1", algorithm="counting", purpose="DUO:0000006"):
        declared, who = {"cases": "count"}, ("issuer subject", purpose)
        return Asked(run, algorithm, declared, 1, *who, BitMap(people), time.monotonic())

    def take(self, asked, cases):
        used = len(asked.people)
        about = {"people": used, "additive": True, "arrays": {"cases": {"class": "count"}}}
        return self.airlock.take(asked, "result", archive(cases=cases), json.dumps(about).encode())


@pytest.fixture
def node(tmp_path):
    one = Node(tmp_path)
    yield one
    one.airlock.close()


def test_what_keeps_the_rules_leaves_and_is_charged(node):
    result = node.take(node.asked(), [7, 9])
    assert result.reasons == ()
    assert node.charged == pytest.approx(result.bits * np.log(2)) and result.bits > 2 * np.log2(101)


def test_results_leave_at_steps_of_time_only(node):
    asked = node.asked()
    result = node.take(asked, [7])
    steps = (result.leaves_at - asked.began) / TIME_STEP_S
    assert steps == pytest.approx(round(steps)) and steps >= 1


def test_a_person_releases_what_is_held_and_the_time_is_measured(node, tmp_path):
    asked, desk = node.asked(), Desk(tmp_path)
    result = node.take(asked, [1])
    assert result.reasons == ("small_count",) and node.charged == 0
    assert node.airlock.decided(result) is None
    ((held, decision),) = desk.waiting()
    assert (held.name, held.algorithm, held.reasons) == (
        "run1-result",
        "counting",
        ("small_count",),
    )
    assert decision is None
    waited_s = desk.decide(held.name, "release", "a synthetic person")
    assert 0 <= waited_s < 60
    assert node.airlock.decided(result) == "release"
    charged = node.charged
    assert node.airlock.decided(result) == "release" and node.charged == charged
    assert result.waited_s is not None and node.charged > 0
    assert desk.waiting()[0][1].reason == "a synthetic person"


def test_a_person_refuses(node, tmp_path):
    asked = node.asked()
    result = node.take(asked, [1])
    Desk(tmp_path).decide("run1-result", "refuse", "too few")
    assert node.airlock.decided(result) == "refuse"
    assert node.charged == 0


def test_a_refusal_is_final_and_the_numbers_are_deleted(node, tmp_path):
    result = node.take(node.asked(), [1])
    Desk(tmp_path).decide("run1-result", "refuse", "too few")
    assert node.airlock.decided(result) == "refuse"
    (tmp_path / "airlock/run1-result/decision.json").write_text(
        '{"word": "release", "reason": "", "at": 0}'
    )
    assert node.airlock.decided(result) == "refuse"
    assert (result.size, result.archive) == (0, b"")


def test_without_a_decision_nothing_that_is_held_leaves():
    node = Node(None)
    result = node.take(node.asked(), [1])
    assert result.reasons and node.airlock.decided(result) is None


def test_decisions_are_made_once_and_with_a_reason(node, tmp_path):
    node.take(node.asked(), [1])
    desk = Desk(tmp_path)
    with pytest.raises(InputError, match="--reason: expected a text, found an empty one"):
        desk.decide("run1-result", "release", " ")
    with pytest.raises(InputError, match="expected a result that waits: run1-result, found 'x'"):
        desk.decide("x", "release", "why")
    desk.decide("run1-result", "release", "why")
    with pytest.raises(InputError, match="a result that waits: none does"):
        desk.decide("run1-result", "refuse", "why")


def test_the_difference_to_an_earlier_release_is_held_until_enough_changed(node):
    assert node.take(node.asked(range(50)), [7]).reasons == ()
    assert node.take(node.asked(range(49)), [6]).reasons == ("difference",)
    assert node.take(node.asked(range(45)), [6]).reasons == ()


def test_neither_another_algorithm_nor_another_purpose_evades_the_difference(node):
    assert node.take(node.asked(range(50)), [7]).reasons == ()
    for other in ({"algorithm": "other"}, {"purpose": "DUO:0000007 MONDO:0005010"}):
        assert node.take(node.asked(range(48), **other), [6]).reasons == ("difference",)


def test_what_is_held_and_refused_does_not_count_as_released(node):
    assert node.take(node.asked(range(50)), [1]).reasons == ("small_count",)
    assert node.take(node.asked(range(49)), [7]).reasons == ()


def test_what_waits_is_private(node, tmp_path):
    node.take(node.asked(), [1])
    for path in (tmp_path / "airlock").rglob("*"):
        assert path.stat().st_mode & 0o077 == 0, path
