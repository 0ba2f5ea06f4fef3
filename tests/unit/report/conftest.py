"""A small made-up run: the simulated cohort and its answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rehearsal.catalogue.inventory import plain_inventory, read_inventory
from rehearsal.evaluation.latency import latency_table
from rehearsal.policy.care.assessment import describe_assumptions
from rehearsal.policy.care.parameters import read_economics
from rehearsal.policy.cost_model import Quantities
from rehearsal.policy.costs import build_costs
from rehearsal.policy.indicators import read_indicators
from rehearsal.policy.labels import read_labels
from rehearsal.policy.maturity import build_maturity
from rehearsal.policy.node_checks import RunEvidence
from rehearsal.policy.prices import Product, read_prices
from rehearsal.policy.sheet_facts import OtherAnswers, build_sheet_facts
from rehearsal.report.html_report import write_report
from rehearsal.report.provenance import run_facts, stage_times
from rehearsal.report.sheet_files import write_sheets
from rehearsal.report.summary import CheckResults, FederatedAnswers, build_summary, cohort_facts
from rehearsal.report.tables import BenchTables, ReportTables

from ..simulated_blocks import CODES, COUNTRIES, blocks, components, people, spectrum, trees

__all__ = ["blocks", "components", "people", "spectrum", "trees"]

CONFIG = Path(__file__).resolve().parents[3] / "config"
INVENTORY = CONFIG / "synthetic_datasets.yaml"
MATURITY, PRICES, LABELS = (CONFIG / n for n in ("maturity.yaml", "prices.tsv", "labels.tsv"))
ECONOMICS = read_economics(CONFIG / "economics.yaml")
MEASURED = Quantities(60, 5, 6, 3600.0, 900.0, 0.002, 0.003, 0.001, 12, 16e6, 3e4, 4e10, 0.5)
KINDS = ("allele_frequency", "presence", "ill_formed")


def made_answers(codes=CODES, queries: int = 6, seed: int = 1) -> pd.DataFrame:
    """Right answers of every node and of the network to every query."""
    rng = np.random.default_rng(seed)
    rows = []
    for number in range(queries):
        kind = KINDS[number % len(KINDS)]
        bad = kind == "ill_formed"
        for place, node in enumerate([*codes, "network"]):
            rows.append(
                {
                    "query": f"{kind}-{number:03d}",
                    "kind": kind,
                    "tier": "controlled",
                    "node": node,
                    "state": "refused" if bad else "answered",
                    "http_status": 400 if bad else 200,
                    "exists": None if bad else True,
                    "count": None if bad else 3,
                    "observed": "HTTP 400" if bad else "3",
                    "truth": "HTTP 400" if bad else "3",
                    "equal": True,
                    "verdict": "right",
                    "missing": "",
                    "latency_ms": 8.0 + 3 * place + rng.gamma(2, 0.5),
                    "bytes": 900,
                    "repeat": 0,
                    "reason": "",
                }
            )
    return pd.DataFrame(rows)


@pytest.fixture
def answers() -> pd.DataFrame:
    return made_answers()


@pytest.fixture
def tables(people, answers, spectrum, components) -> ReportTables:
    distances = pd.DataFrame(
        {
            "country": CODES,
            "rtt_ms": [0.0, 31.0, 38.5, 29.1, 26.0],
            "measured": [False, True, True, True, False],
        }
    )
    return ReportTables(
        countries=COUNTRIES,
        asker="BE",
        people=people,
        answers=answers,
        latency=latency_table(answers, answers.iloc[:0]),
        distances=distances,
        spectrum=spectrum,
        components=components,
        demography_svg="<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 10 10'></svg>",
    )


CONDITIONS = {
    "started": "2030-01-01T00:00:00+00:00",
    "load_average_before": [0.5, 0.25, 0.125],
    "burst": {"queries_per_s": 40.25, "requests_per_s": 1127.0, "at_once": 16},
}

STORIES = json.loads(Path(__file__).with_name("stories_of_a_run.json").read_text())

DATASET = {
    "synthetic": True,
    "identifier": "GDI-FI-REHEARSAL-1",
    "title": "People of Finland, synthetic",
    "description": "Simulated.",
    "country_code": "FI",
    "country_name": "Finland",
    "individuals": 100,
    "records": 100,
    "uses": [{"term": "DUO:0000042", "label": "general research use", "share": 0.67}],
    "survey": {"purpose_of_collection": "other: a simulation"},
    "gdpr_bases": ["GDPR 6(1)a, 9(2)a"],
}
USABLE = {"yes": 80, "no": 15, "don't know": 5}
SURVEY = {
    code: {
        "legal_basis": {"yes": 97, "no, but re-consenting is possible": 0, "no": 3}
        | {"don't know": 0},
        "usable_for_future_research": USABLE,
        "usable_in_healthcare_of_others": USABLE,
    }
    for code in CODES
}
EXPORT = {
    **DATASET,
    "identifier": "GDI-EU-EXPORT-1",
    "title": "People of several countries, synthetic",
    "country_code": "EU",
    "country_name": "several countries",
    "individuals": 40,
}


def made_bench() -> BenchTables:
    """A bench of three rates, two sizes of each kind, one way of distance and two faults."""
    counts = {"sent": 16, "answered": 15, "refused": 1, "late": 0, "failed": 0}
    latencies = {"p50_ms": 40.0, "p95_ms": 70.0, "p99_ms": 90.0, "control_p99_ms": 1.0}
    load = [
        {"rate_per_s": rate, "connections": "warm", "kind": "all", "role": "all"}
        | counts
        | latencies
        | {"load_average_1min": 1.5}
        for rate in (8.0, 16.0, 32.0)
    ]
    growth = [
        {"axis": axis, "nodes": 5, "people": 60, "users": 1, axis: size}
        | latencies
        | {"queries_per_s": 20.0, "network_cpu_ms_per_query": 2.0, "nodes_cpu_ms_per_query": 3.0}
        for axis in ("nodes", "people", "users")
        for size in (1, 4)
    ]
    fits = [
        {"axis": axis, "measure": "p50_ms", "exponent": 0.5, "standard_error": np.nan, "points": 2}
        for axis in ("nodes", "people", "users")
    ]
    fault = {
        "must_hold": "nothing is lost",
        "held": True,
        "answered_share": 0.9,
        "marked_share": 0.1,
        "unmarked_share": 0.0,
        "recovered_s": 1.25,
    }
    return BenchTables(
        load=pd.DataFrame(load),
        knee={"held_per_s": 16.0, "objective": {"in_time_share": 0.95, "p99_ms": 1000.0}},
        growth=pd.DataFrame(growth),
        growth_fits=pd.DataFrame(fits),
        policy=pd.DataFrame(
            [{"policy": "at-once", "hung": 3, "phase": "known", "p50_ms": 60.0, "max_ms": 61.0}
             | {"node_answered": 25, "node_late": 0, "node_failed": 3}]
        ),
        distance=pd.DataFrame(
            [{"country": "FI", "way": "delay", "measured_by": "answer", "measured_ms": 38.9,
              "off_ms": 0.2, "reason": ""},
             {"country": "", "way": "tun", "measured_by": "tcp", "measured_ms": np.nan,
              "off_ms": np.nan, "reason": "this machine has no /dev/net/tun"}]
        ),
        capitals=pd.DataFrame(
            [{"asker": code, "n": 2, "farthest": "FI", "p50_ms": 50.0, "p99_ms": 60.0,
              "farthest_ms": 40.0, "own_ms": 5.0, "qs02": 1.0} for code in CODES]
        ),
        faults=pd.DataFrame(
            [{"scenario": "killed", "node": "FI"} | fault,
             {"scenario": "stopped", "node": "ES"} | fault]
        ),
    )  # fmt: skip


@pytest.fixture
def full(tables):
    fst = pd.DataFrame(0.001, index=CODES, columns=CODES)
    return replace(
        tables, stories=STORIES, datasets=[DATASET, EXPORT], bench=made_bench(), expected_fst=fst
    )


def made_economics() -> dict:
    """Costs and effects of care: figures that nobody computed."""
    nodes = {"euro": 74.29, "qaly": 0.009506, "ratio": 7815.1, "ratio_interval": [2564.1, 18453.3]}
    nodes |= {"benefit": 210.9, "benefit_interval": [66.6, 383.2], "worth_it": 0.9993}
    nodes |= {"euro_interval": [40.1, 110.5], "qaly_interval": [0.0041, 0.0162]}
    nodes |= {"worth_at": [{"euro": 5000, "share": 0.2112}, {"euro": 10000, "share": 0.7125}]}
    at_low = {"euro": 61.3, "qaly": 0.0133, "ratio": 4609.0, "benefit": 337.7}
    at_high = {"euro": 91.3, "qaly": -0.0012, "ratio": None, "benefit": -127.3}
    change = {"name": "test_euro", "low": 30.0, "high": 120.0}
    nodes |= {"single": [change | {"at_low": at_low, "at_high": at_high}]}
    usual, care = {"euro": 3175.3, "qaly": 19.96264}, {"euro": 3249.6, "qaly": 19.972146}
    nodes |= {"arms": {"usual": usual, "care": care}}
    errors = {"euro_error": 12.34, "qaly_error": 0.00571}
    usual, care = usual | {"euro": 3180.8} | errors, care | {"qaly": 19.9723} | errors
    truth = {"arms": {"usual": usual, "care": care}, "euro_error": 1.21, "qaly_error": 0.000131}
    truth |= {"euro": 81.92, "qaly": 0.009742, "ratio": 8409.2, "benefit": 210.3}
    way = {"nodes": nodes, "pooled": nodes | {"euro": 75.31}, "truth": truth}
    return {
        **describe_assumptions(ECONOMICS),
        "prevention": way | {"ages": {"start": 40, "end": 75, "threshold": 1.6}},
        "cascade": way | {"ages": {"start": 35, "end": 70}, "told": {"BRCA1": 28, "BRCA2": 3}},
    }


def made_policy(tables: ReportTables, foreign=()) -> dict:
    """What ministries read of the small run."""
    evidence = RunEvidence(
        answers=tables.answers,
        deadline_s=10,
        audit={code: {"lines": 6} for code in CODES},
        stories=tables.stories,
        datasets=tables.datasets,
        faults=tables.bench.faults if tables.bench else None,
        privacy={},
        foreign=foreign,
    )
    started, bench = CONDITIONS["started"], tables.bench
    gdp = {code: Product(123.5 * number, 2023, "made up") for number, code in enumerate(CODES, 1)}
    capitals = bench.capitals if bench else None
    return {
        "economics": made_economics(),
        "inventory": plain_inventory(read_inventory(INVENTORY)),
        "survey": SURVEY,
        "maturity": build_maturity(read_indicators(MATURITY), evidence, CODES, started),
        "costs": build_costs(MEASURED, read_prices(PRICES), gdp, 7) if bench else None,
        "sheets": build_sheet_facts(
            *(tables.countries, tables.people, tables.answers),
            *(capitals, tables.datasets, foreign, tables.asker),
            *(OtherAnswers(tables.stories, {"gwas": CODES, "pca": CODES[1:]}),),
        ),
    }


@pytest.fixture
def summary(full, people, tmp_path):
    check = {"name": "planted carriers", "expected": 4, "observed": 5, "passed": False}
    return build_summary(
        run_facts(7, "0123abcd", stage_times(tmp_path), CONDITIONS),
        cohort_facts(people, variants=10, blocks=1),
        FederatedAnswers(full.answers, CODES, deadline_s=10),
        CheckResults([check], stories={one["name"]: one for one in STORIES}),
        made_policy(full),
    )


@pytest.fixture
def report(full, summary, tmp_path):
    write_report(tmp_path / "report", summary, full)
    write_sheets(tmp_path / "report", summary, read_labels(LABELS))
    return tmp_path / "report"
