"""Evidence for the technical half of maturity: a page of all indicators, and a part per country."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rehearsal.policy.node_checks import CHECKS, HELD, NOT_MEASURED
from rehearsal.report.economics_page import ECONOMICS
from rehearsal.report.page_elements import (
    Column,
    Heading,
    Linked,
    Links,
    Page,
    Points,
    Section,
    Table,
    Text,
    spaced,
    whole,
)

MATURITY = "maturity.html"
NO_EVIDENCE = "not assessed"  # an indicator of which no run has evidence
NOT_TRIED = "not tried in full by this run"  # an indicator, of which single checks may have held
NO_SCORE = (
    "This is no score and says nothing of a real country. The nodes are synthetic ones in the "
    "place of countries. A check of the run is evidence for the technical half of a level only; "
    "laws, bodies, budgets and people are the other half."
)

LEVELS = (
    "What the levels mean for the indicators of which a run has evidence, in our own words. The "
    "wording that counts is in the Maturity Level Model of the project Beyond 1 Million Genomes."
)


def maturity_page(summary: Mapping[str, Any]) -> Page:
    """Build the page of all indicators, and of what the run can say of them.

    Args:
        summary: The content of ``summary.json``.
    """
    maturity = summary["maturity"]
    indicators = maturity["indicators"]
    usable = sum(one["assessable"] for one in indicators)
    return Page(
        MATURITY,
        "Evidence for maturity",
        f"{whole(len(indicators))} indicators by which countries assess how ready they are for "
        f"genomic medicine. This run has evidence for the technical half of {whole(usable)}.",
        [
            Section("meaning", "What this is not", [Text(NO_SCORE), *_example(summary)]),
            Section("indicators", "Indicators", [_indicator_table(maturity)]),
            Section("levels", "Levels", list(_levels(maturity))),
            Section("checks", "Checks that are evidence", [_check_table(maturity)]),
        ],
    )


def _example(summary: Mapping[str, Any]) -> Iterator[Links]:
    """Link to the run's example of costs and effects of care, if it has one."""
    if "economics" in summary:
        item = Linked("Costs and effects of care, an example and no evidence", ECONOMICS)
        yield Links("What this run computes of economics", [item])


def _indicator_table(maturity: Mapping[str, Any]) -> Table:
    columns = [
        Column("Domain"),
        Column("Indicator", names_row=True, long=True),
        Column("Why, or why not", long=True),
        Column("Technical half of level", number=True),
        Column("Nodes with all evidence, of those fully tried", number=True),
    ]
    nodes = maturity["nodes"].values()
    rows = []
    for one in maturity["indicators"]:
        statuses = [node["indicators"].get(one["key"]) for node in nodes]
        held, tried = statuses.count(HELD), len(nodes) - statuses.count(NOT_MEASURED)
        evidence = (
            (str(one["level"]), _share(held, tried))
            if one["assessable"]
            else (NO_EVIDENCE, NO_EVIDENCE)
        )
        rows.append((one["domain"], one["name"], one["reason"], *evidence))
    caption = (
        f"Names and reasons in our own words. Of an indicator that is {NO_EVIDENCE}, no run has "
        "evidence."
    )
    return Table(caption, columns, rows, stacks=True)


def _levels(maturity: Mapping[str, Any]) -> Iterator[Text | Heading | Points]:
    """Yield the levels of each assessable indicator, and what a run can show of one of them."""
    yield Text(LEVELS)
    for one in maturity["indicators"]:
        if one["assessable"]:
            yield Heading(one["name"])
            yield Points([f"Level {place}: {text}" for place, text in enumerate(one["levels"], 1)])
            yield Text(f"What a run can show of level {one['level']}: {one['shows']}")


def _check_table(maturity: Mapping[str, Any]) -> Table:
    columns = [
        Column("Check", names_row=True),
        Column("What held, if it held", long=True),
        Column("File"),
        Column("Nodes where it held, of those tried", number=True),
        Column("Nodes with something to tell", number=True),
    ]
    rows = [
        (
            name.replace("_", " "),
            check["words"],
            check["file"],
            *_held_and_told([node["checks"][name] for node in maturity["nodes"].values()]),
        )
        for name, check in maturity["checks"].items()
    ]
    return Table(
        "Each check judges each node by itself. The run does not make every check at every node, "
        "so that numbers do not rank them. Files are technical ones, in the folder of the results, "
        "beside that of the report. –: not counted.",
        columns,
        rows,
        stacks=True,
    )


def _held_and_told(found: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Write at how many nodes a check held, and at how many there was something to tell."""
    statuses = [one["status"] for one in found]
    held, tried = statuses.count(HELD), len(found) - statuses.count(NOT_MEASURED)
    told = [one["nonzero"] for one in found if one["nonzero"] is not None and one["of"]]
    return _share(held, tried), whole(sum(map(bool, told))) if told else "–"


def _share(held: int, tried: int) -> str:
    return f"{held} of {tried}" if tried else "not tried by this run"


def maturity_section(summary: Mapping[str, Any], code: str) -> Section:
    """Build the evidence sheet of a node, which may be one that somebody else runs.

    Args:
        summary: The content of ``summary.json``.
        code: The code of the node's country.
    """
    maturity = summary["maturity"]
    node = maturity["nodes"][code]
    names = {one["key"]: one for one in maturity["indicators"]}
    columns = [
        Column("Indicator", names_row=True),
        Column("Technical half of level", number=True),
        Column("Evidence"),
        Column("From"),
    ]
    rows = [
        (
            names[key]["name"],
            str(names[key]["level"]),
            NOT_TRIED if status == NOT_MEASURED else status,
            ", ".join(one.replace("_", " ") for one in names[key]["checks"]),
        )
        for key, status in node["indicators"].items()
    ]
    others = len(names) - len(rows)
    whose = "a node that somebody else runs" if node["foreign"] else "the run's own synthetic node"
    lead = f"Evidence about {whose}, from {maturity['date'][:10]}. {NO_SCORE}"
    caption = f"The other {others} indicators have no evidence in any run."
    checks = Table(
        "What the checks found at this node. Files are technical ones, in the folder of the "
        "results, beside that of the report.",
        [
            Column("Check", names_row=True),
            Column("Status"),
            Column("Held for, or why not measured"),
            Column("File"),
        ],
        list(_check_rows(maturity, node)),
    )
    levels = Links("Levels", [Linked("What the levels mean", f"../{MATURITY}#levels")])
    return Section(
        "maturity",
        "Evidence for maturity",
        [Text(lead), levels, Table(caption, columns, rows), checks],
    )


def _check_rows(maturity: Mapping[str, Any], node: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    for name, found in node["checks"].items():
        section, words = CHECKS[name].section, spaced(name)
        href = f"#{section}" if section else "../index.html#privacy"
        yield (
            words if found["status"] == NOT_MEASURED else Linked(words, href),
            found["status"],
            f"{whole(found['held'])} of {whole(found['of'])}" if found["of"] else found["why"],
            maturity["checks"][name]["file"],
        )
