"""The section on re-identification says what protection costs honest users."""

import pandas as pd

from rehearsal.report.page_elements import Table
from rehearsal.report.sections.privacy import privacy_section

ROW = {"secret": "membership", "attack": "lists", "attacker": "frequencies", "power_none": 1.0}
ROW |= {"power_earlier": 0.5, "power_today": 0.05, "upper_bound": 0.06, "power_worst_node": 0.1}
ROW |= {"auc": 0.5, "asked": 10, "paid": 2, "free": 4, "refused": 4}
ANSWERS = {"people": 100, "tier": "public", "answers": 2, "of_one_caller": 1}
STORY = {"right": 7, "wrong": 1, "budget": 2, "not open": 3}


def answer(tier, kind, node, state, basis, count=None, truth=""):
    row = {"tier": tier, "kind": kind, "node": node, "state": state, "basis": basis}
    return row | {"count": count, "truth": truth}


def tables_of(answers):
    privacy = {
        "measured": {"nodes": ["AT"], "targets": 500, "false_positives": 0.05},
        "table": [ROW],
        "answers": [{**ANSWERS, "standard_deviation": 10.0}],
        "stories": [{"story": "rare", **STORY}, {"story": "common", **dict.fromkeys(STORY, 0)}],
    }
    section = privacy_section({"privacy": privacy}, pd.DataFrame(answers))
    return {one.columns[0].title: one for one in section.parts if isinstance(one, Table)}


def test_the_suite_is_counted_by_how_its_answers_came_about():
    people = ("public", "individuals")
    found = tables_of(
        [
            answer(*people, "AT", "answered", "noisy count", 50, "no more than yes, count 44"),
            answer(*people, "BE", "answered", "noisy count", 40, "no more than yes, count 44"),
            answer(*people, "CY", "refused", ""),
            answer(*people, "DE", "answered", "public facts"),
            answer(*people, "network", "answered", "", 90),
            answer("controlled", "individuals", "AT", "answered", "", 44),
        ]
    )
    (row,) = found["Tier"].rows
    assert row == ("public", "individuals", "4", "25.0%", "50.0%", "25.0%", "5.0")


def test_stories_without_beacon_questions_are_left_out():
    (row,) = tables_of([answer("public", "presence", "AT", "refused", "")])["Story"].rows
    assert row == ("rare", "7", "1", "2", "3")
