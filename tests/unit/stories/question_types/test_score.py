"""Kinds of questions about scores, drugs and alerts: reading, truths and verdicts, by hand."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rehearsal.model import Answer, Gene, InputError, PlantedVariant, Variant
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.stories.expected import alert as expected_alert
from rehearsal.stories.expected import drug_flags as expected_drug_flags
from rehearsal.stories.expected.hazard_ratio import add_follow_up, fit_cox_model
from rehearsal.stories.question_types import alert, drug_flags, hazard_ratio, score
from rehearsal.stories.story_types import Asker, Question

CARE = "DUO:0000043"
ASKER = Asker("her doctor", "FI", "clinician", "controlled", CARE)
BINS = {"from": -4, "to": 4, "width": 0.1}


def question(kind, parameters):
    return Question("q", "?", kind, ASKER, "anna", parameters, ("story.yaml", "line 1"))


def read(kind, references, **keys):
    entry = Entry("story.yaml", "questions[0]", {"about": "anna", **keys})
    own = {name: entry.child(name) for name in keys}
    return kind.read(entry, own, references)


# --- reading ---


def test_questions_read_as_plain_values(references):
    read_score = read(score, references, trait="coronary_artery_disease", bins=BINS)
    assert read_score == {"trait": "coronary_artery_disease", "bins": BINS, "top_percent": 100.0}
    assert read(hazard_ratio, references, trait="coronary_artery_disease") == {
        "trait": "coronary_artery_disease",
        "disease": "ICD10:I25.1",
        "configured": 1.71,
        "confidence": 0.95,
    }
    assert read(drug_flags, references, drugs=["ATC:C10AA01"]) == {"drugs": ["ATC:C10AA01"]}


@pytest.mark.parametrize(
    ("kind", "keys", "complaint"),
    [
        (score, {"trait": "covid", "bins": BINS}, "trait: expected a polygenic disease"),
        (score, {"trait": "type_2_diabetes"}, "the key bins"),
        (hazard_ratio, {"trait": "type_2_diabetes"}, "a disease with hazard_ratio_per_sd"),
        (drug_flags, {"drugs": ["ATC:X99"]}, "drugs.0.: expected a code"),
        (drug_flags, {"drugs": ["ICD10:I25.1"]}, "an ATC code"),
        (alert, {"profile": {"terms": ["HP:0033141"]}}, "the key arrivals"),
        (alert, {"profile": {"terms": [], "gene": "TLR7"}, "arrivals": {}}, "together"),
        (
            alert,
            {"profile": {"terms": []}, "arrivals": {}, "restart": "XX"},
            "restart: expected a country of this run",
        ),
    ],
)
def test_what_cannot_be_meant_is_one_line(references, kind, keys, complaint):
    with pytest.raises(InputError, match=complaint):
        read(kind, references, **keys)


# --- truths ---


def test_the_truths_regression_is_that_of_lifelines():
    lifelines = pytest.importorskip("lifelines")
    random = np.random.default_rng(8)
    people = pd.DataFrame(
        {
            "id": [f"P{i}" for i in range(400)],
            "stratum": random.integers(0, 3, 400),
            "score": random.normal(size=400),
            "birth_year": random.integers(1930, 2027, 400),
        }
    )
    ill = people["id"][(random.random(400) < 0.3) & (people["birth_year"] < 1970)]
    diseases = pd.DataFrame({"individual": ill, "code": "ICD10:I25.1"})
    diseases["age_of_onset"] = random.integers(40, 56, len(ill))
    table = add_follow_up(people, diseases, "ICD10:I25.1", 2026)
    assert len(table) == (people["birth_year"] < 2026).sum()  # newborns are not followed
    strata = [
        (part["score"].to_numpy(), part["year"].to_numpy(), part["ill"].to_numpy())
        for _, part in table.groupby("stratum")
    ]
    coefficient, error = fit_cox_model(strata)
    columns = table[["stratum", "score", "year", "ill"]]
    fitted = lifelines.CoxPHFitter().fit(columns, "year", "ill", strata=["stratum"])
    assert coefficient == pytest.approx(fitted.params_["score"], abs=1e-6)
    assert error == pytest.approx(fitted.standard_errors_["score"], abs=1e-6)


@pytest.mark.parametrize(("copies", "flagged"), [(2, [2]), (1, [])])
def test_the_truth_of_drug_flags_counts_planted_alleles(tmp_path, copies, flagged):
    (tmp_path / "nodes/FI").mkdir(parents=True)
    columns = ["drug", "gene", "variant", "contig", "position", "ref", "alt", "copies"]
    rule = ["ATC:C10AA01", "G", "v", "chr12", 101, "T", "C", 2]
    pd.DataFrame([rule], columns=columns).to_csv(
        tmp_path / "nodes/FI/drug_genes.tsv", sep="\t", index=False
    )
    carriers = pd.DataFrame(
        [("FI-1", "chr12", 100, "T", "C", copies), ("FI-2", "chr12", 100, "T", "C", 2)],
        columns=["individual", "contig", "start", "ref", "alt", "copies"],
    )
    cohort = SimpleNamespace(
        results=tmp_path,
        people=pd.DataFrame({"id": ["FI-1", "FI-2"], "country": "FI"}),
        planted=[PlantedVariant(Variant("chr12", 100, "T", "C"), "G", "v", "dose", "common")],
        table=lambda _: carriers,
        patient=lambda *_: "FI-1",
    )
    asked = question("drug_flags", {"drugs": ["ATC:C10AA01", "ATC:C10AA05"]})
    expected = {"ATC:C10AA01": flagged, "ATC:C10AA05": []}
    assert expected_drug_flags.compute_answer(asked, cohort) == expected


ARRIVAL = {
    "handle": "third",
    "individual": "FI-ARRIVAL-third",
    "country": "FI",
    "sex": "male",
    "age": 30,
    "terms": ["HP:0033141"],
    "variants": [["chrX", 120, "A", "G"]],
    "consent": [CARE],
}
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
def test_the_truth_of_alerts_is_who_is_like_the_profile(change, told):
    cohort = SimpleNamespace(
        genes=[Gene("TLR7", "chrX", 100, 200, "+")],
        people=pd.DataFrame({"country": ["FI"]}),
        trees={},
    )
    asked = question("alert", {"profile": PROFILE, "arrivals": [ARRIVAL | change]})
    assert expected_alert.compute_answer(asked, cohort)["alerts"] == (["third"] if told else [])


# --- verdicts ---


def network_answer(response, states=None):
    nodes = [
        {"node": code, "state": state, "latencyMs": 1.0}
        for code, state in (states or {"ES": "answered", "FI": "answered"}).items()
    ]
    body = {"response": response, "info": {"nodes": nodes}}
    return Answer("", "network", "answered", 200, body, 0.0, 0)


def failed(checks):
    return {check.name for check in checks if not check.passed}


def alert_reply(**change):
    subscribed = network_answer(
        {"subscription": "s", "nodes": ["ES", "FI"]}, change.pop("states", None)
    )
    one = {"subscription": "s", "node": "FI", "time": "t", "token": "k"}
    found = [{"handle": "third", "seconds": 0.4, "alert": one}]
    return alert.Reply({}, subscribed, **{"alerts": found} | change)


ALERT = question("alert", {"arrivals": [ARRIVAL], "within_s": 5})
ALERT_TRUTH = {"alerts": ["third"], "countries": ["ES", "FI"]}
ALERT_OF = {"subscription": "s", "node": "FI", "time": "t", "token": "k"}


def test_a_right_alert_passes():
    assert failed(alert.judge(ALERT, ALERT_TRUTH, alert_reply())) == set()


@pytest.mark.parametrize(
    ("change", "name"),
    [
        ({"alerts": []}, "who the alerts are of"),
        (
            {"alerts": [{"handle": "mild", "seconds": 1, "alert": ALERT_OF}]},
            "who the alerts are of",
        ),
        ({"alerts": [{"handle": "third", "seconds": 6, "alert": ALERT_OF}]}, "seconds from"),
        (
            {"alerts": [{"handle": "third", "seconds": 1, "alert": ALERT_OF | {"age": 30}}]},
            "an alert holds no more than",
        ),
        (
            {
                "alerts": [
                    {
                        "handle": "third",
                        "seconds": 1,
                        "alert": ALERT_OF | {"token": "FI-ARRIVAL-third"},
                    }
                ]
            },
            "no alert names anybody",
        ),
        ({"again": [{}]}, "alerts when everybody is admitted again"),
        ({"states": {"ES": "answered", "FI": "failed"}}, "every country answered"),
    ],
)
def test_a_wrong_alert_fails_its_check(change, name):
    wrong = failed(alert.judge(ALERT, ALERT_TRUTH, alert_reply(**change)))
    assert any(one.startswith(name) for one in wrong), wrong


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
SCORE_TRUTH = {
    "scoring_file": "d",
    "countries": {"ES": [0, 3, 2, 0], "FI": [0, 3, 2, 0]},
    "patient": {"country": "FI", "score": 1.5, "at_home": 96.0, "everywhere": 97.0},
}


def test_a_right_place_passes():
    assert failed(score.judge(SCORE, SCORE_TRUTH, score_reply(94.0))) == set()


@pytest.mark.parametrize(
    ("reply", "name"),
    [
        (score_reply(80.0), "percentile in her country, within a bin"),
        (score_reply(80.0), "top 5 % in Europe"),
        (score_reply(94.0, counts=(0, 2, 3, 0)), "each country's histogram is the truth"),
        (score_reply(94.0, {"ES": "failed", "FI": "answered"}), "every country answered"),
    ],
)
def test_a_wrong_place_fails_its_check(reply, name):
    assert name in failed(score.judge(SCORE, SCORE_TRUTH, reply))


def test_a_hazard_ratio_outside_the_interval_fails():
    truth = {"ratio": 1.5, "low": 1.4, "high": 1.6, "people": 9, "events": 5}
    truth["countries"] = ["ES", "FI"]
    said = {"hazardRatio": 1.5, "low": 1.4, "high": 1.6, "people": 9, "events": 5}
    asked = question("hazard_ratio", {"configured": 1.71})
    assert failed(hazard_ratio.judge(asked, truth, ({}, network_answer(said)))) == {
        "the configured hazard ratio is recovered"
    }
    near = {**said, "hazardRatio": 1.51}
    wrong = failed(hazard_ratio.judge(asked, truth, ({}, network_answer(near))))
    assert "hazardRatio is that of the pooled people" in wrong
