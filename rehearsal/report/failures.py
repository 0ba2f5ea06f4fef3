"""Everything that went wrong in a run, one line for each cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any


def list_failures(summary: Mapping[str, Any]) -> list[str]:
    """List everything that failed: first answers by cause, then stories by cause, then checks.

    Args:
        summary: The content of ``summary.json``.

    Returns:
        One line per cause, the most frequent first, and one per other failure. Empty if there are
        none.
    """
    return [
        *map(cause_line, summary["federation"]["causes"]),
        *other_failures(summary),
    ]


def cause_line(cause: Mapping[str, Any]) -> str:
    """Write a cause as a line: ``FI did not answer: connection refused (111 queries)``.

    Args:
        cause: A mapping with ``cause``, ``queries`` and ``query``, as ``list_causes`` has it.
    """
    number = cause["queries"]
    counted = f"{number:,} queries" if number > 1 else f"query {cause['query']}"
    return f"{cause['cause']} ({counted})"


def other_failures(summary: Mapping[str, Any]) -> list[str]:
    """List what failed besides single answers.

    Args:
        summary: The content of ``summary.json``.

    Returns:
        One line per failure.
    """
    return [
        *_federation_lines(summary["federation"], summary["qs02"]),
        *_story_lines(summary["stories"]),
        *_check_lines(summary["analyses"].get("checks", ()), "analyses: "),
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


def _story_lines(stories: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield a line per cause, the most frequent first; then the checks that failed without one."""
    questions = _questions_by_cause(stories)
    for one, asked in sorted(questions.items(), key=lambda pair: -len(pair[1])):
        counted = f"{len(asked)} questions of stories" if len(asked) > 1 else asked[0]
        yield f"{one} ({counted})"
    for name, story in stories.items():
        others = [check for check in story["checks"] if not check.get("causes")]
        yield from _check_lines(others, f"story {name}: ")
        if not story["passed"] and all(check["passed"] for check in story["checks"]):
            yield f"story {name}: did not pass"


def _questions_by_cause(stories: Mapping[str, Mapping[str, Any]]) -> dict[str, list[str]]:
    found = {
        (one, f"story {name}: {check['name'].split(': ')[0]}"): None
        for name, story in stories.items()
        for check in story["checks"]
        for one in check.get("causes", ())
    }
    questions: dict[str, list[str]] = {}
    for one, question in found:
        questions.setdefault(one, []).append(question)
    return questions


def _realism_lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for row in rows:
        if row["judged"] and not row["passed"]:
            yield _difference(f"realism: {row['name']}", row["expected"], row["measured"])


def _check_lines(checks: Iterable[Mapping[str, Any]], prefix: str) -> Iterator[str]:
    for check in checks:
        if not check["passed"]:
            yield _difference(prefix + check["name"], check["expected"], check["observed"])


def _difference(what: str, expected: Any, observed: Any) -> str:
    return " ".join(f"{what}: expected {expected}, observed {observed}".split())
