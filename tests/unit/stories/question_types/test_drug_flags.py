"""Drugs that are risky with a genotype: reading the question, judging the answer."""

import pytest

from rehearsal.errors import InputError
from rehearsal.stories.question_types import drug_flags

from ..questions_by_hand import failed, network_answer, question, read


def test_a_question_reads_as_plain_values(references):
    assert read(drug_flags, references, drugs=["ATC:C10AA01"]) == {"drugs": ["ATC:C10AA01"]}


@pytest.mark.parametrize(
    ("keys", "complaint"),
    [
        ({"drugs": ["ATC:X99"]}, "drugs.0.: expected a code"),
        ({"drugs": ["ICD10:I25.1"]}, "an ATC code"),
    ],
)
def test_an_unusable_question_is_refused_in_one_line(references, keys, complaint):
    with pytest.raises(InputError, match=complaint):
        read(drug_flags, references, **keys)


ASKED = question("drug_flags", {"drugs": ["ATC:C10AA01"]})
TRUTH = {"ATC:C10AA01": [2]}


def reply_of(drugs, state="answered"):
    return "drug_flags/FI/FI-000001", network_answer({"drugs": drugs}, {"FI": state})


@pytest.mark.parametrize(("copies", "wrong"), [(2, 0), (1, 1)])
def test_the_copies_behind_the_advice_are_compared(copies, wrong):
    drugs = [{"drug": "ATC:C10AA01", "flagged": True, "reasons": [{"copies": copies}]}]
    assert len(failed(drug_flags.judge(ASKED, TRUTH, reply_of(drugs)))) == wrong


def test_a_foreign_node_need_not_flag_drugs():
    reply = reply_of([], "unknown")
    (check,) = drug_flags.judge(ASKED, TRUTH, reply, ["FI"])
    assert (check.passed, check.observed) == (True, ["FI"])
    assert drug_flags.summarise(ASKED, reply).joined == {"drugs": []}
    assert "drugs to avoid" in failed(drug_flags.judge(ASKED, TRUTH, reply))
