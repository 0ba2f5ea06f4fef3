"""All checks of a run as JUnit XML, for continuous integration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from xml.etree import ElementTree

import pandas as pd

from rehearsal.evaluation.answer_table import NETWORK
from rehearsal.files import atomic_path
from rehearsal.report.causes import add_causes
from rehearsal.report.failures import cause_line
from rehearsal.report.problems import find_problems


class Case(NamedTuple):
    """A test case. ``failure`` and ``skipped`` say why; both are empty if it passed."""

    name: str
    seconds: float = 0.0
    failure: str = ""
    skipped: str = ""


def write_junit(
    path: Path | str, summary: Mapping[str, Any], answers: pd.DataFrame, nodes: list[str]
) -> None:
    """Write one test suite for the queries, one for QS-02, and one for each group of checks.

    Each query is a test case. If it fails, its message is the cause, which is the same for all
    queries that fail by it; then comes the difference of every node. So it is with the checks of
    stories that fail because of nodes.

    Args:
        path: File to write.
        summary: The content of ``summary.json``.
        answers: ``answers.parquet``.
        nodes: Codes of the countries that had to answer.
    """
    root = ElementTree.Element("testsuites", name="rehearsal")
    for name, cases in _suites(summary, answers, nodes):
        suite = ElementTree.SubElement(
            root,
            "testsuite",
            name=name,
            tests=str(len(cases)),
            failures=str(sum(bool(case.failure) for case in cases)),
            errors="0",
            skipped=str(sum(bool(case.skipped) for case in cases)),
            time=f"{sum(case.seconds for case in cases):.3f}",
        )
        for case in cases:
            about = {"name": case.name, "time": f"{case.seconds:.3f}"}
            element = ElementTree.SubElement(
                suite, "testcase", classname=f"rehearsal.{name}", attrib=about
            )
            if case.failure:
                first, *_ = case.failure.splitlines()
                ElementTree.SubElement(element, "failure", message=first).text = case.failure
            if case.skipped:
                ElementTree.SubElement(element, "skipped", message=case.skipped)
    ElementTree.indent(root)
    with atomic_path(path) as aside:
        ElementTree.ElementTree(root).write(aside, encoding="utf-8", xml_declaration=True)


def _suites(
    summary: Mapping[str, Any], answers: pd.DataFrame, nodes: list[str]
) -> Iterator[tuple[str, list[Case]]]:
    yield "federation", list(_queries(answers, nodes))
    measured = summary["qs02"]
    rate = f"{measured['success_rate']:.4f} of answers in time, {measured['required']} required"
    yield "qs02", [Case("QS-02", failure="" if measured["passed"] else rate)]
    yield from _analyses(summary["analyses"])
    realism = [
        {"name": row["name"], "expected": row["expected"], "observed": row["measured"], **row}
        for row in summary["realism"]
        if row["judged"]
    ]
    checks = {
        "realism": realism,
        "privacy": summary["privacy"].get("checks", ()),
        **{f"story.{name}": story["checks"] for name, story in summary["stories"].items()},
        "checks": summary["checks"],
    }
    for name, group in checks.items():
        if group:
            yield name, [_case(check) for check in group]


def _queries(answers: pd.DataFrame, nodes: list[str]) -> Iterator[Case]:
    wrong: dict[str, list[str]] = {}
    for one in add_causes(find_problems(answers, nodes)).to_dict("records"):
        said = wrong.setdefault(one["query"], [cause_line(one)])
        details = f"expected {one['expected']}, observed {one['observed']} {one['reason']}"
        said.append(f"{one['node']}: {one['problem']}; {details}".strip())
    joined = answers[answers["node"] == NETWORK].groupby("query")["latency_ms"].mean()
    for query in dict.fromkeys(answers["query"]):
        latency_s = float(joined.get(query, 0.0)) / 1000
        yield Case(query, latency_s, "\n".join(wrong.get(query, ())))


def _analyses(analyses: Mapping[str, Any]) -> Iterator[tuple[str, list[Case]]]:
    if analyses:
        marks = [Case(mark["name"], skipped=mark["why"]) for mark in analyses["marks"]]
        yield "analyses", [*map(_case, analyses["checks"]), *marks]


def _case(check: Mapping[str, Any]) -> Case:
    wrong = f"expected {check['expected']}, observed {check['observed']}"
    lines = "\n".join([*check.get("causes", ()), wrong])
    return Case(str(check["name"]), failure="" if check["passed"] else lines)
