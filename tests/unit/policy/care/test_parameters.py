"""Assumptions of the models of care: what is wrong with them is said in a line."""

import re
from pathlib import Path

import pytest

from rehearsal.policy.care.assessment import describe_assumptions
from rehearsal.policy.care.parameters import read_economics

from ...altered_files import refusal_of_change

FILE = Path(__file__).resolve().parents[4] / "config/economics.yaml"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        (
            "utility_ill: {value: 0.78",
            "utility_ill: {value: -0.78",
            "score_based_prevention.utility_ill.value: expected a number from 0 to 1, found -0.78",
        ),
        (
            'test_euro: {value: 60, low: 30, high: 120, source: "array and analysis, once (a)"}',
            "test_euro: {value: 60}",
            "score_based_prevention.test_euro: expected the key source, found the keys value",
        ),
        (
            'test_euro: {value: 60, low: 30, high: 120, source: "array and analysis, once (a)"}',
            'test_euro: {value: 60, source: " "}',
            "score_based_prevention.test_euro.source: expected text, found ' '",
        ),
        (
            "utility_ill: {value: 0.78",
            "utility_ill: {value: 0.95",
            "score_based_prevention.utility_ill: expected at most utility_well, 0.88, found 0.95",
        ),
        (
            "event_qaly: {value: 0.05",
            "event_qaly: {value: -0.05",
            "score_based_prevention.event_qaly.value: expected a number from 0 to 1, found -0.05",
        ),
        (
            "se: 15, draw: gamma",
            "se: 15",
            "treatment_euro_a_year: expected se and draw, or neither, found one of them",
        ),
        (
            "se: 15, draw: gamma",
            "se: 15, draw: normal",
            "draw: expected one of lognormal, gamma, beta, found 'normal'",
        ),
        (
            "surgery_share: {value: 0.35, se: 0.05",
            "surgery_share: {value: 0.35, se: 0.5",
            "cascade_testing.surgery_share.se: expected a number from 1e-09 to 0.238485, found 0.5",
        ),
        (
            "low: 30, high: 120",
            "low: 30",
            "expected low and high, or neither, found one of them",
        ),
        (
            "low: 30, high: 120",
            "low: 70, high: 120",
            "test_euro.low: expected a number from 0 to 60, found 70",
        ),
        ("low: 0.83,", "low: 0.7,", "utility_well: expected a low of at least utility_ill, 0.78,"),
        (
            "se: 15, draw: gamma",
            "se: 15, draw: gamma, low: 1, high: 99",
            "treatment_euro_a_year: expected se and draw, or low and high, found both",
        ),
        ("mode: {value: 88.5", "mode: {value: 885", "mortality.female.mode.value: expected a num"),
        ("mode: {value: 84.0", "mode: {value: 5", "mode.value: expected a number from 40 to 120"),
        ("slope: {value: 0.115", "slope: {value: 100", "expected a number from 0.01 to 0.5"),
        ("currency_year: 2024", "currency_year: 2100", "currency_year: expected a whole number"),
        ("end_age: 75", "end_age: 40", "end_age: expected a whole number from 41 to 100, found 40"),
        ("  BRCA2: [carriers", "  {}: [carriers", "expected valid YAML"),
    ],
)
def test_a_wrong_assumption_is_said_in_a_line(tmp_path, old, new, line):
    said = refusal_of_change(FILE, old, new, read_economics, tmp_path)
    assert said.startswith(str(tmp_path / "economics.yaml")) and line in said


def test_every_value_has_a_mark_of_its_source():
    economics = read_economics(FILE)
    rows = describe_assumptions(economics)["assumptions"]
    marked = re.compile(r"\((r|m|a)\)")
    assert [one["name"] for one in rows if not marked.search(one["source"])] == []
    names = {one["name"] for one in rows}
    assert {"discount_rate", "euro_per_qaly", "risk_ratio", "mortality_mode_male"} <= names
