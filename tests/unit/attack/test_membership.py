"""The membership attack finds members of an open node, and not behind the public protection."""

import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from pyroaring import BitMap

from rehearsal.attack.membership import (
    ATTACKS,
    QUERIES,
    AttackedNode,
    Bounds,
    Lists,
    Price,
    area_under_curve,
    evidence,
    ladder,
    membership_table,
    power,
    presence_ratio,
    privacy_summary,
    read_nodes,
    replies,
)
from rehearsal.model import Variant
from rehearsal.node.privacy.protection import (
    PUBLIC,
    UNPROTECTED,
    Budget,
    Guard,
    Protection,
    PublicShares,
    noise,
    protect_boolean,
    protect_count,
    question_key,
)
from rehearsal.node.privacy.public_frequencies import write_public_shares
from rehearsal.stores.carrier_lists import encode
from rehearsal.stores.people_store_writer import build_people
from rehearsal.stores.variant_store_writer import StoreWriter

KEY = bytes(32)


def made_up_node(people=100, alleles=12_000, targets=60, seed=1):
    """Independent alleles, as many of each frequency as neutral drift leaves."""
    random = np.random.default_rng(seed)
    frequency = 5e-4 * (0.5 / 5e-4) ** random.random(alleles)
    share = 1 - (1 - frequency) ** 2
    holds = random.random((people, alleles)) < share
    held = np.flatnonzero(holds.any(axis=0))
    carriers = Lists.of([np.flatnonzero(holds[:, v]).astype(np.int32) for v in held])
    return AttackedNode(
        code="AT",
        people=people,
        questions=[question_key(f"chr1-{v}-A-T") for v in held],
        carriers=carriers,
        alleles=carriers.turned(people),
        known=share[held],
        targets=np.arange(targets),
    )


@pytest.fixture(scope="module")
def node():
    return made_up_node()


@pytest.fixture(scope="module")
def table(node):
    return membership_table([node], ladder(), seed=7)


def powers(table, protection, attack=None):
    rows = table[table["protection"] == protection]
    rows = rows if attack is None else rows[rows["attack"] == attack]
    return rows.set_index("queries")["power"]


def test_an_open_node_falls_to_a_few_questions_about_rare_alleles(table):
    assert powers(table, "none", "rarest")[10] > 0.9
    assert powers(table, "none", "presence")[10] < 0.3, "random alleles take many more"
    assert powers(table, "none", "presence")[1000] > 0.9
    assert powers(table, "none", "frequency")[1000] > powers(table, "none", "frequency")[1]


def test_a_threshold_rounding_and_noise_only_buy_questions(table):
    for protection in ("threshold", "threshold, rounding", "threshold, rounding, noise"):
        assert powers(table, protection)[1].max() < 0.25
        assert powers(table, protection)[1000].max() > 0.5


def test_the_public_default_keeps_its_promise_against_every_attack(table):
    assert set(table["attack"]) == set(ATTACKS) and set(table["queries"]) == set(QUERIES)
    # 60 targets: one is 1.7 %
    assert powers(table, "public default").max() <= 0.13
    assert powers(table, "public default").mean() <= 0.07


def test_protection_costs_utility_and_the_table_says_so(table):
    costs = table.groupby("protection")[["refused", "refused_common", "uncounted"]].first()
    assert (costs.loc["none"] == 0).all()
    assert (costs.loc["public default"] >= costs.loc["threshold, rounding, noise"]).all()
    assert (costs.loc["public default"] < 1).all()


def test_the_same_seed_gives_the_same_table(node):
    small = replace(node, targets=node.targets[:20])
    rules = ladder()[-1:]
    pd.testing.assert_frame_equal(
        membership_table([small], rules, seed=3), membership_table([small], rules, seed=3)
    )


@pytest.mark.parametrize("counted", [False, True])
@pytest.mark.parametrize("left_out", [-1, 3])
@pytest.mark.parametrize(
    "protection",
    [PUBLIC, UNPROTECTED, Protection(5, 5, 1, 0.1, 0.3), Protection(10, 10, 9, 0.02, 0.02)],
)
def test_the_replay_tells_what_the_node_itself_would(protection, left_out, counted):
    node = made_up_node(people=60, alleles=600)
    asked = np.random.default_rng(5).permutation(len(node.questions))[:200]
    drawn = np.array([noise(KEY, question, protection) for question in node.questions])
    price = Price.of(node, protection)
    told = replies(node, asked, left_out, counted, protection, price, drawn)
    guard = Guard(KEY, node.people, protection, Budget([str(i) for i in range(node.people)]))
    for i, v in enumerate(asked):
        carriers = BitMap(node.carriers[v]) - BitMap([left_out] if left_out >= 0 else [])
        question, share = node.questions[v], float(node.known[v])
        if counted:
            answer = protect_count(guard, "u", question, carriers, share)
            assert told.exists[i] == answer.exists
            assert told.count[i] == (-1 if answer.count is None else answer.count)
        else:
            assert told.exists[i] == protect_boolean(guard, "u", question, carriers, share)


def test_turned_lists_say_who_has_what():
    lists = Lists.of([np.array(one, np.int32) for one in ([0, 2], [], [2], [1, 2])])
    assert [lists.turned(4)[i].tolist() for i in range(4)] == [[0], [3], [0, 2, 3], []]


def test_answers_that_tell_nothing_have_the_power_of_their_false_positives():
    assert power(np.zeros(70), np.zeros(70), 0.05) == pytest.approx(0.05)
    assert area_under_curve(np.zeros(70), np.zeros(30)) == 0.5


def test_power_and_area_of_scores_worked_out_by_hand():
    outside = np.arange(20.0)
    inside = np.array([18.5, 19.0, 19.5, 30.0])
    # one in twenty is accused: all above 18, which is only the non-member at 19
    assert power(inside, outside, 0.05) == 1.0
    assert power(np.array([17.0, 18.0, 30.0]), outside, 0.05) == pytest.approx(1 / 3)
    assert area_under_curve(inside, outside) == pytest.approx((19 + 19.5 + 20 + 20) / 80)


def test_without_protection_the_evidence_is_that_of_raisaro():
    known = evidence(100, UNPROTECTED, counted=False)
    row = int(np.searchsorted(known.grid, 0.003))
    nobody = (1 - known.grid[row]) ** 100
    absent, there = known.ratio[row]
    assert there == pytest.approx(-math.log(1 - nobody), rel=0.3)
    assert absent < math.log(2e-6), "only an error of the genotype explains it"


def test_the_gain_moves_to_the_threshold():
    shares = np.array([0.001, 0.1, 0.7])
    plain, hidden = (evidence(100, rules, False) for rules in (UNPROTECTED, Protection(10, 1, 0)))
    assert plain.gain[plain.nearest(shares)].argmax() == 0
    assert hidden.gain[hidden.nearest(shares)].argmax() == 1


def test_evidence_with_unknown_frequencies_speaks_for_yes_and_against_no():
    there, absent = presence_ratio(np.geomspace(0.001, 0.9, 500), 100)
    assert there > 0 > absent


# --- from the nodes' files ----------------------------------------------------------------------


def write_node(folder, rows, families):
    folder.mkdir(parents=True)
    people = pd.DataFrame(
        {"id": [f"{folder.name}-{i}" for i in range(len(families))], "sex": "female"}
    ).assign(family=families, father=None, mother=None, birth_year=1970)
    people.to_parquet(folder / "individuals.parquet")
    build_people(people, {}, folder / "people.sqlite")
    contigs = {"chr1": 10_000, "chrX": 10_000}
    with StoreWriter(folder / "variants.sqlite", people, contigs) as writer:
        for number, contig in enumerate(contigs):
            of_contig = [row for row in rows if row[0] == contig]
            writer.write(folder, [_row(number, row, len(families)) for row in of_contig])


def _row(number, row, people):
    _, start, alt, carriers = row
    n = len(carriers)
    counts = (2 * people, n, 0, n, 0, 0, 0, 0, 0, 0)
    return (number, start, "A", alt, *counts, encode(np.array(carriers)), b"")


@pytest.fixture
def folders(tmp_path):
    nobody = [None] * 22
    write_node(
        tmp_path / "AT",
        [("chr1", 5, "T", [0, 1]), ("chr1", 9, "T", [21]), ("chrX", 5, "T", [0])],
        nobody,
    )
    write_node(
        tmp_path / "BE",
        [("chr1", 5, "T", [3]), ("chr1", 7, "G", [0, 1, 2])],
        ["f", "f", *[f"alone-{i}" for i in range(20)]],
    )
    found = {code: tmp_path / code for code in ("AT", "BE")}
    write_public_shares(found)
    return found


def test_public_shares_are_of_the_other_countries(folders):
    at, be = (PublicShares.open(folders[code] / "public_shares.npz") for code in ("AT", "BE"))
    shared, only_be = (
        question_key(str(Variant("chr1", start, "A", alt))) for start, alt in ((5, "T"), (7, "G"))
    )
    assert (at.people, be.people) == (22, 22)
    assert at.share(shared) == pytest.approx(1 / 22) and be.share(shared) == pytest.approx(2 / 22)
    assert be.share(only_be) == 0.5 / 23, "its own carriers are not public"
    assert at.share(only_be) == 3 / 22, (
        "what is common elsewhere is priced also where nobody has it"
    )


def test_nodes_are_read_with_autosomes_only_and_kin_is_no_target(folders):
    at, be = read_nodes(folders)
    assert (at.code, be.code) == ("AT", "BE")
    assert [at.carriers[v].tolist() for v in range(2)] == [[0, 1], [21]] and len(at.questions) == 2
    assert at.known.tolist() == pytest.approx([1 / 22, 0.5 / 23])
    assert at.targets.tolist() == list(range(22)) and be.targets.tolist() == list(range(2, 22))


def test_bounds_take_the_first_people_and_alleles(folders):
    (node,) = read_nodes(folders, Bounds(nodes=1, people=20, alleles=1))
    assert node.people == 20 and len(node.questions) == 1 and node.targets.tolist() == [*range(20)]


# --- what the run says --------------------------------------------------------------------------


def test_the_summary_judges_the_promise_and_shows_the_open_node(table):
    summary = privacy_summary(table)
    promised, unprotected = summary["checks"]
    assert unprotected["passed"] and unprotected["observed"] >= 0.9
    assert promised["expected"] == "at most 0.1"
    assert len(summary["table"]) == len(ladder()) * len(ATTACKS) * len(QUERIES)
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
