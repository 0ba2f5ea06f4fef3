"""A patient's place among polygenic scores: reading the question, judging the answer."""

import pytest

from rehearsal.errors import InputError
from rehearsal.stories.question_types import score

from ..questions_by_hand import failed, network_answer, question, read

BINS = {"from": -4, "to": 4, "width": 0.1}


def test_a_question_reads_as_plain_values(references):
    read_score = read(score, references, trait="coronary_artery_disease", bins=BINS)
    assert read_score == {"trait": "coronary_artery_disease", "bins": BINS, "top_percent": 100.0}


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"trait": "covid", "bins": BINS}, "trait: expected a polygenic disease"),
        ({"trait": "type_2_diabetes"}, "the key bins"),
    ],
)
def test_an_unusable_question_is_refused_in_one_line(references, keys, complaint):
    with pytest.raises(InputError, match=complaint):
        read(score, references, **keys)


def score_reply(share, states=None, counts=(0, 3, 2, 0)):
    group = {"below": counts[0], "counts": list(counts[1:3]), "above": counts[3]}
    place = {"below": share, "upTo": share + 5, "people": 5}
    response = {
        "groups": [group],
        "countries": {"ES": {"groups": [group]}, "FI": {"groups": [group]}},
        "patient": {
            "state": "answered",
            "score": 1.5,
            "percentiles": {"FI": place, "network": place},
        },
    }
    response["groups"] = [{"below": 0, "counts": [6, 4], "above": 0}]
    return {"scoringFile": "d"}, network_answer(response, states)


SCORE = question("score", {"top_percent": 5})
SCORE_EXPECTED = {
    "scoring_file": "d",
    "countries": {"ES": [0, 3, 2, 0], "FI": [0, 3, 2, 0]},
    "patient": {"country": "FI", "score": 1.5, "at_home": 96.0, "everywhere": 97.0},
}


def test_a_right_place_passes():
    assert failed(score.judge(SCORE, SCORE_EXPECTED, score_reply(94.0))) == set()


def test_a_foreign_node_need_not_have_scores():
    """Then the patient's place among all people is not known."""
    body, answer = score_reply(94.0, {"ES": "unknown", "FI": "answered"})
    del answer.body["response"]["countries"]["ES"]
    answer.body["response"]["groups"] = [{"below": 0, "counts": [3, 2], "above": 0}]
    checks = score.judge(SCORE, SCORE_EXPECTED, (body, answer), ["ES"])
    assert failed(checks) == set()
    assert not any("in all countries" in check.name for check in checks)
    assert "every country answered" in failed(score.judge(SCORE, SCORE_EXPECTED, (body, answer)))


def test_a_patient_whose_node_has_no_scores_has_no_place():
    body, answer = score_reply(94.0, {"ES": "answered", "FI": "unknown"})
    del answer.body["response"]["countries"]["FI"]
    answer.body["response"] |= {
        "groups": [{"below": 0, "counts": [3, 2], "above": 0}],
        "patient": {"node": "FI", "state": "refused", "reason": "HTTP 404"},
    }
    assert failed(score.judge(SCORE, SCORE_EXPECTED, (body, answer), ["FI"])) == set()


@pytest.mark.parametrize(
    ("reply", "name"),
    [
        (score_reply(80.0), "percentile in the home country: the range contains the true value"),
        (score_reply(80.0), "in the top 5% in all countries"),
        (score_reply(94.0, counts=(0, 2, 3, 0)), "the histogram of each country equals the truth"),
        (score_reply(94.0, {"ES": "failed", "FI": "answered"}), "every country answered"),
    ],
)
def test_a_wrong_place_fails_its_check(reply, name):
    assert name in failed(score.judge(SCORE, SCORE_EXPECTED, reply))
