"""The survey on accessible genomes, answered by numbers of subjects."""

import csv
import io
from collections import Counter

import numpy as np
import pandas as pd
import pytest

from rehearsal.catalogue.survey import (
    QUESTIONS,
    answer_for_basis,
    apportion,
    count_answers,
    count_by_country,
)
from rehearsal.phenotypes.consent import draw_consent, read_consent

PEOPLE = pd.DataFrame(
    [(f"{code}-{number}", code) for code in ("FI", "ES") for number in range(300)],
    columns=["id", "country"],
)


@pytest.fixture(scope="module")
def consent(tmp_path_factory):
    path = tmp_path_factory.mktemp("consent") / "consent.yaml"
    path.write_text(
        """withdrawn: 0.1
records:
  open: {share: 0.4, basis: "GDPR 6(1)a, 9(2)a", uses: ["DUO:0000004"]}
  care: {share: 0.2, basis: "GDPR 6(1)e, 9(2)h", uses: ["DUO:0000043"]}
  disease: {share: 0.2, basis: "GDPR 6(1)a, 9(2)a", uses: ["DUO:0000007 MONDO:0007254"]}
  old-form: {share: 0.1, basis: "GDPR 6(1)a", uses: ["DUO:0000042"]}
  lost-form: {share: 0.1, basis: "unknown", uses: ["DUO:0000006"]}
"""
    )
    return draw_consent(PEOPLE, read_consent(path), seed=5)


def second_reading(consent, code):
    """Count from the table as text, with rules by name and not by set."""
    text = io.StringIO(consent.to_csv(index=False))
    rows = [row for row in csv.DictReader(text) if row["individual"].startswith(code)]
    found = {question: Counter() for question in QUESTIONS}
    for row in rows:
        gone, uses = row["withdrawn"] == "True", row["uses"]
        basis = {
            "GDPR 6(1)a, 9(2)a": "yes",
            "GDPR 6(1)e, 9(2)h": "yes",
            "GDPR 6(1)a": "no, but re-consenting is possible",
            "unknown": "don't know",
        }[row["basis"]]
        research = uses in ("DUO:0000004", "DUO:0000042", "DUO:0000006")
        care = uses in ("DUO:0000004", "DUO:0000043")
        found["legal_basis"]["no" if gone else basis] += 1
        found["usable_for_future_research"]["yes" if research and not gone else "no"] += 1
        found["usable_in_healthcare_of_others"]["yes" if care and not gone else "no"] += 1
    return len(rows), found


@pytest.mark.parametrize("code", ["FI", "ES"])
def test_the_numbers_of_a_country_equal_a_second_reading_of_the_consent_table(consent, code):
    people, expected = second_reading(consent, code)
    numbers = count_by_country(consent, PEOPLE)[code]
    for question, answers in numbers.items():
        assert {one: n for one, n in answers.items() if n} == dict(expected[question])
        assert sum(answers.values()) == people
        assert tuple(answers) == QUESTIONS[question]
    assert min(expected["legal_basis"].values()) > 0
    assert len(expected["legal_basis"]) == 4


@pytest.mark.parametrize(
    ("basis", "answer"),
    [
        ("GDPR 6(1)a, 9(2)a", "yes"),
        *((f"GDPR 6(1)e, 9(2){letter}", "yes") for letter in "ghij"),
        ("GDPR 6(1)e, 9(2)a", "no, but re-consenting is possible"),
        ("GDPR 6(1)e", "no, but re-consenting is possible"),
        ("none: nobody in it is real", "no"),
        ("", "don't know"),
    ],
)
def test_a_basis_is_one_of_the_forms_pairs_or_not(basis, answer):
    assert answer_for_basis(basis) == answer


def test_who_permits_nothing_known_is_counted_under_dont_know():
    consent = pd.DataFrame(
        {"basis": ["GDPR 6(1)a, 9(2)a"], "uses": [None], "withdrawn": [False]}, dtype=object
    )
    assert count_answers(consent)["usable_for_future_research"]["don't know"] == 1


def test_people_are_divided_in_tens_and_nobody_is_lost():
    random = np.random.default_rng(2)
    for _ in range(200):
        shares = dict(enumerate(random.dirichlet([0.4] * 4)))
        people = int(random.integers(1, 400)) * 10
        parts = apportion(shares, people, 10)
        assert sum(parts.values()) == people
        assert all(number % 10 == 0 for number in parts.values())
        assert all(abs(parts[one] - shares[one] * people) < 10 for one in shares)
