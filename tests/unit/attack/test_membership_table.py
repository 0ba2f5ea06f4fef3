"""The attacks find members and diagnoses without protection, and not behind the door."""

import pandas as pd
import pytest

from rehearsal.attack.attacks import ATTACKS, CLASSIC
from rehearsal.attack.membership_table import (
    COLUMNS,
    _checks,
    answers_per_release,
    mount_attacks,
)
from rehearsal.attack.strategies import ATTACKERS


@pytest.fixture(scope="module")
def found(made_up_nodes):
    return mount_attacks(made_up_nodes, seed=7)


@pytest.fixture(scope="module")
def rows(found):
    return pd.DataFrame(found[1]["table"]).set_index(["secret", "attack", "attacker"]).sort_index()


def test_every_attack_has_a_row_for_both_attackers_and_for_each_node(found, rows):
    table, summary = found
    number = sum(map(len, ATTACKS.values())) * len(ATTACKERS)
    assert len(rows) == number and list(table.columns) == COLUMNS
    assert len(table) == number * len(summary["measured"]["nodes"]) == 2 * number
    assert summary["measured"]["targets"] == 2 * 98  # of 101: two relatives, one without consent


def test_the_attacks_find_everybody_without_protection(rows):
    assert rows.loc["membership", CLASSIC]["power_none"].min() > 0.9
    everybody = rows.xs("everybody else", level="attacker")["power_none"]
    for attack in ("counts of alleles", "filters beside near-fixed alleles"):
        assert everybody["membership", attack] > 0.9
    assert everybody["diagnosis", "counts of groups of people"] > 0.9


def test_form_filters_and_lists_break_the_earlier_rules(rows):
    earlier = rows["power_earlier"]
    for secret in ("membership", "diagnosis"):
        assert earlier[secret, "form of answers to ranges", "everybody else"] > 0.6
        assert earlier[secret, "filters beside near-fixed alleles", "everybody else"] > 0.6


def test_behind_the_door_the_strongest_attack_finds_few(rows):
    # 196 targets: a chance of 5 % has a standard error of 1.6 %
    assert rows["power_today"].max() < 0.12
    assert rows["power_today"].mean() < 0.07
    assert (rows["upper_bound"] >= rows["power_today"]).all()
    assert rows["paid"].max() == 2


def test_a_promise_is_not_judged_on_too_few_targets(found):
    names = [check["name"] for check in found[1]["checks"]]
    assert not [name for name in names if "upper" in name]
    assert all(check["passed"] for check in found[1]["checks"])


def test_a_promise_is_not_judged_on_genomes_that_hardly_differ(found):
    """A region of 1 Mb in two countries: the attack is weak with and without protection."""
    table = [dict(row, targets=600, asked=9_900) for row in found[1]["table"]]
    judged = [one["name"] for one in _checks(table, {})]
    few = [dict(row, asked=1_500, power_none=0.15) for row in table]
    assert [one["name"] for one in _checks(few, {})] == judged[-1:]
    assert [name.split(":")[0].split(" of ")[0] for name in judged[:-1]] == [
        "membership",
        "diagnosis",
        "power without protection",
    ]


def test_larger_nodes_give_more_answers_with_more_noise():
    rows = {(one["people"], one["tier"]): one for one in answers_per_release((100, 10_000))}
    # 0.01 nats at 1 / (2 * 100) nats each, and at 1 / (2 * 10,000)
    assert rows[100, "public"]["answers"] == 2 and rows[100, "public"]["of_one_caller"] == 1
    assert rows[10_000, "public"]["answers"] == 200
    assert rows[10_000, "public"]["standard_deviation"] == 100.0
    # 2.5 nats at 1 / (2 * 9) nats each
    assert rows[100, "registered"]["answers"] == 45
