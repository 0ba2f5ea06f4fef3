"""The people whom the shipped stories add to a cohort: as few as the questions need."""

import re
from collections import Counter
from dataclasses import replace

import pytest

from rehearsal.stories.story_reader import read_stories

from .conftest import ROOT

PAGE = ROOT / "docs/tutorials/write-a-story.md"


@pytest.fixture(scope="module")
def patients(references):
    """The planted patients of a run of all countries."""
    lines = (ROOT / "config/countries.tsv").read_text().splitlines()[1:]
    everywhere = replace(references, countries=[line.split("\t")[0] for line in lines])
    stories = read_stories(ROOT / "config/stories", everywhere)
    return [patient for story in stories for patient in story.patients]


def test_story_patients_do_not_dominate_a_cohort_of_2800_people(patients):
    assert len(patients) <= 100
    # about 50 women of such a cohort have breast cancer without any story
    breast_cancer = [one for one in patients if "breast_cancer" in (one.diseases or {})]
    assert len(breast_cancer) < 50
    assert max(Counter(one.country for one in patients).values()) <= 25


def test_the_page_says_who_they_are_and_how_many(patients):
    section = PAGE.read_text().split("### The patients of the four stories")[1].split("\n## ")[0]
    told, entries = 0, set()
    for story, names, number in re.findall(r"\| (\w+) \| (.*?) \| (\d+) \|", section):
        listed = re.findall(r"`([\w-]+)`", names)
        kinds = [
            one for one in patients if (one.story, one.template) in {(story, n) for n in listed}
        ]
        assert len(kinds) == int(number), names
        told += int(number)
        entries |= {(story, name) for name in listed}
    assert told == len(patients)
    assert entries == {(one.story, one.template) for one in patients}
