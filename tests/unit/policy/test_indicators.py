"""The file of indicators, and complaints about it."""

from pathlib import Path

import pytest
import yaml

from rehearsal.errors import InputError
from rehearsal.policy.indicators import read_indicators
from rehearsal.policy.node_checks import CHECKS

from ..altered_files import refusal_of_change
from .conftest import ROOT

FILE = ROOT / "config" / "maturity.yaml"


def test_there_are_49_indicators_in_8_domains_each_with_a_reason():
    indicators = read_indicators(FILE)
    assert len(indicators) == len({one.key for one in indicators}) == 49
    assert len({one.domain for one in indicators}) == 8
    assert all(len(one.reason.split()) >= 3 for one in indicators)


def test_an_assessable_indicator_has_five_levels_and_says_what_a_run_shows_of_one():
    for one in read_indicators(FILE):
        assert len(one.levels) == (5 if one.assessable else 0)
        assert bool(one.shows) == one.assessable


def test_only_where_a_run_can_say_something_there_is_a_level_and_a_check():
    for one in read_indicators(FILE):
        assert one.assessable == bool(one.checks) == (one.level is not None)


def test_two_indicators_with_one_key_are_refused(tmp_path):
    complaint = "expected an indicator once, found a second one with the key lead_body"
    other = "    doctors: {", "    lead_body: {"  # of another domain
    refusal_of_change(FILE, *other, read_indicators, tmp_path, complaint)


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("checks: [metadata]\n", "checks: []\n", "checks: expected at least one check, each once"),
        (
            "checks: [metadata]\n",
            "checks: [metadata, metadata]\n",
            "data.indicators.dataset_metadata.checks: expected at least one check, each once",
        ),
        ("checks: [metadata]\n", "checks: [magic]\n", "expected one of frequencies, variants, .*m"),
        ("\n      checks: [metadata]\n", "\n", "dataset_metadata: expected the key checks"),
        ("level: 3\n", "level: 6\n", "level: expected a whole number from 1 to 5, found 6"),
        ("      level: 3\n", "", "expected the key level"),
        ("assessable: part\n", "assessable: fully\n", "assessable: expected one of none, part"),
        (
            "Careers are not software.}",
            "Careers are real, checks: [records]}",
            "expected no checks, because",
        ),
        (
            '        - "The country has a guideline."\n',
            "",
            "levels: expected 5 levels, .*, found 4",
        ),
        (
            '      shows: "Each',
            '      hides: "Each',
            "level, levels, shows, checks, found the unknown key .hides.",
        ),
        ("reason: Teams are people.", "reason: ''", "reason: expected text"),
    ],
)
def test_an_unusable_file_is_refused_in_one_line(tmp_path: Path, old, new, complaint):
    refusal_of_change(FILE, old, new, read_indicators, tmp_path, complaint)


def test_a_file_with_an_indicator_less_is_refused(tmp_path):
    kept = [line for line in FILE.read_text().splitlines() if "    nurses:" not in line]
    path = tmp_path / "maturity.yaml"
    path.write_text("\n".join(kept))
    with pytest.raises(InputError, match=r"expected all 49 indicators, .*, found 48"):
        read_indicators(path)


def test_the_file_says_which_checks_there_are():
    head = FILE.read_text().partition("\ngovernance:")[0]
    assert all(name in head for name in CHECKS)
    named = {
        check
        for domain in yaml.safe_load(FILE.read_text()).values()
        for one in domain["indicators"].values()
        for check in one.get("checks", [])
    }
    assert named == set(CHECKS)  # a check that is no evidence for anything is not made
