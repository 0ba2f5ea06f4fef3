"""``summary.json``: a run's verdicts, for machines.

The keys are an interface: ``run``, ``cohort``, ``realism``, ``privacy``, ``stories``,
``federation``, ``qs02``, ``checks``. Everything in it is plain JSON.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.evaluation.latency import percentile, qs02
from rehearsal.evaluation.run import NETWORK
from rehearsal.files import write_json

LISTED_PROBLEMS = 500  # enough to see what is wrong; the rest is counted
PROBLEM_COLUMNS = ["query", "kind", "node", "problem", "expected", "observed", "reason"]


@dataclass(frozen=True, slots=True)
class Check:
    """One pass/fail of a run that no other key of the summary holds."""

    name: str
    expected: Any
    observed: Any
    passed: bool


def build_summary(
    *,
    run: Mapping[str, Any],
    people: pd.DataFrame,
    blocks: Sequence[str],
    variants: int,
    nodes: Sequence[str],
    answers: pd.DataFrame,
    deadline_s: float,
    checks: Iterable[Check] = (),
    realism: Iterable[Mapping[str, Any]] = (),
    privacy: Mapping[str, Any] | None = None,
    stories: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """The summary of a run.

    ``run`` comes from ``provenance.run_facts``; ``people`` is people.parquet; ``variants`` is the
    number of distinct alleles in all nodes together; ``nodes`` are the country codes that had to
    answer; ``answers`` is answers.parquet. A query that lacks an expected node's row counts as
    unanswered by it.
    """
    problems = find_problems(answers, nodes)
    return _plain(
        {
            "run": dict(run),
            "cohort": {
                "individuals": len(people),
                "countries": people["country"].nunique(),
                "variants": variants,
                "blocks": len(blocks),
            },
            "realism": [dict(row) for row in realism],
            "privacy": dict(privacy or {}),
            "stories": {name: dict(story) for name, story in (stories or {}).items()},
            "federation": _federation(answers, nodes, problems),
            "qs02": _qs02(answers, nodes, deadline_s),
            "checks": [asdict(check) for check in checks],
        }
    )


def find_problems(answers: pd.DataFrame, nodes: Sequence[str]) -> pd.DataFrame:
    """A row for every answer that is wrong, late, failed or missing, sorted by query and node.

    Columns: query, kind, node, problem (``wrong``, ``late``, ``failed``, ``missing``), expected,
    observed, reason. An expected error, such as a 400 to an ill-formed query, is no problem.
    """
    equal = answers["equal"].fillna(False).astype(bool)
    silent = answers["state"].isin(["late", "failed"])
    bad = answers[~equal | silent]
    named = bad["state"].where(silent, "wrong")
    found = pd.DataFrame(
        {
            "query": bad["query"],
            "kind": bad["kind"],
            "node": bad["node"],
            "problem": named,
            "expected": bad["truth"],
            "observed": bad["observed"],
            "reason": bad["reason"].fillna(""),
        }
    )
    parts = [part for part in (found, _missing(answers, nodes)) if len(part)]
    if not parts:
        return pd.DataFrame(columns=PROBLEM_COLUMNS)
    joined = pd.concat(parts, ignore_index=True).drop_duplicates(
        ["query", "node", "problem"], keep="first"
    )
    return joined.sort_values(["query", "node"], ignore_index=True)[PROBLEM_COLUMNS]


def _missing(answers: pd.DataFrame, nodes: Sequence[str]) -> pd.DataFrame:
    """Expected (query, node) pairs without any row: nothing may disappear unmarked."""
    kinds = answers.groupby("query", sort=True)["kind"].first()
    wanted = pd.MultiIndex.from_product([kinds.index, [*nodes, NETWORK]], names=["query", "node"])
    there = pd.MultiIndex.from_frame(answers[["query", "node"]])
    rows = wanted.difference(there).to_frame(index=False)
    return rows.assign(
        kind=rows["query"].map(kinds),
        problem="missing",
        expected=None,
        observed=None,
        reason="no answer was recorded",
    )


def _federation(
    answers: pd.DataFrame, nodes: Sequence[str], problems: pd.DataFrame
) -> dict[str, Any]:
    queries = set(answers["query"])
    unanswered = set(problems.loc[problems["problem"] != "wrong", "query"])
    latency = answers.loc[answers["node"] == NETWORK, "latency_ms"].to_numpy()
    return {
        "queries": len(queries),
        "nodes": answers.loc[answers["node"] != NETWORK, "node"].nunique(),
        "nodes_expected": len(nodes),
        "exact": len(queries - set(problems["query"])),
        "answered": len(queries - unanswered),
        "p50_ms": round(percentile(latency, 50), 3),
        "p99_ms": round(percentile(latency, 99), 3),
        "answers": len(answers),
        "problems": problems.head(LISTED_PROBLEMS).to_dict("records"),
        "problems_total": len(problems),
    }


def _qs02(answers: pd.DataFrame, nodes: Sequence[str], deadline_s: float) -> dict[str, Any]:
    """QS-02 as the bench has it, but a node's missing row counts as one that did not answer."""
    measured = qs02(answers, deadline_s)
    missing = int((_missing(answers, nodes)["node"] != NETWORK).sum())
    measured = replace(measured, asked=measured.asked + missing)
    slowest = answers.loc[answers["node"] != NETWORK, "latency_ms"].max()
    return {
        "deadline_s": deadline_s,
        "required": measured.objective,
        "success_rate": measured.success_rate,
        "asked": measured.asked,
        "in_time": measured.in_time,
        "slowest_ms": round(slowest, 3),
        "passed": measured.passed,
    }


def verdict(summary: Mapping[str, Any]) -> list[str]:
    """One line for everything that failed: which query and node, which story, which check.

    Empty when all is well.
    """
    federation, measured = summary["federation"], summary["qs02"]
    lines = []
    if not federation["queries"]:
        lines.append("federation: no query was asked")
    elif not measured["passed"]:
        lines.append(
            f"QS-02: {measured['success_rate']:.2%} of answers within {measured['deadline_s']} s, "
            f"expected {measured['required']:.0%}"
        )
    lines += [_problem_line(problem) for problem in federation["problems"]]
    unlisted = federation["problems_total"] - len(federation["problems"])
    if unlisted > 0:
        lines.append(f"federation: {unlisted} more answers are wrong or missing")
    for name, story in summary["stories"].items():
        lines += _failed(story["checks"], f"story {name}: ")
        if not story["passed"] and all(check["passed"] for check in story["checks"]):
            lines.append(f"story {name}: did not pass")
    for row in summary["realism"]:
        if row["judged"] and not row["passed"]:
            lines.append(_difference(f"realism: {row['name']}", row["expected"], row["measured"]))
    lines += _failed(summary["privacy"].get("checks", ()), "privacy: ")
    return lines + _failed(summary["checks"], "")


def _failed(checks: Iterable[Mapping[str, Any]], prefix: str) -> list[str]:
    return [
        _difference(prefix + check["name"], check["expected"], check["observed"])
        for check in checks
        if not check["passed"]
    ]


def _problem_line(problem: Mapping[str, Any]) -> str:
    who = f"query {problem['query']} ({problem['kind']}), node {problem['node']}"
    if problem["problem"] == "wrong":
        line = _difference(who, problem["expected"], problem["observed"])
    else:
        line = f"{who}: {problem['problem']}"
    return f"{line} ({problem['reason']})" if problem["reason"] else line


def _difference(what: str, expected: Any, observed: Any) -> str:
    return " ".join(f"{what}: expected {expected}, observed {observed}".split())


def write_summary(path: Path | str, summary: Mapping[str, Any]) -> None:
    """Writes ``summary.json``."""
    write_json(path, summary)


def _plain(value: Any) -> Any:
    """The same as JSON has it: no numpy types, no NaN, string keys."""
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | np.ndarray):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if value is pd.NA or value is pd.NaT or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value
