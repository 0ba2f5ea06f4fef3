"""What a descriptor says of consent, and how it answers the survey."""

import pytest

from rehearsal.catalogue.dataset_descriptor import (
    answer_survey,
    descriptor_to_json,
    summarise_consent,
    summarise_forms,
)
from rehearsal.phenotypes.consent import ConsentShares, Record


def test_consent_is_told_as_shares_of_those_who_did_not_withdraw(consent):
    bases, uses, _ = summarise_consent(consent)
    assert bases == ("GDPR 6(1)a, 9(2)a", "GDPR 6(1)e, 9(2)j")
    assert uses == (("DUO:0000042", 0.67), ("DUO:0000007", 0.33), ("DUO:0000043", 0.33))


def test_a_node_tells_of_the_forms_of_consent_and_not_of_people(forms):
    bases, uses, _ = summarise_forms(forms)
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
    # of 100 people, a tenth is expected to have withdrawn; 80 % and 50 % of the others permit it
    survey = told["survey"]
    assert survey["usable_for_future_research"] == {"yes": 70, "no": 30, "don't know": 0}
    assert survey["usable_in_healthcare_of_others"] == {"yes": 50, "no": 50, "don't know": 0}
    assert told["uses"][0] == {
        "term": "DUO:0000042",
        "label": "general research use",
        "share": 0.8,
    }


def test_a_use_that_one_person_in_a_thousand_permits_is_no_yes_of_the_dataset():
    rare = Record("rare", 0.001, "GDPR 6(1)a, 9(2)a", ("DUO:0000043",))
    common = Record("common", 0.999, "GDPR 6(1)a, 9(2)a", ("DUO:0000042",))
    terms = summarise_forms(ConsentShares((rare, common), withdrawn=0.0))
    survey = answer_survey(terms, 1000)
    assert survey.usable_in_healthcare_of_others == {"yes": 0, "no": 1000, "don't know": 0}
