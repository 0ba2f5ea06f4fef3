"""The section on federated analyses, their figures, and marks in junit.xml."""

from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest

from rehearsal.report.figures.association import (
    manhattan_figure,
    methods_figure,
    quantile_figure,
)
from rehearsal.report.junit import write_junit
from rehearsal.report.sections.analyses import analyses_section
from rehearsal.report.sections.verdicts import verdicts
from rehearsal.report.tables import AnalysisTables

CHECK = {"name": "gwas: z", "expected": "at most 1e-09", "observed": "1e-12", "passed": True}
MARK = {"name": "gwas, masked", "why": "masked sums need at least three nodes"}
BURDEN = {
    "outcome": "LOINC:8302-2",
    "weights": None,
    "consequences": ["stop_gained", "missense_variant"],
    "largest_frequency": 0.05,
}
NOBODY = {
    "why": "This node runs no algorithms: bubblewrap is not installed.",
    "nodes": {"FI": {"outcome": "failed", "reason": "no", "round": None}},
    "rounds": 0,
    "seconds": 1.0,
    "checks": [],
    "marks": [MARK],
    "pca": {},
    "gwas": {"tested": 0},
    "burden": BURDEN,
    "logistic": {"tested": 0},
}
EFFECT = {
    "variant": "chr2-11-A-C",
    "unit": "cm",
    "frequency": 0.2,
    "simulated": 0.5,
    "estimate": 0.4,
    "error": 0.1,
    "is_within": True,
    "meta_estimate": 0.3,
}
COST = {
    "mode": "clear",
    "frequency": "1 to 5 %",
    "variants": 12,
    "largest": 3.75,
    "median": 0.4,
    "correlation": 0.49,
    "lost": 7,
    "lost_signals": 2,
    "hidden": 0.51,
}
FOUND = NOBODY | {
    "why": "",
    "nodes": {"FI": {"outcome": "took part", "reason": "", "round": None}},
    "rounds": 9,
    "checks": [CHECK],
    "gwas": {
        "mode": "clear",
        "tested": 40,
        "people": 200,
        "outcome": "LOINC:8302-2",
        "inflation": 1.02,
        "top": {"variant": "chr2-11-A-C", "p": 1e-9, "beta": 0.5, "hidden_people": 3},
        "hidden": [COST],
        "meta": {
            "all": {"variants": 40, "largest": 1.5, "median": 0.1, "correlation": 0.9},
            "country": {"variants": 40, "largest": 0.7, "median": 0.05, "correlation": 0.98},
        },
        "effects": [EFFECT],
    },
    "logistic": {
        "mode": "masked",
        "outcome": "ICD10:E78.5",
        "covariates": ["sex", "age"],
        "window": 5000,
        "least_frequency": 0.05,
        "tested": 30,
        "people": 200,
        "cases": 40,
        "penalised": 1,
        "inflation": 1.1,
        "top": {"variant": "chr2-11-A-C", "p": 1e-4, "odds_ratio": 1.52},
    },
}


@pytest.fixture
def table():
    random = np.random.default_rng(1)
    z = random.normal(size=40)
    return pd.DataFrame(
        {
            "contig": ["chr10"] * 20 + ["chr2"] * 20,
            "position": np.arange(40) * 1000,
            "ref": "A",
            "alt": "C",
            "p": np.append(random.uniform(size=39), 1e-9),
            "clear_z": z,
            "clear_truth_z": z,
            "meta_z": z + 0.1,
            "country_z": z,
            "hidden_people": [0] * 39 + [3],
        }
    )


@pytest.fixture
def found(table):
    burden = pd.DataFrame(
        [{"gene": "BRCA1", "step": "burden", "carriers": 0.1, "people": 200, "beta": np.nan,
          "qualifying": 9, "unnamed": 8, "se": np.nan, "p": np.nan}]
    )  # fmt: skip
    return AnalysisTables(table, burden, pd.DataFrame({"country": [], "PC1": [], "PC2": []}))


def test_the_section_tells_what_was_found_and_how_exact_it_is(found):
    section = analyses_section({"analyses": FOUND}, found, [])
    text = repr(section)
    assert "1 of 1 nodes took part in 9 rounds" in text
    assert "Linear regression of LOINC:8302-2 in clear, on 40 variants of 200 people" in text
    assert "of chr2-11-A-C, where 3 people are hidden" in text
    assert "correlation of 0.900 and differs by up to 1.50 in z" in text
    assert "it has one of 0.980 and differs by up to 0.70" in text
    assert "('clear', '1 to 5 %', '12', '3.75', '0.4', '0.490', '7', '2', '51.0%')" in text
    assert "the interval of 95 % holds 1 of 1" in text
    assert "Logistic regression of ICD10:E78.5 under masks, on 30 autosomal variants whose" in text
    assert "40 of 200 people have it" in text
    assert "('gwas, masked', '–', 'masked sums need at least three nodes', 'marked')" in text
    assert [part.key for part in section.parts if hasattr(part, "key")] == [
        *("manhattan", "quantiles", "methods"),
    ]


def test_a_weighted_burden_says_its_weights(found):
    weighted = FOUND | {"burden": BURDEN | {"weights": "beta"}}
    assert "alleles of a gene, with weights beta." in repr(
        analyses_section({"analyses": weighted}, found, [])
    )
    text = repr(analyses_section({"analyses": FOUND}, found, []))
    assert "against those who do not" in text
    assert "stop gained, missense variant, and a joint frequency of at most 5.0%." in text


def test_without_sandboxes_the_section_says_why_and_no_verdict_fails(found):
    empty = AnalysisTables(found.gwas.iloc[:0], found.burden.iloc[:0], found.components)
    section = analyses_section({"analyses": NOBODY}, empty, [])
    assert "The analyses were not run. This node runs no algorithms: bubblewrap" in repr(section)


def test_a_run_without_analyses_has_no_section(found):
    assert analyses_section({"analyses": {}}, None, []) is None


def test_their_checks_are_a_verdict_and_marks_are_skipped_in_junit(summary, answers, tmp_path):
    summary |= {"analyses": FOUND}
    (shown,) = [one for one in verdicts(summary) if one.title == "Federated analyses"]
    assert (shown.value, shown.passed) == ("1 of 1", True)
    write_junit(tmp_path / "junit.xml", summary, answers, ["FI"])
    suite = ElementTree.parse(tmp_path / "junit.xml").find("testsuite[@name='analyses']")
    assert (suite.get("tests"), suite.get("skipped"), suite.get("failures")) == ("2", "1", "0")
    assert suite.find("testcase/skipped").get("message") == MARK["why"]


def test_contigs_are_in_their_order(table):
    drawn = manhattan_figure(table).to_dict()
    names = [one["name"] for rows in drawn["datasets"].values() for one in rows if "name" in one]
    assert names == ["2", "10"]
    assert "The smallest is 1e-09 on chr2. People are hidden in 1 of" in drawn["description"]
    tips = [one["tip"] for rows in drawn["datasets"].values() for one in rows if "tip" in one]
    assert [tip for tip in tips if tip.endswith("3 people hidden")] == [
        "chr2:39,001 A>C, p = 1e-09, 3 people hidden"
    ]


def test_quantiles_are_compared_with_those_expected(table):
    assert (
        "largest -log10 p is 9.0, expected 1.9" in quantile_figure(table).to_dict()["description"]
    )


def test_methods_that_were_not_played_are_not_drawn(table):
    described = methods_figure(table).to_dict()["description"]
    assert "meta-analysis of countries 0.1" in described
    assert "masked" not in described


@pytest.mark.parametrize("draw", [manhattan_figure, quantile_figure, methods_figure])
def test_nothing_tested_is_said_in_the_place_of_a_figure(table, draw):
    assert "Nothing to show" in draw(table.iloc[:0]).to_dict()["description"]
