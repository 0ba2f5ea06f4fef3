"""Everything that went wrong in a run, one line each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def list_failures(summary: Mapping[str, Any]) -> list[str]:
    """List everything that failed: which query and node, which story, which check.

    Args:
        summary: The content of ``summary.json``.

    Returns:
        One line per failure. Empty if there are none.
    """
    return [
        *_federation_lines(summary["federation"], summary["qs02"]),
        *_story_lines(summary["stories"]),
        *_realism_lines(summary["realism"]),
        *_check_lines(summary["privacy"].get("checks", ()), "privacy: "),
        *_check_lines(summary["checks"], ""),
    ]


def _federation_lines(federation: Mapping[str, Any], measured: Mapping[str, Any]) -> Iterator[str]:
    if not federation["queries"]:
        yield "federation: no query was asked"
    elif not measured["passed"]:
        yield (
            f"QS-02: {measured['success_rate']:.2%} of answers within {measured['deadline_s']} s, "
            f"expected {measured['required']:.0%}"
        )
    yield from map(_problem_line, federation["problems"])
    unlisted = federation["problems_total"] - len(federation["problems"])
    if unlisted > 0:
        yield f"federation: {unlisted} more answers are wrong or missing"


def _story_lines(stories: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    for name, story in stories.items():
        yield from _check_lines(story["checks"], f"story {name}: ")
        if not story["passed"] and all(check["passed"] for check in story["checks"]):
            yield f"story {name}: did not pass"


def _realism_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        if row["judged"] and not row["passed"]:
            yield _difference(f"realism: {row['name']}", row["expected"], row["measured"])


def _check_lines(checks: Iterable[Mapping[str, Any]], prefix: str) -> Iterator[str]:
    for check in checks:
        if not check["passed"]:
            yield _difference(prefix + check["name"], check["expected"], check["observed"])


def _problem_line(problem: Mapping[str, Any]) -> str:
    who = f"query {problem['query']} ({problem['kind']}), node {problem['node']}"
    if problem["problem"] == "wrong":
        line = _difference(who, problem["expected"], problem["observed"])
    else:
        line = f"{who}: {problem['problem']}"
    return f"{line} ({problem['reason']})" if problem["reason"] else line


def _difference(what: str, expected: Any, observed: Any) -> str:
    return " ".join(f"{what}: expected {expected}, observed {observed}".split())
