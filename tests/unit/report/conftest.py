"""A small made-up run: the simulated cohort and its answers."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rehearsal.evaluation.latency import latency_table
from rehearsal.report.html_report import write_report
from rehearsal.report.provenance import run_facts, stage_times
from rehearsal.report.summary import CheckResults, FederatedAnswers, build_summary, cohort_facts
from rehearsal.report.tables import BenchTables, ReportTables

from ..simulated_blocks import CODES, COUNTRIES, blocks, components, people, spectrum, trees

__all__ = ["blocks", "components", "people", "spectrum", "trees"]

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
    "survey": {"purpose_of_collection": "other: a simulation", "gdpr_basis": ["GDPR 6(1)a, 9(2)a"]},
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
            [{"asker": code, "farthest": "FI", "p50_ms": 50.0, "p99_ms": 60.0,
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


@pytest.fixture
def summary(full, people, tmp_path):
    check = {"name": "planted carriers", "expected": 4, "observed": 5, "passed": False}
    return build_summary(
        run_facts(7, "0123abcd", stage_times(tmp_path), CONDITIONS),
        cohort_facts(people, variants=10, blocks=1),
        FederatedAnswers(full.answers, CODES, deadline_s=10),
        CheckResults([check], stories={one["name"]: one for one in STORIES}),
    )


@pytest.fixture
def report(full, summary, tmp_path):
    write_report(tmp_path / "report", summary, full)
    return tmp_path / "report"
