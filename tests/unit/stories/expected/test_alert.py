"""The arrivals that a subscription must report."""

from types import SimpleNamespace

import pandas as pd
import pytest

from rehearsal.model import Gene
from rehearsal.stories.expected.alert import compute_answer

from ..questions_by_hand import ARRIVAL, question

PROFILE = {
    "sex": "male",
    "age": [18, 50],
    "terms": ["HP:0033141"],
    "gene": "TLR7",
    "maximum_frequency": 0.01,
}


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({}, True),
        ({"age": 51}, False),
        ({"sex": "female"}, False),
        ({"terms": ["HP:0001945"]}, False),
        ({"variants": []}, False),
        ({"variants": [["chrX", 90, "A", "G"]]}, False),
        ({"consent": ["DUO:0000042"]}, False),
        ({"consent": ["DUO:0000004"]}, True),
    ],
)
def test_alerts_are_for_arrivals_that_match_the_profile(change, told):
    cohort = SimpleNamespace(
        genes=[Gene("TLR7", "chrX", 100, 200, "+")],
        people=pd.DataFrame({"country": ["FI"]}),
        trees={},
    )
    asked = question("alert", {"profile": PROFILE, "arrivals": [ARRIVAL | change]})
    assert compute_answer(asked, cohort)["alerts"] == (["third"] if told else [])
