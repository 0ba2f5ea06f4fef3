"""Failed checks of stories by their cause: one node that is down fails every question."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from rehearsal.report.causes import Causes
from rehearsal.stories.story_types import EVERY_COUNTRY

Checks = list[dict[str, Any]]


def name_story_causes(stories: Sequence[Mapping[str, Any]]) -> dict[str, Checks]:
    """Name the causes of each failed check, as sentences about nodes.

    Nodes without an answer to a question are the causes of all its failed comparisons with the
    truth, unless a comparison by country shows that others gave wrong answers. Then these are the
    causes of this comparison, and of those that do not tell countries apart. What must be empty,
    such as names of patients in an answer, has its cause in no node that is silent or wrong.

    Args:
        stories: The contents of ``stories/{story}.json``.

    Returns:
        The checks of each story by its name. Those that failed because of nodes have ``causes``.
    """
    causes = Causes()
    return {story["name"]: list(_checks(story, causes)) for story in stories}


def _checks(story: Mapping[str, Any], causes: Causes) -> Iterator[dict[str, Any]]:
    """Yield the story's checks in their order, which is that of its questions."""
    named = [one for question in story["questions"] for one in _of_question(question, causes)]
    for check, reasons in zip(story["checks"], named, strict=True):
        yield {**check, **({"causes": reasons} if reasons else {})}


def _of_question(question: Mapping[str, Any], causes: Causes) -> list[list[str]]:
    """Find the causes of each check of a question; none of those that passed."""
    silent = _silent(question)
    wrong = [_wrong(question, check, silent) for check in question["checks"]]
    others = silent or {node: row for rows in wrong for node, row in rows.items()}
    return [
        [causes.of(row) for row in (rows or others).values()] if _can_have_cause(check) else []
        for check, rows in zip(question["checks"], wrong, strict=True)
    ]


def _can_have_cause(check: Mapping[str, Any]) -> bool:
    """Whether a silent or wrong node can be why a check failed: it does not ask for nothing."""
    return not check["passed"] and bool(check["expected"])


def _silent(question: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the nodes without an answer that had to give one, each as a row for ``Causes``."""
    countries = question["countries"]
    states = {node: one["state"] for node, one in countries.items()}
    missed = {node: state for node, state in states.items() if state in ("failed", "late")}
    for check in question["checks"]:
        if check["name"].startswith(EVERY_COUNTRY) and not check["passed"]:
            missed |= _missed(check, states)
    reasons = {node: one.get("reason", "") for node, one in countries.items()}
    return {
        node: {"node": node, "problem": state, "reason": reasons[node]}
        for node, state in missed.items()
        if node in countries
    }


def _missed(check: Mapping[str, Any], states: Mapping[str, str]) -> dict[str, str]:
    """Return the state of each node that a check of states lists as missing."""
    expected, observed = check["expected"], check["observed"]
    if isinstance(observed, Mapping):  # of several queries, by query and node
        return {place.split()[-1]: state for place, state in observed.items()}
    return {node: states[node] for node in expected if node in states and node not in observed}


def _wrong(
    question: Mapping[str, Any], check: Mapping[str, Any], silent: Collection[str]
) -> dict[str, dict[str, Any]]:
    """Return the nodes whose answer in a failed check by country is not the expected one, as rows.

    Keys are countries, or end with one: ``all FI``.
    """
    nodes = question["countries"].keys() - silent
    expected, observed = check["expected"], check["observed"]
    if check["passed"] or not isinstance(expected, Mapping) or not isinstance(observed, Mapping):
        return {}
    rows: dict[str, dict[str, Any]] = {}
    for key in {**expected, **observed}:
        node = str(key).split()[-1]
        if node in nodes and expected.get(key) != observed.get(key):
            found = {"observed": observed.get(key), "expected": expected.get(key), "reason": ""}
            rows.setdefault(node, {"node": node, "problem": "wrong", **found})
    return rows
