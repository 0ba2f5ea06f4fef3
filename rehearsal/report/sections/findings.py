"""Sections on wrong answers, stories, datasets, re-identification and other checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rehearsal.report.catalogue_page import CATALOGUE
from rehearsal.report.failures import list_failures
from rehearsal.report.figures.membership import power_figure
from rehearsal.report.figures.rendering import vega_specification
from rehearsal.report.page_elements import (
    Column,
    Figure,
    Linked,
    Links,
    Points,
    Section,
    Shown,
    Table,
    Text,
    percent,
    seconds,
    spaced,
    table_of,
    whole,
)
from rehearsal.report.problems import PROBLEM_COLUMNS, SHOWN_PROBLEMS
from rehearsal.report.story_pages import story_href
from rehearsal.report.style import PAGE
from rehearsal.report.tables import (
    ReportTables,
)


def problems_section(summary: Mapping[str, Any]) -> Section:
    """Build the section that lists everything that went wrong.

    Args:
        summary: The content of ``summary.json``.
    """
    federation = summary["federation"]
    frame = pd.DataFrame(federation["problems"], columns=PROBLEM_COLUMNS).head(SHOWN_PROBLEMS)
    listed = ("query ", "federation:")
    others = [line for line in list_failures(summary) if not line.startswith(listed)]
    parts: list[Any] = [Points(others)] if others else []
    if frame.empty:
        parts.append(Text("None. Every node and the network gave the true answer to every query."))
    else:
        shown = [
            Shown("query", Column("Query", names_row=True)),
            Shown("kind", Column("Kind"), spaced),
            Shown("node", Column("Node")),
            Shown("problem", Column("Problem")),
            Shown("expected", Column("Truth")),
            Shown("observed", Column("Answer")),
            Shown("reason", Column("Reason")),
        ]
        total = federation["problems_total"]
        caption = f"{whole(total)} wrong, late, failed or missing answers"
        if total > len(frame):
            caption += (
                f". The table shows the first {whole(len(frame))}. The others are in "
                "queries/answers.parquet."
            )
        parts.append(table_of(frame, caption, shown))
    return Section("problems", "Wrong or missing answers", parts)


def stories_section(tables: ReportTables) -> Section | None:
    """Build the section that links to the stories.

    Args:
        tables: The tables of the report.

    Returns:
        The section, or None if the run has no stories.
    """
    if not tables.stories:
        return None
    columns = [
        Column("Story", names_row=True, long=True),
        Column("Asked by", long=True),
        Column("Questions", number=True),
        Column("Checks", number=True),
        Column("Time, s", number=True),
        Column("Verdict"),
    ]
    rows = []
    for story in tables.stories:
        good = sum(check["passed"] for check in story["checks"])
        rows.append(
            (
                Linked(story["title"], story_href(story["name"])),
                story["asker"]["name"],
                whole(len(story["questions"])),
                f"{good} of {len(story['checks'])}",
                seconds(story["seconds"]),
                "passed" if story["passed"] else "FAILED",
            )
        )
    caption = "Each story has a page. It tells who asked what, why, and what each country answered."
    return Section("stories", "Stories", [Table(caption, columns, rows)])


def checks_section(summary: Mapping[str, Any]) -> Section | None:
    """Build the section with all checks besides queries, stories and realism.

    Args:
        summary: The content of ``summary.json``.

    Returns:
        The section, or None if there are no such checks.
    """
    if not summary["checks"]:
        return None
    rows = [
        (
            check["name"],
            str(check["expected"]),
            str(check["observed"]),
            "passed" if check["passed"] else "failed",
        )
        for check in summary["checks"]
    ]
    columns = [
        Column("Check", names_row=True),
        Column("Expected"),
        Column("Observed"),
        Column("Verdict"),
    ]
    return Section(
        "checks",
        "Other checks",
        [Table("All checks besides queries, stories and realism.", columns, rows)],
    )


def datasets_section(tables: ReportTables) -> Section | None:
    """Build the section that links to the page of datasets.

    Args:
        tables: The tables of the report.

    Returns:
        The section, or None if the run has no datasets.
    """
    if not tables.datasets:
        return None
    number = f"{whole(len(tables.datasets))} datasets of this run, with their permitted uses"
    return Section("datasets", "Datasets", [Links("Catalogue", [Linked(number, CATALOGUE)])])


def privacy_section(summary: Mapping[str, Any]) -> Section | None:
    """Build the section on the membership attack and the cost of protection.

    Args:
        summary: The content of ``summary.json``.

    Returns:
        The section, or None if no attack was made.
    """
    if not summary["privacy"].get("table"):
        return None
    measured = summary["privacy"]["measured"]
    frame = pd.DataFrame(summary["privacy"]["table"])
    most = frame[frame["queries"] == frame["queries"].max()]
    worst = most.loc[most.groupby("protection", sort=False)["power"].idxmax()]
    shown = [
        Shown("protection", Column("Protection", names_row=True)),
        Shown("attack", Column("Strongest attack"), spaced),
        Shown("power", Column("Members found", number=True), percent),
        Shown("auc", Column("AUC", number=True), "{:.2f}".format),
        Shown("refused", Column("True matches hidden", number=True), percent),
        Shown("refused_common", Column("Common alleles hidden", number=True), percent),
    ]
    caption = (
        f"The strongest attack on each protection, after {whole(frame['queries'].max())} queries "
        f"about each of {whole(measured['targets'])} people, at {len(measured['nodes'])} nodes. "
        f"The attacker accepts {percent(measured['false_positives'], 0)} false positives. AUC: "
        "area under the ROC curve; 0.5 is guessing. True matches hidden: the share of queries "
        "that a protected node answers with no although it has the allele. Registered and public "
        "default: the settings of the two lower tiers of access."
    )
    figure = Figure(
        "privacy",
        "An attacker tries to find out whether a person is in a node. The figure shows the share "
        "of such people that the strongest attack finds, by the number of queries. The dashed "
        "line is the limit that the public tier promises.",
        vega_specification(power_figure(summary["privacy"]["table"], PAGE, "container")),
    )
    return Section("privacy", "Re-identification", [figure, table_of(worst, caption, shown)])
