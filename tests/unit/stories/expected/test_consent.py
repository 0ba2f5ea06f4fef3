"""The purposes that consent covers, by the Data Use Ontology."""

import pytest

from rehearsal.stories.expected.consent import covers_purpose

BREAST_CANCER, BREAST_CARCINOMA = "MONDO:0007254", "MONDO:0004989"


@pytest.mark.parametrize(
    ("consent", "purpose", "permitted"),
    [
        (["DUO:0000004"], None, True),
        (["DUO:0000042"], None, False),
        (["DUO:0000042"], "DUO:0000006", True),
        (["DUO:0000011"], "DUO:0000006", False),
        ([f"DUO:0000007 {BREAST_CANCER}"], f"DUO:0000007 {BREAST_CANCER}", True),
        ([f"DUO:0000007 {BREAST_CANCER}"], f"DUO:0000007 {BREAST_CARCINOMA}", True),
        ([f"DUO:0000007 {BREAST_CARCINOMA}"], f"DUO:0000007 {BREAST_CANCER}", False),
        (["DUO:0000042", "DUO:0000045"], "DUO:0000006", False),  # a condition that nobody checks
        ([], "DUO:0000006", False),
    ],
)
def test_an_arrivals_consent_covers_a_purpose_or_not(consent, purpose, permitted):
    assert covers_purpose(consent, purpose) is permitted
