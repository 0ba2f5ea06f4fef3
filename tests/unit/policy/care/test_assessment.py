"""Care is assessed by what the nodes told in stories, and checked against pooled people."""

from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from rehearsal.errors import InputError
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.policy.care.assessment import (
    assess,
    care_checks,
    check_care,
    check_threshold,
    describe_assumptions,
    told_by_nodes,
    told_of_pooled,
)
from rehearsal.policy.care.parameters import read_economics
from rehearsal.policy.care.prevention import HAZARD_RATIO
from rehearsal.report.economics_page import economics_page
from rehearsal.report.economics_words import ASSUMPTIONS
from rehearsal.report.page_elements import Table

CONFIG = Path(__file__).resolve().parents[4] / "config"
FILE = CONFIG / "economics.yaml"
ECONOMICS, TRAITS = read_economics(FILE), read_traits(CONFIG / "traits.yaml")
EDGES = np.round(np.arange(-3, 3.05, 0.2), 10).tolist()
COUNTS = [round(200 * float(np.exp(-(edge**2) / 2))) for edge in EDGES[:-1]]
COEFFICIENT, ERROR = 0.5, 0.1
CARRIERS = {"carriers-brca1-5266dup": 4, "carriers-brca1-68-69del": 2, "carriers-brca2-5946del": 3}


def question(name, kind, **more):
    return {"id": name, "kind": kind, "joined": {}, "details": {}, **more}


@pytest.fixture
def stories():
    regression = {"coefficient": COEFFICIENT, "standardError": ERROR}
    common = [
        question("p", "score", details={"edges": EDGES, "counts": COUNTS, "below": 1, "above": 2}),
        question("h", "hazard_ratio", joined=regression, request={"body": {"confidence": 0.99}}),
    ]
    cancer = [question(key, "beacon", joined={"count": n}) for key, n in CARRIERS.items()]
    return {"common": {"questions": common}, "cancer": {"questions": cancer}}


@pytest.fixture
def truth():
    reach = 2.5758293035489004 * ERROR  # of a normal distribution, 99 %
    limits = {name: np.exp(COEFFICIENT + by) for name, by in (("low", -reach), ("high", reach))}
    rows = [[1, *COUNTS, 2], [0] * (len(COUNTS) + 2)]
    return {
        "common": {
            "p": {"countries": dict(zip(("FI", "EE"), rows, strict=True))},
            "h": {"ratio": np.exp(COEFFICIENT), **limits},
        },
        "cancer": {key: {"FI": {"count": n}, "EE": {"count": 0}} for key, n in CARRIERS.items()},
    }


def assessed(stories, truth):
    nodes = told_by_nodes(ECONOMICS, stories)
    return assess(ECONOMICS, TRAITS, nodes, told_of_pooled(ECONOMICS, stories, truth), seed=1)


def test_sums_of_nodes_give_what_pooled_people_give(stories, truth):
    checks = care_checks(assessed(stories, truth))
    assert len(checks) == 4 and all(one["passed"] for one in checks)


@pytest.mark.parametrize("told", [("p", "counts"), ("h", "coefficient"), ("carriers", "count")])
def test_a_wrong_sum_of_the_nodes_is_found(stories, truth, told):
    name, key = told
    for story in stories.values():
        for one in story["questions"]:
            if one["id"].startswith(name):
                place = one["details"] if key == "counts" else one["joined"]
                place[key] = [9, *COUNTS[1:]] if key == "counts" else place[key] + 1e-6
    if name == "carriers":
        stories["cancer"]["questions"][0]["joined"]["count"] = 5
    failed = [one for one in care_checks(assessed(stories, truth)) if not one["passed"]]
    assert failed


def test_what_nodes_did_not_tell_fails_the_check_and_is_said_on_the_page(stories, truth):
    lost = deepcopy(stories)
    lost["cancer"]["questions"][0]["joined"] = None
    found = assessed(lost, truth)
    assert [one["passed"] for one in care_checks(found)] == [True, True, False, False]
    assert care_checks(found, unheard=["FI"]) == []  # somebody else's node
    summary = {"economics": {**describe_assumptions(ECONOMICS), **found}}
    summary["economics"]["prevention"]["truth"] = None  # not simulated
    assert economics_page(summary).sections[-1].parts[-1].text == (
        "Not assessed: carriers were not counted of BRCA1 (carriers-brca1-5266dup: not answered)."
    )


def test_without_stories_nothing_is_assessed_and_nothing_fails():
    found = assessed({}, {})
    assert found["prevention"]["nodes"] is None and found["cascade"]["pooled"] is None
    assert found["prevention"]["why"] == "the story common was not played"
    assert found["cascade"]["why"] == "the story cancer was not played"
    assert care_checks(found) == []


def test_a_gene_that_no_question_asks_for_is_named_and_not_taken_for_0_carriers(stories, truth):
    asked = [one for one in stories["cancer"]["questions"] if "brca2" not in one["id"]]
    found = assessed(stories | {"cancer": {"questions": asked}}, truth)["cascade"]
    assert found["nodes"] is None
    assert found["why"] == (
        "carriers were not counted of BRCA2 (carriers-brca2-5946del: not asked)"
    )


def test_a_threshold_between_the_edges_of_bins_is_refused():
    edges = np.round(np.arange(-4, 4.05, 0.1), 2)
    check_threshold(FILE, ECONOMICS, edges)
    between = replace(ECONOMICS, prevention=replace(ECONOMICS.prevention, threshold_sd=1.65))
    with pytest.raises(InputError, match=r"threshold_sd: expected an edge .* such as 1\.[67]"):
        check_threshold(FILE, between, edges)


def test_the_page_shows_each_figure_with_its_interval(stories, truth):
    found = assessed(stories, truth)
    for one in found.values():
        one["truth"] = {"euro": 1234.5, "qaly": 0.5, "ratio": 2469.0, "benefit": 13765.5}
        one["truth"]["arms"] = None
    page = economics_page({"economics": {**describe_assumptions(ECONOMICS), **found}})
    _, genes, arms, gains, _, single = page.sections[-1].parts
    assert genes.text.startswith("Carriers that the nodes counted: BRCA1 6, BRCA2 3.")
    rows = {row[0]: row for row in gains.rows}
    nodes = found["cascade"]["nodes"]
    low, high = nodes["ratio_interval"]
    assert rows["Euro per QALY"] == (
        "Euro per QALY",
        f"{nodes['ratio']:,.0f} €",
        f"{float(f'{low:.1e}'):,.0f} € to {float(f'{high:.1e}'):,.0f} €",  # two digits
        f"{nodes['ratio']:,.0f} €",
        "2,469 €",
    )
    usual = nodes["arms"]["usual"]
    assert arms.rows[0][:3] == ("Usual care", f"{usual['euro']:,.0f} €", f"{usual['qaly']:.4f}")
    assert len(single.rows) == len(nodes["single"]) > 10
    assumptions = [part.rows for part in page.sections[2].parts if isinstance(part, Table)]
    assert list(map(len, assumptions)) == [6, 12, 16]  # every one of them, with its source


def test_every_assumption_has_words_on_the_page():
    values = {**ECONOMICS.prevention.values, **ECONOMICS.cascade.values, **ECONOMICS.shared}
    assert {*values, "discount_rate", HAZARD_RATIO} == set(ASSUMPTIONS)


@pytest.mark.parametrize(
    ("part", "change", "line"),
    [
        ("prevention", {"disease": "melanoma"}, "disease: expected a disease of"),
        ("cascade", {"disease": "gout"}, "disease: expected a disease of"),
        ("cascade", {"carriers": {"BRCA3": ()}}, "carriers: expected a gene that"),
    ],
)
def test_a_disease_or_gene_that_the_run_lacks_is_said_before_the_first_job(part, change, line):
    changed = replace(ECONOMICS, **{part: replace(getattr(ECONOMICS, part), **change)})
    with pytest.raises(InputError, match=line):
        check_care(FILE, changed, TRAITS, ["common", "cancer"])
    check_care(FILE, changed, TRAITS, [])  # their stories are not played
