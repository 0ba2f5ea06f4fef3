"""The membership attack finds members of an open node, and not behind the public protection."""

from dataclasses import replace

import pandas as pd

from rehearsal.attack.attacker import ATTACKS, QUERIES
from rehearsal.attack.membership_table import (
    membership_table,
    privacy_summary,
    protection_ladder,
)


def powers(table, protection, attack=None):
    rows = table[table["protection"] == protection]
    rows = rows if attack is None else rows[rows["attack"] == attack]
    return rows.set_index("queries")["power"]


def test_a_few_questions_about_rare_alleles_break_an_open_node(table):
    assert powers(table, "none", "rarest")[10] > 0.9
    assert powers(table, "none", "presence")[10] < 0.3, "random alleles need many more"
    assert powers(table, "none", "presence")[1000] > 0.9
    assert powers(table, "none", "frequency")[1000] > powers(table, "none", "frequency")[1]


def test_threshold_rounding_and_noise_only_delay_the_attack(table):
    for protection in ("threshold", "threshold, rounding", "threshold, rounding, noise"):
        assert powers(table, protection)[1].max() < 0.25
        assert powers(table, protection)[1000].max() > 0.5


def test_the_public_default_keeps_its_promise_against_every_attack(table):
    assert set(table["attack"]) == set(ATTACKS) and set(table["queries"]) == set(QUERIES)
    # 60 targets: one is 1.7 %
    assert powers(table, "public default").max() <= 0.13
    assert powers(table, "public default").mean() <= 0.07


def test_the_table_shows_the_utility_that_protection_costs(table):
    costs = table.groupby("protection")[["refused", "refused_common", "uncounted"]].first()
    assert (costs.loc["none"] == 0).all()
    assert (costs.loc["public default"] >= costs.loc["threshold, rounding, noise"]).all()
    assert (costs.loc["public default"] < 1).all()


def test_the_same_seed_gives_the_same_table(node):
    small = replace(node, targets=node.targets[:20])
    rules = protection_ladder()[-1:]
    pd.testing.assert_frame_equal(
        membership_table([small], rules, seed=3), membership_table([small], rules, seed=3)
    )


def test_the_summary_judges_the_promise_and_shows_the_open_node(table):
    summary = privacy_summary(table)
    promised, unprotected = summary["checks"]
    assert unprotected["passed"] and unprotected["observed"] >= 0.9
    assert promised["expected"] == "at most 0.1"
    assert len(summary["table"]) == len(protection_ladder()) * len(ATTACKS) * len(QUERIES)
    assert {row["tier"] for row in summary["table"]} == {"public", "registered", "controlled"}
    assert summary["measured"]["targets"] == 60


def test_a_broken_promise_fails_the_check(table):
    leaking = table.assign(power=table["power"].where(table["protection"] == "none", 0.3))
    assert [check["passed"] for check in privacy_summary(leaking)["checks"]] == [False, True]
    blunt = table.assign(power=0.05)
    assert [check["passed"] for check in privacy_summary(blunt)["checks"]] == [True, False]


def test_small_nodes_are_shown_but_not_judged(table):
    summary = privacy_summary(table.assign(people=99))
    assert summary["table"] and summary["checks"] == []
    assert privacy_summary(table.iloc[:0]) == {
        "measured": {"nodes": []},
        "table": [],
        "checks": [],
    }
