"""The big statements at the top of the first page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rehearsal.report.page_elements import (
    Verdict,
    percent,
    whole,
)


def verdicts(summary: Mapping[str, Any]) -> Iterator[Verdict]:
    """What a reader wants to know first: QS-02, exactness, nodes, stories and realism if there."""
    yield _in_time(summary["qs02"])
    yield from _federation(summary["federation"])
    stories = list(summary["stories"].values())
    yield from _passed("Stories", "went from question to answer as the truth has it", stories)
    judged = [row for row in summary["realism"] if row["judged"]]
    yield from _passed("Realism", "measures as expected", judged)
    detail = "beyond the queries; they are listed below"
    yield from _passed("Other checks", detail, summary["checks"])


def _in_time(measured: Mapping[str, Any]) -> Verdict:
    return Verdict(
        "QS-02: answers in time",
        percent(measured["success_rate"]),
        f"{whole(measured['in_time'])} of {whole(measured['asked'])} times a node answered "
        f"within {measured['deadline_s']:g} s; {percent(measured['required'], 0)} are required",
        measured["passed"],
    )


def _federation(federation: Mapping[str, Any]) -> Iterator[Verdict]:
    queries = federation["queries"]
    yield Verdict(
        "Exact answers",
        f"{whole(federation['exact'])} of {whole(queries)}",
        "queries for which every node and the network said what the truth says",
        queries > 0 and federation["exact"] == queries,
    )
    yield Verdict(
        "Nodes that answered",
        f"{federation['nodes']} of {federation['nodes_expected']}",
        f"and {whole(federation['answered'])} of {whole(queries)} queries were answered by all "
        "of them",
        federation["nodes"] == federation["nodes_expected"] and federation["answered"] == queries,
    )


def _passed(title: str, detail: str, checks: Sequence[Mapping[str, Any]]) -> Iterator[Verdict]:
    """How many of the checks passed; nothing where there are none."""
    if checks:
        good = sum(bool(check["passed"]) for check in checks)
        yield Verdict(title, f"{good} of {len(checks)}", detail, good == len(checks))
