"""The verdicts at the top of the first page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rehearsal.report.page_elements import (
    Verdict,
    percent,
    whole,
)


def verdicts(summary: Mapping[str, Any]) -> Iterator[Verdict]:
    """Build the verdicts: QS-02, exact answers, nodes, and what else the run has: stories,
    federated analyses, realism, other checks.

    Args:
        summary: The content of ``summary.json``.
    """
    yield _in_time(summary["qs02"])
    yield from _federation(summary["federation"])
    stories = list(summary["stories"].values())
    yield from _passed("Stories", "Stories in which every question got the right answer.", stories)
    detail = "Checks of the federated analyses against the truth."
    analyses = summary["analyses"].get("checks", ())
    yield from _passed("Federated analyses", detail, analyses)
    judged = [row for row in summary["realism"] if row["judged"]]
    yield from _passed(
        "Realism", "Measures of the cohort that agree with published values.", judged
    )
    detail = "Checks besides queries and stories. They are listed below."
    yield from _passed("Other checks", detail, summary["checks"])


def _in_time(measured: Mapping[str, Any]) -> Verdict:
    return Verdict(
        "Answers in time (QS-02)",
        percent(measured["success_rate"]),
        f"{whole(measured['in_time'])} of {whole(measured['asked'])} answers came within "
        f"{measured['deadline_s']:g} s. At least {percent(measured['required'], 0)} are required.",
        measured["passed"],
    )


def _federation(federation: Mapping[str, Any]) -> Iterator[Verdict]:
    queries = federation["queries"]
    yield Verdict(
        "Exact answers",
        f"{whole(federation['exact'])} of {whole(queries)}",
        "Queries to which every node and the network gave the true answer."
        + _not_given(federation),
        queries > 0 and federation["exact"] == queries,
    )
    yield Verdict(
        "Nodes that answered",
        f"{federation['nodes']} of {federation['nodes_expected']}",
        f"{whole(federation['answered'])} of {whole(queries)} queries were answered by every node, "
        "or refused where that is right.",
        federation["nodes"] == federation["nodes_expected"] and federation["answered"] == queries,
    )


def _not_given(federation: Mapping[str, Any]) -> str:
    incomplete = federation["verdicts"]["incomplete"]
    if not incomplete:
        return ""
    return f" {whole(incomplete)} answers of nodes of others are true and lack parts."


def _passed(title: str, detail: str, checks: Sequence[Mapping[str, Any]]) -> Iterator[Verdict]:
    """Count the checks that passed; yield nothing if there are no checks."""
    if checks:
        good = sum(bool(check["passed"]) for check in checks)
        yield Verdict(title, f"{good} of {len(checks)}", detail, good == len(checks))
