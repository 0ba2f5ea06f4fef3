"""Sections on wrong answers, stories, datasets and other checks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rehearsal.report.catalogue_page import CATALOGUE
from rehearsal.report.costs_page import COSTS
from rehearsal.report.data_protection_page import DATA_PROTECTION
from rehearsal.report.economics_page import ECONOMICS
from rehearsal.report.failures import list_failures
from rehearsal.report.inventory_page import INVENTORY
from rehearsal.report.maturity_page import MATURITY
from rehearsal.report.page_elements import (
    Column,
    Linked,
    Links,
    Points,
    Section,
    Shown,
    Table,
    Text,
    expected_and_observed,
    seconds,
    spaced,
    table_of,
    whole,
)
from rehearsal.report.problems import PROBLEM_COLUMNS, SHOWN_PROBLEMS
from rehearsal.report.sheet_files import TOPICS
from rehearsal.report.story_pages import story_href
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
    failures = list_failures(summary)
    parts: list[Any] = [Points(failures)] if failures else []
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
        caption = (
            f"{whole(total)} wrong, refused, late, failed or missing answers, those of the most "
            "frequent cause first"
        )
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
        Column("Patients", number=True),
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
                whole(len(story["patients"])),
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
            *expected_and_observed(check),
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


def ministries_section(summary: Mapping[str, Any]) -> Section:
    """Build the section that links to what ministries read.

    Args:
        summary: The content of ``summary.json``.
    """
    links = [
        Linked("Twelve topics, and a sheet for each country", TOPICS),
        Linked("Evidence for maturity, for each node", MATURITY),
        Linked("Costs of the infrastructure", COSTS),
        Linked("Data protection: a draft", DATA_PROTECTION),
        Linked("Synthetic genomic datasets of others", INVENTORY),
    ]
    if "economics" in summary:
        links.append(Linked("Costs and effects of care", ECONOMICS))
    return Section("ministries", "For ministries", [Links("For ministries", links)])
