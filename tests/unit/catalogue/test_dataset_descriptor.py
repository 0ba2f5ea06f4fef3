"""What a descriptor says of consent, and how it answers the survey."""

import pytest

from rehearsal.catalogue.dataset_descriptor import (
    descriptor_to_json,
    summarise_consent,
    summarise_forms,
)


def test_consent_is_told_as_shares_of_those_who_did_not_withdraw(consent):
    bases, uses = summarise_consent(consent)
    assert bases == ("GDPR 6(1)a, 9(2)a", "GDPR 6(1)e, 9(2)j")
    assert uses == (("DUO:0000042", 0.67), ("DUO:0000007", 0.33), ("DUO:0000043", 0.33))


def test_a_node_tells_of_the_forms_of_consent_and_not_of_people(forms):
    bases, uses = summarise_forms(forms)
    assert bases == ("GDPR 6(1)a, 9(2)a", "GDPR 6(1)e, 9(2)j")
    assert uses == (
        *(("DUO:0000042", 0.8), ("DUO:0000043", 0.5)),
        *(("DUO:0000045", 0.3), ("DUO:0000007", 0.2)),
    )


def test_nobodys_consent_is_no_catalogue(consent):
    with pytest.raises(ValueError, match="expected at least one record that is not withdrawn"):
        summarise_consent(consent[consent["withdrawn"]])


def test_a_descriptor_answers_the_survey(descriptors):
    told = descriptor_to_json(descriptors[1])
    assert told["identifier"] == "GDI-FI-REHEARSAL-1"
    assert told["synthetic"] is True
    assert told["individuals"] == 100  # as the node tells it, rounded
    assert told["survey"]["usable_for_future_research"] == "yes"
    assert told["survey"]["usable_in_healthcare_of_others"] == "yes"
    assert told["uses"][0] == {
        "term": "DUO:0000042",
        "label": "general research use",
        "share": 0.8,
    }
