"""Evidence for maturity follows the services of a node."""

from dataclasses import replace

import pytest
import yaml

from rehearsal.policy.indicators import read_indicators
from rehearsal.policy.maturity import build_maturity

from .conftest import NODES, ROOT

FILE = ROOT / "config" / "maturity.yaml"
INDICATORS = read_indicators(FILE)
PLAIN = {
    key: one
    for domain in yaml.safe_load(FILE.read_text()).values()
    for key, one in domain["indicators"].items()
}


def naming(*checks: str) -> set[str]:
    """Indicators that name any of the checks, as the file says."""
    return {key for key, one in PLAIN.items() if set(one.get("checks", ())) & set(checks)}


def statuses(evidence, node="FI"):
    return build_maturity(INDICATORS, evidence, NODES, "2030-01-01")["nodes"][node]["indicators"]


def test_where_all_is_well_every_assessable_indicator_has_its_evidence(made):
    found = statuses(made.evidence)
    assert set(found) == {key for key, one in PLAIN.items() if one["assessable"] == "part"}
    assert set(found.values()) == {"held"}


@pytest.mark.parametrize(
    ("off", "checks"),
    [
        ({"queries": ["allele_frequency"]}, ["frequencies", "in_time"]),
        ({"queries": ["gene"]}, ["variants", "in_time"]),
        ({"queries": ["count", "carriers"]}, ["counts", "in_time"]),
        ({"queries": ["individuals"]}, ["records", "in_time"]),
        ({"queries": ["ill_formed"]}, ["refusals", "in_time"]),
        ({"questions": ["match"]}, ["matching"]),
        ({"questions": ["hazard_ratio"]}, ["scores"]),
        ({"questions": ["alert"]}, ["alerts"]),
        ({"questions": ["comparison"]}, ["comparisons"]),
        ({"queries": ["individuals"], "questions": ["match"]}, ["records", "matching", "in_time"]),
    ],
)
def test_services_that_are_off_take_exactly_the_indicators_that_name_them(made, off, checks):
    evidence = made.without("FI", off)
    fallen = {key for key, status in statuses(evidence).items() if status != "held"}
    assert fallen == naming(*checks)
    assert set(statuses(evidence, "BE").values()) == {"held"}


@pytest.mark.parametrize(
    ("change", "checks"),
    [
        ({"audit": {"BE": {"lines": 10}}}, ["audit_log"]),
        ({"audit": {"BE": {"lines": 10}, "FI": {"lines": 9}}}, ["audit_log"]),
        ({"datasets": []}, ["metadata"]),
        ({"faults": None}, ["faults"]),
        ({"privacy": {"measured": {"nodes": ["BE"]}, "checks": []}}, ["attacks"]),
        ({"privacy": {"measured": {"nodes": ["FI"]}, "checks": [{"passed": False}]}}, ["attacks"]),
        ({"foreign": ["FI"]}, ["audit_log", "metadata"]),  # only the run's own files tell of them
    ],
)
def test_what_a_run_did_not_find_is_no_evidence(made, change, checks):
    found = statuses(replace(made.evidence, **change))
    assert {key for key, status in found.items() if status != "held"} == naming(*checks)


def test_an_answer_with_missing_parts_is_evidence_in_part(made):
    answers = made.evidence.answers.copy()
    row = (answers["node"] == "FI") & (answers["kind"] == "count")
    answers.loc[row, "verdict"] = "incomplete"
    found = statuses(replace(made.evidence, answers=answers))
    assert {key for key, status in found.items() if status == "partly"} == naming("counts")


def test_a_wrong_answer_of_one_node_in_a_story_is_no_evidence_about_another(made):
    stories = made.without("FI", {}).stories
    stories[0]["questions"][0]["checks"][0]["observed"]["FI"] = 4
    evidence = replace(made.evidence, stories=stories)
    assert {key for key, one in statuses(evidence).items() if one == "failed"} == naming("matching")
    assert "failed" not in statuses(evidence, "BE").values()
