"""Costs of the infrastructure: what a run measured, times prices, with their uncertainty."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.evaluation.answer_table import NETWORK
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.model import Block
from rehearsal.policy.cost_model import DESIGNS, Costs, Quantities, break_even, total, yearly_costs
from rehearsal.policy.prices import UNITS, Price, Product
from rehearsal.seeds import derive_seed

SIZES = (100_000, 1_000_000)  # people, beside those of the run
DRAWS = 10_000
QUANTILES = (0.05, 0.5, 0.95)
ON_FREQUENCIES = ("allele_frequency", "presence", "absent", "range", "gene")  # kinds of queries
CPU = ["network_cpu_ms_per_query", "nodes_cpu_ms_per_query"]
NOT_AT_REST = ("catalogue/", "scores/", "public_facts.sqlite", "node.yaml", "drug_genes.tsv")


def measure(
    answers: pd.DataFrame,
    asker: str,
    growth: pd.DataFrame,
    files: Iterable[Mapping[str, Any]],
    people: int,
    blocks: Sequence[Block],
) -> Quantities | None:
    """Collect what a run measured; None if it measured no CPU time of nodes.

    Args:
        answers: ``answers.parquet``.
        asker: The country whose capital asks.
        growth: ``growth.parquet``; its steps over nodes have the CPU time of both designs, because
            they send the same questions under the same conditions, one after another. The step with
            most nodes is the federation, and that with fewest, whose people are those of these
            nodes only, is scaled to a centre.
        files: The ``files`` of manifest.json: ``path`` and ``bytes``.
        people: The number of people of the run.
        blocks: The simulated blocks.
    """
    first = answers[(answers["repeat"] == 0) & (answers["node"] != NETWORK)]
    kinds = first.groupby("query")["kind"].first()
    abroad = first.loc[first["node"] != asker, "bytes"].sum()
    by_nodes = growth[(growth["axis"] == "nodes") & growth[CPU].notna().all(axis=1)]
    if by_nodes.empty:
        return None
    by_nodes, countries = by_nodes.sort_values("nodes"), first["node"].nunique()
    single, most = by_nodes.iloc[0], by_nodes.iloc[-1]
    scale = sum(CONTIG_LENGTHS.values()) / sum(block.end - block.start for block in blocks)
    stores = _bytes_at_rest(files)
    return Quantities(
        people=people,
        countries=countries,
        questions=len(kinds),
        bytes_over_borders=float(abroad) / len(kinds),
        bytes_of_one_answer=float(first["bytes"].sum()) / len(kinds) / countries,
        network_cpu_s=float(most["network_cpu_ms_per_query"]) / 1000,
        nodes_cpu_s=float(most["nodes_cpu_ms_per_query"]) / 1000 * countries / most["nodes"],
        single_cpu_s=float(single[CPU].sum()) / 1000,
        single_people=int(single["people"]),
        genome_bytes=scale * stores["genomes"] / people,
        record_bytes=stores["records"] / people,
        frequency_bytes=scale * stores["frequencies"],
        frequency_share=float(kinds.isin(ON_FREQUENCIES).mean()),
    )


def _bytes_at_rest(files: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """Add up the bytes in the nodes' folders: genomes, stores of frequencies, records."""
    found = {"genomes": 0, "frequencies": 0, "records": 0}
    for file in files:
        top, _, rest = file["path"].partition("/")
        _, _, name = rest.partition("/")
        if top != "nodes" or name.startswith(NOT_AT_REST):
            continue
        part = "genomes" if name.startswith("genomes/") else "records"
        found["frequencies" if name == "variants.sqlite" else part] += file["bytes"]
    return found


def build_costs(
    measured: Quantities,
    prices: Mapping[str, Price],
    gdp: Mapping[str, Product | None],
    seed: int,
) -> dict[str, Any]:
    """Build the ``costs`` of the summary.

    Args:
        measured: What the run measured.
        prices: The prices by item.
        gdp: Gross domestic products of the countries of the run, by code; None: not known. If one
            is not known, there are equal shares only.
        seed: The root seed.

    Returns:
        ``quantities``, ``prices``, ``gdp``, ``draws``, ``sizes`` (one per number of people),
        ``from_memory`` and ``gdp_from_memory``: the prices and the countries' products that nobody
        has looked up. Every figure in euros rests on the prices, and the shares by product on both.
    """
    products = {code: product for code, product in gdp.items() if product}
    return {
        "quantities": asdict(measured),
        "prices": [
            asdict(price) | {"from_memory": price.from_memory, "unit_of_model": UNITS[price.item]}
            for price in prices.values()
        ],
        "from_memory": [price.item for price in prices.values() if price.from_memory],
        "gdp": {
            code: asdict(product) | {"from_memory": product.from_memory}
            for code, product in products.items()
        },
        "gdp_from_memory": [code for code, product in products.items() if product.from_memory],
        "draws": DRAWS,
        "sizes": [
            _of_size(measured, prices, gdp, people, seed)
            for people in sorted({measured.people, *SIZES})
        ],
    }


def _of_size(
    measured: Quantities,
    prices: Mapping[str, Price],
    gdp: Mapping[str, Product | None],
    people: int,
    seed: int,
) -> dict[str, Any]:
    mid = {item: price.mid for item, price in prices.items()}
    costs = yearly_costs(measured, mid, people)
    draws = draw_values(prices, seed)
    drawn = yearly_costs(measured, draws, people)
    totals = {design: np.broadcast_to(total(drawn[design]), DRAWS) for design in DESIGNS}
    cheapest = np.argmin(np.stack([totals[design] for design in DESIGNS]), axis=0)
    return {
        "people": people,
        "designs": {
            design: _of_design(costs[design], totals[design], draws["questions"], people)
            | {"cheapest_share": float((cheapest == number).mean())}
            for number, design in enumerate(DESIGNS)
        },
        "countries": {code: _of_country(totals, gdp, code) for code in gdp},
        "break_even_questions": _break_even(break_even(measured, draws, people)),
        "measured_share": _measured_share(measured, draws, people),
        "cheaper_shares": _cheaper_shares(totals, drawn["central"], draws),
        "tornado": list(_tornado(measured, prices, people, _federated)),
        "tornado_of_difference": list(_tornado(measured, prices, people, _difference)),
    }


def _of_design(
    parts: Mapping[str, Any], drawn: np.ndarray, questions: np.ndarray, people: int
) -> dict[str, Any]:
    return {
        "quantiles": quantiles(drawn),
        "per_question": quantiles(drawn / questions) if questions.all() else None,
        "per_genome": quantiles(drawn / people),
        "at_middle_prices": float(total(parts)),
        "parts": {name: float(value) for name, value in parts.items()},
    }


def quantiles(drawn: np.ndarray) -> dict[str, float]:
    """Return the median of draws and the range of 90 % of them.

    Args:
        drawn: One value per draw.
    """
    return {f"{q:g}": float(np.quantile(drawn, q)) for q in QUANTILES}


def _of_country(
    totals: Mapping[str, np.ndarray], gdp: Mapping[str, Product | None], code: str
) -> dict[str, Any]:
    """Share the costs of each design: equally, and by gross domestic product if all are known."""
    known = {name: product.billion_eur for name, product in gdp.items() if product}
    share = known[code] / sum(known.values()) if len(known) == len(gdp) else None
    return {
        design: {
            "equal": quantiles(drawn / len(gdp)),
            "by_gdp": None if share is None else quantiles(drawn * share),
        }
        for design, drawn in totals.items()
    }


def _break_even(numbers: np.ndarray) -> dict[str, Any]:
    """Summarise the break-even of each draw: that of some is none."""
    some = numbers[np.isfinite(numbers)]
    return {
        "none_share": 1 - len(some) / len(numbers),
        "quantiles": quantiles(some) if len(some) else None,
    }


def _measured_share(measured: Quantities, draws: Mapping[str, np.ndarray], people: int) -> float:
    """Compute which share of the federation's costs rests on measured quantities, in the median.

    These are genotypes and records at rest, CPU time, and bytes over borders; not reads, servers
    and staff.
    """
    costs = yearly_costs(measured, draws, people)["federated"]
    of_run = yearly_costs(measured, {**draws, "reads": 0.0}, people)["federated"]
    rests = sum(of_run[part] for part in ("storage", "transfer", "computing"))
    return float(np.median(rests / total(costs)))


def _cheaper_shares(
    totals: Mapping[str, np.ndarray], central: Mapping[str, Any], draws: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """Count the draws in which a federation costs less than a centre, with less and less of it.

    A centre has one copy more, because countries keep their own, and pays for agreements.
    """
    federated, whole = totals["federated"], totals["central"]
    one_copy = central["storage"] / (draws["copies"] + 1)
    return {
        "all": float((federated < whole).mean()),
        "same_copies": float((federated < whole - one_copy).mean()),
        "same_copies_no_agreements": float(
            (federated < whole - one_copy - central["agreements"]).mean()
        ),
    }


def draw_values(prices: Mapping[str, Price], seed: int) -> dict[str, np.ndarray]:
    """Draw every price from the triangle of its low, mid and high, independently.

    Args:
        prices: The prices by item.
        seed: The root seed.

    Returns:
        ``DRAWS`` values of every item.
    """
    drawn = {}
    for item, price in prices.items():
        random = np.random.default_rng(derive_seed(seed, "costs", item))
        is_fixed = price.low == price.high
        drawn[item] = (
            np.full(DRAWS, price.mid)
            if is_fixed
            else random.triangular(price.low, price.mid, price.high, DRAWS)
        )
    return drawn


def _federated(costs: Costs) -> float:
    return float(total(costs["federated"]))


def _difference(costs: Costs) -> float:
    """By how much a centre costs more than a federation."""
    return float(total(costs["central"])) - _federated(costs)


def _tornado(
    measured: Quantities,
    prices: Mapping[str, Price],
    people: int,
    figure: Callable[[Costs], float],
) -> Iterator[dict[str, Any]]:
    """Yield how far each item moves a figure of the costs, the farthest first."""
    mid = {item: price.mid for item, price in prices.items()}

    def cost(item: str, value: float) -> float:
        return figure(yearly_costs(measured, {**mid, item: value}, people))

    rows = [(item, cost(item, price.low), cost(item, price.high)) for item, price in prices.items()]
    for item, low, high in sorted(rows, key=lambda row: -abs(row[2] - row[1])):
        yield {"item": item, "low": low, "high": high}
