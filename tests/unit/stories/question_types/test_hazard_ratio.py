"""The increase of a hazard with a score: reading the question, judging the answer."""

import pytest

from rehearsal.errors import InputError
from rehearsal.stories.question_types import hazard_ratio

from ..questions_by_hand import failed, network_answer, question, read


def test_a_question_reads_as_plain_values(references):
    assert read(hazard_ratio, references, trait="coronary_artery_disease") == {
        "trait": "coronary_artery_disease",
        "disease": "ICD10:I25.1",
        "configured": 1.71,
        "confidence": 0.95,
    }


def test_a_disease_without_a_hazard_ratio_is_refused(references):
    with pytest.raises(InputError, match="a disease with hazard_ratio_per_sd"):
        read(hazard_ratio, references, trait="type_2_diabetes")


def test_a_foreign_node_need_not_take_part_in_a_regression():
    """Its people are not in the sums, so only the interval can be checked."""
    expected = {"ratio": 1.5, "low": 1.4, "high": 1.8, "people": 9, "events": 5}
    expected["countries"] = ["ES", "FI"]
    response = {"hazardRatio": 1.6, "low": 1.3, "high": 1.9, "people": 5, "events": 3}
    reply = ({}, network_answer(response, {"ES": "answered", "FI": "unknown"}))
    asked = question("hazard_ratio", {"configured": 1.71})
    assert failed(hazard_ratio.judge(asked, expected, reply, ["FI"])) == set()
    assert len(failed(hazard_ratio.judge(asked, expected, reply))) == 6


def test_a_hazard_ratio_outside_the_interval_fails():
    expected = {"ratio": 1.5, "low": 1.4, "high": 1.6, "people": 9, "events": 5}
    expected["countries"] = ["ES", "FI"]
    response = {"hazardRatio": 1.5, "low": 1.4, "high": 1.6, "people": 9, "events": 5}
    asked = question("hazard_ratio", {"configured": 1.71})
    assert failed(hazard_ratio.judge(asked, expected, ({}, network_answer(response)))) == {
        "the interval contains the hazard ratio of the simulation"
    }
    near = {**response, "hazardRatio": 1.51}
    wrong = failed(hazard_ratio.judge(asked, expected, ({}, network_answer(near))))
    assert "hazard ratio, as from a regression of all people" in wrong
