"""Evidence for the technical half of maturity, for each node of a run. It is no score."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rehearsal.policy.indicators import Indicator
from rehearsal.policy.node_checks import (
    CHECKS,
    FAILED,
    HELD,
    NOT_MEASURED,
    PARTLY,
    Found,
    RunEvidence,
)


def build_maturity(
    indicators: Sequence[Indicator], evidence: RunEvidence, nodes: Iterable[str], date: str
) -> dict[str, Any]:
    """Build the ``maturity`` of the summary.

    Args:
        indicators: All indicators.
        evidence: What the run knows of its nodes.
        nodes: Codes of the countries.
        date: When the queries were sent, ISO 8601.

    Returns:
        ``date``, ``checks`` and ``indicators``, and for each of ``nodes`` what each check found and
        what follows for each assessable indicator.
    """
    return {
        "date": date,
        "checks": {name: {"words": one.words, "file": one.file} for name, one in CHECKS.items()},
        "indicators": [
            asdict(one)
            | {
                "assessable": one.assessable,
                "checks": list(one.checks),
                "levels": list(one.levels),
            }
            for one in indicators
        ],
        "nodes": {node: _of_node(indicators, evidence, node) for node in nodes},
    }


def _of_node(indicators: Sequence[Indicator], evidence: RunEvidence, node: str) -> dict[str, Any]:
    found = evidence.judge(node)
    return {
        "foreign": node in evidence.foreign,
        "checks": {name: asdict(one) for name, one in found.items()},
        "indicators": {
            one.key: join_statuses(one.checks, found) for one in indicators if one.assessable
        },
    }


def join_statuses(checks: Iterable[str], found: Mapping[str, Found]) -> str:
    """Say whether an indicator has its evidence: that of all checks that it names.

    Args:
        checks: The checks that the indicator names.
        found: What each check found.

    Returns:
        ``failed`` if any failed; otherwise ``not measured`` if the run did not make all of them at
        the node; ``partly`` if any held in part; ``held`` if all held.
    """
    statuses = {found[name].status for name in checks}
    return next(one for one in (FAILED, NOT_MEASURED, PARTLY, HELD) if one in statuses)
