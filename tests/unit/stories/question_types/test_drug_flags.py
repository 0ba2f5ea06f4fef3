"""Drugs that are risky with a genotype: reading the question."""

import pytest

from rehearsal.errors import InputError
from rehearsal.stories.question_types import drug_flags

from ..questions_by_hand import read


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
