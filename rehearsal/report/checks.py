"""Checks of a run that are under no other key of the summary."""

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
    """Check the audit logs and the answers of the public tiers.

    Args:
        audit: The ``audit`` of conditions.json, by country.
        answers: ``answers.parquet``.
    """
    yield audit_check(audit, answers)
    yield from public_checks(answers)


def bench_checks(
    bench: BenchTables, growth_checks: list[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Check what was measured of load, growth, distances, capitals and faults.

    Args:
        bench: The tables of the bench.
        growth_checks: The ``checks`` of growth.json.
    """
    yield from bench.knee["checks"]
    yield from growth_checks
    yield from distance_checks(bench.distance)
    yield from origin_latency_checks(bench.capitals)
    yield from fault_checks(bench.faults)


def audit_check(audit: Mapping[str, Mapping[str, Any]], answers: pd.DataFrame) -> dict[str, Any]:
    """Check that each of the run's own nodes logged a decision for each of its answers.

    Args:
        audit: The ``audit`` of conditions.json, by country; only nodes with an unbroken chain.
        answers: ``answers.parquet``.

    Returns:
        The check: ``name``, ``expected``, ``observed`` and ``passed``.
    """
    given = answers[answers["http_status"].notna()].groupby("node").size()
    whole = [code for code, log in audit.items() if log["lines"] >= given.get(code, 0)]
    return {
        "name": "audit logs: nodes with an unbroken chain and a line for every answer",
        "expected": len(audit),
        "observed": len(whole),
        "passed": len(whole) == len(audit),
    }
