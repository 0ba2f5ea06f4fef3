"""Histograms and sums of scores, and the score of a clinician's own patient."""

import json

import numpy as np
import pytest

from ..conftest import NAMES, PEOPLE
from .conftest import BINS, CARE, HMB, WITHDRAWN, truth


def test_a_histogram_counts_those_who_permit_it(ask, digest):
    status, said = ask("/scores", {"scoringFile": digest, "bins": BINS})
    assert (status, said["people"]) == (200, PEOPLE - 1)
    (group,) = said["groups"]
    scores = np.delete(truth(), WITHDRAWN)
    expected, _ = np.histogram(scores, np.arange(-4, 4.5, 0.5))
    assert group["counts"] == expected.tolist()
    assert (group["below"], group["above"]) == ((scores < -4).sum(), (scores >= 4).sum())


def test_groups_by_sex_and_disease_add_up_to_everybody(ask, digest):
    asked = {"scoringFile": digest, "bins": BINS}
    _, whole = ask("/scores", asked)
    _, parts = ask("/scores", asked | {"bySex": True, "cases": "ICD10:I25"})
    assert [(one["sex"], one["case"]) for one in parts["groups"]] == [
        ("female", True),
        ("female", False),
        ("male", True),
        ("male", False),
    ]
    added = np.sum([one["counts"] for one in parts["groups"]], axis=0)
    assert added.tolist() == whole["groups"][0]["counts"]
    sizes = [sum(g["counts"]) + g["below"] + g["above"] for g in parts["groups"]]
    assert sizes == [1, 4, 2, 4]


@pytest.mark.parametrize(("who", "status"), [(None, 401), ("registered", 403)])
@pytest.mark.parametrize("path", ["/scores", "/scores/hazard"])
def test_sums_are_for_controlled_access(ask, digest, who, status, path):
    asked = {"scoringFile": digest, "bins": BINS}
    assert ask(path, asked, who)[0] == status


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (
            {"bins": {"from": -4, "to": 4, "width": 0.01}},
            "bins.width: expected a multiple of 0.05, found 0.01",
        ),
        (
            {"bins": {"from": -4, "to": 4, "width": 0}},
            "bins.width: expected a number above 0, found 0",
        ),
        (
            {"bins": {"from": -4, "to": 4, "width": 0.15}},
            "bins: expected whole bins between from and to, found width 0.15",
        ),
        (
            {"bins": {"from": 4, "to": -4, "width": 0.5}},
            "bins: expected from below to, found from 4 and to -4",
        ),
        (
            {"bins": {"from": -400, "to": 4, "width": 0.5}},
            "bins.from: expected a number of at least -10",
        ),
        ({"bins": [1, 2]}, "bins: expected an object, found [1, 2]"),
        ({"bySex": "yes"}, "bySex: expected true or false, found 'yes'"),
        ({"cases": 5}, "cases: expected text, found 5"),
        (
            {"names": True},
            "the body: expected one of the keys scoringFile, bins, bySex, cases, found 'names'",
        ),
    ],
)
def test_invalid_requests_are_refused(ask, digest, change, complaint):
    status, said = ask("/scores", {"scoringFile": digest, "bins": BINS} | change)
    assert status == 400
    assert said.startswith(complaint), said


def test_an_unknown_scoring_file_is_not_found(ask):
    assert ask("/scores", {"scoringFile": "0" * 64, "bins": BINS})[0] == 404


def test_a_clinician_gets_the_score_of_her_own_patient(ask, digest):
    path = f"/scores/{digest}/individuals/{NAMES[3]}"
    status, said = ask(path, who="clinician", purpose=CARE)
    assert status == 200
    assert said["score"] == pytest.approx(truth()[3])


@pytest.mark.parametrize(
    ("who", "purpose", "status"),
    [
        (None, HMB, 401),
        ("controlled", HMB, 403),  # exact histograms, but not a clinician
        ("clinician", HMB, 403),  # her patient, but not for care
        ("abroad", CARE, 403),  # a clinician, but not of this country
        ("ungranted", CARE, 403),  # a clinician of this country without a grant
    ],
)
@pytest.mark.parametrize("name", [NAMES[3], "FI-nobody"])
def test_nobody_else_gets_a_score(ask, digest, who, purpose, status, name):
    assert ask(f"/scores/{digest}/individuals/{name}", who=who, purpose=purpose)[0] == status
    assert ask(f"/drug_flags/{name}", who=who, purpose=purpose)[0] == status


def test_a_patient_who_withdrew_looks_unknown(ask, digest):
    asked = f"/scores/{digest}/individuals/"
    gone = ask(asked + NAMES[WITHDRAWN], who="clinician", purpose=CARE)
    assert gone == ask(asked + "FI-nobody", who="clinician", purpose=CARE)
    assert gone[0] == 404


def test_the_log_has_the_decision_and_not_the_person(ask, digest, folder):
    ask(f"/scores/{digest}/individuals/{NAMES[3]}", who="clinician", purpose=CARE)
    line = json.loads((folder / "audit.jsonl").read_text().splitlines()[-1])
    assert line["route"] == "/scores/{digest}/individuals/{id}"
    assert (line["subject"], line["status"]) == ("clinician-fi", 200)


@pytest.mark.parametrize(("patient", "flagged"), [(3, True), (1, False), (5, False)])
def test_a_drug_is_flagged_from_a_number_of_copies(ask, patient, flagged):
    status, said = ask(
        f"/drug_flags/{NAMES[patient]}",
        who="clinician",
        purpose=CARE,
        parameters="drugs=ATC:X,ATC:Y",
    )
    assert status == 200
    x, y = said["drugs"]
    assert (x["drug"], x["flagged"], x["rules"]) == ("ATC:X", flagged, 1)
    assert y == {"drug": "ATC:Y", "flagged": False, "rules": 0, "reasons": []}
    if flagged:
        assert (x["reasons"][0]["gene"], x["reasons"][0]["copies"]) == ("BRCA1", 2)


def test_a_node_returns_its_sums_of_a_regression(ask, digest):
    status, said = ask(
        "/scores/hazard", {"scoringFile": digest, "disease": "ICD10:I25", "coefficient": 0.0}
    )
    assert status == 200
    # NAMES[5] has the disease with unknown onset, so is not followed; NAMES[6] withdrew
    assert (said["people"], said["events"]) == (PEOPLE - 2, 2)
    scores = truth()
    women, men = [0, 2, 4, 8, 10], [1, 3, 7, 9, 11]
    # born in 1940 + 5 i and followed up to 2025: cases at 61 and 55, and their risk sets
    at_risk_of_0 = [i for i in women if i == 0 or 85 - 5 * i - 1 >= 61]
    at_risk_of_1 = [i for i in men if i == 1 or 85 - 5 * i - 1 >= 55]
    expected = scores[0] - scores[at_risk_of_0].mean() + scores[1] - scores[at_risk_of_1].mean()
    assert said["gradient"] == pytest.approx(expected)
