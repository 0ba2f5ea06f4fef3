"""Costs of three designs, computed a second time with quantities that carry their units."""

import csv
import json

import numpy as np
import pandas as pd
import pint
import pytest

from rehearsal.model import Block
from rehearsal.policy.cost_model import Quantities, break_even, yearly_costs
from rehearsal.policy.costs import build_costs, draw_values, measure
from rehearsal.policy.prices import Product, read_prices

from .conftest import ROOT

PRICES = ROOT / "config" / "prices.tsv"
MEASURED = Quantities(
    people=2000,
    countries=20,
    questions=400,
    bytes_over_borders=60_000.0,
    bytes_of_one_answer=4_000.0,
    network_cpu_s=0.008,
    nodes_cpu_s=0.1,
    single_cpu_s=0.002,
    single_people=100,
    genome_bytes=16e6,
    record_bytes=3e4,
    frequency_bytes=2.7e10,
    frequency_share=0.6,
)
GDP = {
    code: Product(value, 2023, "made up") for code, value in (("BE", 600), ("FI", 300), ("MT", 20))
}


@pytest.fixture(scope="module")
def costs():
    return build_costs(MEASURED, read_prices(PRICES), GDP, seed=3)


@pytest.fixture(scope="module")
def without_malta():
    return build_costs(MEASURED, read_prices(PRICES), GDP | {"MT": None}, seed=3)


@pytest.fixture(scope="module")
def second():
    """Costs at the middle of all prices, with pint's quantities, read with another reader."""
    ureg = pint.UnitRegistry()
    for definition in ("EUR = [currency]", "questions = []"):
        ureg.define(definition)
    with PRICES.open() as file:
        rows = {row["item"]: row for row in csv.DictReader(file, delimiter="\t")}

    def mid(item):
        unit = rows[item]["unit"]
        value = float(rows[item]["mid"])
        return value if unit in ("people", "copies", "exponent") else value * ureg(unit)

    def of(people):
        byte, second = ureg.byte, ureg.second
        growth = people / 2000
        genotypes = 2000 * growth ** mid("storage_growth") * 16e6 * byte
        stores = 2.7e10 * growth ** mid("store_growth") * byte
        data = genotypes + stores + people * (3e4 * byte + mid("reads"))
        cpu = growth ** mid("computing_growth") * second * mid("computing")
        # a centre grows from the node that was measured, of 100 people
        one_cpu = 0.002 * (people / 100) ** mid("computing_growth") * second * mid("computing")
        asked, staffed = mid("questions"), mid("salary")
        federated = (
            data * mid("copies") * mid("storage")
            + asked * 60_000 * byte * mid("transfer")
            + asked * 0.108 * cpu
            + 20 * mid("node_server")
            + (20 * mid("node_staff") + mid("network_staff")) * staffed
        )
        central = (
            data * (mid("copies") + 1) * mid("storage")
            + (data * mid("renewal") + asked * 4_000 * byte) * mid("transfer")
            + asked * one_cpu
            + mid("centre_server")
            + (20 * mid("delivery_staff") + mid("centre_staff")) * staffed
            + 20 * mid("agreement")
        )
        hybrid = (
            federated
            - 0.6 * asked * (56_000 * byte * mid("transfer") + 0.108 * cpu - one_cpu)
            + stores * mid("copies") * mid("storage")
            + stores * mid("renewal") * mid("transfer")
            + mid("node_server")
            + mid("summary_staff") * staffed
        )
        named = {"federated": federated, "central": central, "hybrid": hybrid}
        return {name: one.to("EUR/year").magnitude for name, one in named.items()}

    return of


@pytest.mark.parametrize("people", [2000, 100_000, 1_000_000])
def test_totals_equal_a_second_computation_with_units(costs, second, people):
    (size,) = (one for one in costs["sizes"] if one["people"] == people)
    for name, euros in second(people).items():
        design = size["designs"][name]
        assert design["at_middle_prices"] == pytest.approx(euros, rel=1e-9)
        assert sum(design["parts"].values()) == pytest.approx(euros, rel=1e-9)
        half = design["quantiles"]["0.5"]
        assert design["per_genome"]["0.5"] == pytest.approx(half / people, rel=1e-9)


def test_shares_of_countries_add_up_and_follow_the_products(costs):
    for size in costs["sizes"]:
        for name, design in size["designs"].items():
            of = {code: shares[name] for code, shares in size["countries"].items()}
            for key in ("equal", "by_gdp"):
                for q, euros in design["quantiles"].items():
                    assert sum(one[key][q] for one in of.values()) == pytest.approx(euros)
            assert of["BE"]["by_gdp"]["0.5"] == pytest.approx(2 * of["FI"]["by_gdp"]["0.5"])
            assert of["BE"]["equal"] == of["MT"]["equal"]


def test_without_the_product_of_a_country_all_shares_are_equal_ones(costs, without_malta):
    assert "MT" not in without_malta["gdp"]
    for size, other in zip(costs["sizes"], without_malta["sizes"], strict=True):
        assert list(size["countries"]) == list(other["countries"])
        for code, shares in other["countries"].items():
            for design in shares:
                assert shares[design]["by_gdp"] is None
                assert shares[design]["equal"] == size["countries"][code][design]["equal"]


def test_at_the_break_even_both_designs_cost_the_same(costs):
    mid = {item: price.mid for item, price in read_prices(PRICES).items()}
    for size in costs["sizes"]:
        number = float(break_even(MEASURED, mid, size["people"]))
        assert number > 0
        at = yearly_costs(MEASURED, {**mid, "questions": number}, size["people"])
        totals = {name: sum(parts.values()) for name, parts in at.items()}
        assert totals["federated"] == pytest.approx(totals["central"], rel=1e-9)
        less = yearly_costs(MEASURED, {**mid, "questions": number / 2}, size["people"])
        assert sum(less["federated"].values()) < sum(less["central"].values())


def test_without_a_price_for_what_a_question_costs_there_is_no_break_even():
    prices = read_prices(PRICES)
    free = {**{item: one.mid for item, one in prices.items()}, "transfer": 0.0, "computing": 0.0}
    assert np.isnan(break_even(MEASURED, free, 2000))


def test_the_break_even_is_told_of_the_draws_that_have_one(costs):
    """In each draw, both cost the same at its number; the quantiles are of these numbers."""
    drawn = draw_values(read_prices(PRICES), seed=3)
    numbers = break_even(MEASURED, drawn, 1_000_000)
    for place in range(5):
        one = {item: float(values[place]) for item, values in drawn.items()}
        at = yearly_costs(MEASURED, {**one, "questions": float(numbers[place])}, 1_000_000)
        federated, central = (sum(at[name].values()) for name in ("federated", "central"))
        assert federated == pytest.approx(central, rel=1e-6) or np.isnan(numbers[place])
    found = costs["sizes"][-1]["break_even_questions"]
    assert found["none_share"] == pytest.approx(np.isnan(numbers).mean())
    assert found["quantiles"]["0.95"] == pytest.approx(np.nanquantile(numbers, 0.95))
    assert found["quantiles"]["0.05"] < found["quantiles"]["0.95"]


def test_draws_have_the_mean_of_their_triangles(costs):
    """Staff is most of the costs of few people: a product of independent triangles."""
    prices = read_prices(PRICES)

    def mean(item):
        return (prices[item].low + prices[item].mid + prices[item].high) / 3

    drawn = draw_values(prices, seed=3)
    staff = (20 * drawn["node_staff"] + drawn["network_staff"]) * drawn["salary"]
    expected = (20 * mean("node_staff") + mean("network_staff")) * mean("salary")
    assert len(staff) == costs["draws"] == 10_000
    assert staff.mean() == pytest.approx(expected, rel=0.02)  # 4 standard errors
    for item, values in drawn.items():
        assert prices[item].low <= values.min() and values.max() <= prices[item].high


def test_quantiles_are_in_order_and_one_design_is_cheapest_in_each_draw(costs):
    for size in costs["sizes"]:
        designs = size["designs"].values()
        assert all(
            one["quantiles"]["0.05"] < one["quantiles"]["0.5"] < one["quantiles"]["0.95"]
            for one in designs
        )
        assert sum(one["cheapest_share"] for one in designs) == pytest.approx(1)


def test_the_same_seed_gives_the_same_costs_and_another_one_other_draws(costs):
    prices = read_prices(PRICES)
    assert json.dumps(build_costs(MEASURED, prices, GDP, seed=3)) == json.dumps(costs)
    other = build_costs(MEASURED, prices, GDP, seed=4)
    assert (
        other["sizes"][0]["designs"]["federated"]["parts"]
        == (costs["sizes"][0]["designs"]["federated"]["parts"])
    )
    assert (
        other["sizes"][0]["designs"]["federated"]["quantiles"]
        != (costs["sizes"][0]["designs"]["federated"]["quantiles"])
    )


def test_the_tornado_begins_with_what_moves_the_costs_most(costs):
    for size in costs["sizes"]:
        spans = [abs(row["high"] - row["low"]) for row in size["tornado"]]
        assert spans == sorted(spans, reverse=True)
        middle = size["designs"]["federated"]["at_middle_prices"]
        assert all(row["low"] <= middle <= row["high"] for row in size["tornado"])
    assert costs["sizes"][0]["tornado"][0]["item"] == "node_staff"
    assert costs["sizes"][-1]["tornado"][0]["item"] == "reads"


def test_what_it_rests_on_that_a_federation_is_cheaper_is_counted(costs):
    """A centre without the copy at home costs a part less, and without agreements another one."""
    prices = read_prices(PRICES)
    drawn = draw_values(prices, seed=3)
    parts = yearly_costs(MEASURED, drawn, 1_000_000)
    more = sum(parts["central"].values()) - sum(parts["federated"].values())
    bytes_kept = 1e6 * (3e4 + drawn["reads"]) + 2000 * 16e6 * 500 ** drawn["storage_growth"]
    bytes_kept += 2.7e10 * 500 ** drawn["store_growth"]
    copy = bytes_kept * drawn["storage"]
    shares = costs["sizes"][-1]["cheaper_shares"]
    assert shares["all"] == pytest.approx((more > 0).mean(), abs=1e-9)
    assert shares["same_copies"] == pytest.approx((more > copy).mean(), abs=1e-9)
    bare = (more > copy + 20 * drawn["agreement"]).mean()
    assert shares["same_copies_no_agreements"] == pytest.approx(bare, abs=1e-9)
    assert shares["same_copies_no_agreements"] < shares["same_copies"] < shares["all"]


def test_the_tornado_of_the_difference_is_that_of_both_designs(costs):
    mid = {item: price.mid for item, price in read_prices(PRICES).items()}
    for row in costs["sizes"][0]["tornado_of_difference"]:
        value = read_prices(PRICES)[row["item"]].high
        parts = yearly_costs(MEASURED, {**mid, row["item"]: value}, 2000)
        more = sum(parts["central"].values()) - sum(parts["federated"].values())
        assert row["high"] == pytest.approx(more)


def test_the_share_that_rests_on_measured_quantities_is_computed_by_hand(costs):
    """2,000 people: bytes of genotypes and records, CPU seconds and answers, without reads.

    The share is of the draws, as the headline that it stands behind.
    """
    drawn = draw_values(read_prices(PRICES), seed=3)
    kept = (2000 * (16e6 + 3e4) + 2.7e10) * drawn["copies"] * drawn["storage"]
    each = 0.108 * drawn["computing"] + 60_000 * drawn["transfer"]
    euros = kept + drawn["questions"] * each
    whole = sum(yearly_costs(MEASURED, drawn, 2000)["federated"].values())
    assert costs["sizes"][0]["measured_share"] == pytest.approx(np.median(euros / whole), rel=1e-9)


def test_what_a_run_measured_is_counted_by_hand():
    answers = pd.DataFrame(
        [
            ("q1", "allele_frequency", "BE", 0, 100),
            ("q1", "allele_frequency", "FI", 0, 200),
            ("q1", "allele_frequency", "network", 0, 300),
            ("q1", "allele_frequency", "FI", 1, 999),  # a repeat
            ("q2", "individuals", "BE", 0, 10),
            ("q2", "individuals", "FI", 0, 40),
        ],
        columns=["query", "kind", "node", "repeat", "bytes"],
    )
    cpu = {"network_cpu_ms_per_query": 8.0, "nodes_cpu_ms_per_query": 100.0}
    growth = pd.DataFrame(
        [
            {"axis": "users", "nodes": 2, "people": 10} | dict.fromkeys(cpu, 7.0),
            {"axis": "nodes", "nodes": 1, "people": 6}
            | {"network_cpu_ms_per_query": 1.0, "nodes_cpu_ms_per_query": 2.0},
            {"axis": "nodes", "nodes": 2, "people": 10} | cpu,
        ]
    )
    files = [
        {"path": "nodes/BE/genomes/chr22.bcf", "bytes": 600},
        {"path": "nodes/BE/variants.sqlite", "bytes": 400},
        {"path": "nodes/FI/people.sqlite", "bytes": 50},
        {"path": "nodes/FI/catalogue/catalogue.ttl", "bytes": 7},
        {"path": "cohort/people.parquet", "bytes": 7},
    ]
    block = Block("chr22", 0, 3_088_269_832 // 1000)
    found = measure(answers, "BE", growth, files, 10, [block])
    assert found.questions == 2 and found.countries == 2
    assert found.bytes_over_borders == (200 + 40) / 2
    assert (found.network_cpu_s, found.nodes_cpu_s) == (0.008, 0.1)
    assert (found.single_cpu_s, found.single_people) == (0.003, 6)
    assert found.bytes_of_one_answer == (100 + 200 + 10 + 40) / 2 / 2  # the same questions
    assert found.record_bytes == 5
    assert found.genome_bytes == pytest.approx(1000 * 600 / 10, rel=1e-3)
    assert found.frequency_bytes == pytest.approx(1000 * 400, rel=1e-3)
    assert found.frequency_share == 0.5


def test_a_federation_of_which_some_nodes_were_measured_is_scaled_to_all():
    answers = pd.DataFrame(
        [("q1", "gene", node, 0, 100) for node in ("BE", "FI", "SE")],
        columns=["query", "kind", "node", "repeat", "bytes"],
    )
    cpu = {"network_cpu_ms_per_query": 4.0, "nodes_cpu_ms_per_query": 20.0}
    growth = pd.DataFrame([{"axis": "nodes", "nodes": 2, "people": 20} | cpu])
    found = measure(answers, "BE", growth, [], 30, [Block("chr22", 0, 10)])
    assert (found.network_cpu_s, found.nodes_cpu_s) == pytest.approx((0.004, 0.03))


def test_a_run_that_measured_no_cpu_time_has_no_costs():
    answers = pd.DataFrame(
        [("q1", "gene", "BE", 0, 100)], columns=["query", "kind", "node", "repeat", "bytes"]
    )
    bare = {"network_cpu_ms_per_query": 1.0, "nodes_cpu_ms_per_query": None}
    growth = pd.DataFrame([{"axis": "nodes", "nodes": 1, "people": 10} | bare])
    assert measure(answers, "BE", growth, [], 10, [Block("chr22", 0, 10)]) is None
