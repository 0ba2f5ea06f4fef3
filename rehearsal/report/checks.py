"""Checks of a run that hold on any machine and that no other key of the summary has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from rehearsal.evaluation.protected_judge import public_checks
from rehearsal.loadtest.faults.scenario_outcome import fault_checks
from rehearsal.loadtest.measured_distance import distance_checks
from rehearsal.loadtest.origin_latency import origin_latency_checks
from rehearsal.report.tables import BenchTables


def answer_checks(
    audit: Mapping[str, Mapping[str, Any]], answers: pd.DataFrame
) -> Iterator[dict[str, Any]]:
    """What the audit logs and the public tiers' answers must be.

    ``audit``: of conditions.json, by country; ``answers``: answers.parquet.
    """
    yield audit_check(audit, answers)
    yield from public_checks(answers)


def bench_checks(
    bench: BenchTables, growth_checks: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """What load, growth, distances, capitals and faults must have shown."""
    yield from bench.knee["checks"]
    yield from growth_checks
    yield from distance_checks(bench.distance)
    yield from origin_latency_checks(bench.capitals)
    yield from fault_checks(bench.faults)


def audit_check(audit: Mapping[str, Mapping[str, Any]], answers: pd.DataFrame) -> dict[str, Any]:
    """Every node of ours has a whole chain of decisions, with a line for each of its answers."""
    given = answers[answers["http_status"].notna()].groupby("node").size()
    whole = [code for code, log in audit.items() if log["lines"] >= given.get(code, 0)]
    return {
        "name": "audit logs: nodes with a whole chain and a line for every answer",
        "expected": len(audit),
        "observed": len(whole),
        "passed": len(whole) == len(audit),
    }
