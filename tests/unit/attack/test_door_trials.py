"""Answers with other keys of the node are those that the door gives with these keys."""

import numpy as np
import pytest

from rehearsal.attack.attacks import ATTACKS, aim_at, secrets_of
from rehearsal.attack.best_questions import costly
from rehearsal.attack.door_trials import (
    ASKED_IN_TRIALS,
    NOISE_DRAWS,
    Trial,
    noise_keys,
    run_trials,
    score_trials,
)
from rehearsal.attack.strategies import ATTACKERS

BUILDERS = {attack.build for attacks in ATTACKS.values() for attack in attacks}


def trials_of(node, kind, build):
    trials = []
    for secret in secrets_of(node, kind, 7)[:6]:
        aim = aim_at(secret, 7)
        questions = costly(aim, build(aim), ASKED_IN_TRIALS)
        trials.append(Trial(aim, questions, f"target {secret.target}"))
    return trials


@pytest.mark.parametrize("build", sorted(BUILDERS, key=str), ids=lambda one: one.__name__)
@pytest.mark.parametrize("kind", ["membership", "diagnosis"])
def test_every_key_gives_the_scores_of_the_door_with_that_key(node, kind, build):
    keys = noise_keys(7, node.code)
    trials = trials_of(node, kind, build)
    run_trials(trials, keys[0], callers=1, restarts=0)
    together = {one: score_trials(trials, one, keys) for one in ATTACKERS}
    assert together["frequencies"].shape == (6, NOISE_DRAWS, 2)
    for number, key in enumerate(keys):
        alone = trials_of(node, kind, build)
        run_trials(alone, key, callers=1, restarts=0)
        for attacker in ATTACKERS:
            scores = score_trials(alone, attacker, [key])[:, 0]
            assert together[attacker][:, number] == pytest.approx(scores)


def test_keys_differ_between_draws_nodes_and_seeds():
    keys = [key for seed in (1, 2) for code in ("AT", "BE") for key in noise_keys(seed, code)]
    assert len(set(keys)) == 4 * NOISE_DRAWS and {len(key) for key in keys} == {32}


def test_a_second_answer_to_one_question_counts_for_every_key(node):
    keys = noise_keys(7, node.code)
    (trial, *_) = trials_of(node, "membership", ATTACKS["membership"][2].build)
    run_trials([trial], keys[0], callers=1, restarts=0)
    ((place, shown), *_) = sorted(trial.seen[0])
    trial.seen[0].clear()
    trial.seen[0].update({(place, shown), (place, shown + 1)})
    scores = score_trials([trial], "everybody else", keys)[0, :, 0]
    assert np.ptp(scores) == 0
