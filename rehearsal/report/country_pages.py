"""A page for every country: answers, latency, people, datasets, consent and faults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pandas as pd

from rehearsal.model import Country
from rehearsal.report.catalogue_page import dataset_table, subjects_table, survey_table
from rehearsal.report.causes import add_causes, list_causes
from rehearsal.report.failures import cause_line
from rehearsal.report.maturity_page import maturity_section
from rehearsal.report.page_elements import (
    Column,
    Facts,
    Linked,
    Page,
    Points,
    Section,
    Shown,
    Table,
    Text,
    milliseconds,
    percent,
    table_of,
    whole,
)
from rehearsal.report.problems import PROBLEM_COLUMNS, SHOWN_PROBLEMS, find_problems
from rehearsal.report.questions.words import STATE_WORDS, counted, kind_words
from rehearsal.report.story_pages import story_href
from rehearsal.report.tables import ReportTables, cohort_table, country_href, node_table

NEIGHBOURS = 5  # countries shown as nearest and farthest by genetic distance


def country_pages(summary: Mapping[str, Any], tables: ReportTables) -> Iterator[Page]:
    """Make one page per country.

    Args:
        summary: The content of ``summary.json``.
        tables: The tables of the report.
    """
    cohort = cohort_table(tables).set_index("code")
    nodes = node_table(tables).set_index("node")
    problems = find_problems(tables.answers, tables.codes)
    for country in tables.countries:
        row, node = cohort.loc[country.code], nodes.loc[country.code]
        own = problems[problems["node"] == country.code]
        state = "answered every query correctly"
        if len(own):
            state = (
                f"gave {counted(len(own), 'wrong or missing answer', 'wrong or missing answers')}"
            )
        yield Page(
            country_href(country.code),
            country.name,
            f"A node with {whole(row['people'])} synthetic people. It {state}.",
            [
                _answers(country, tables, node, own),
                _people(country, row, tables),
                *_datasets(country, summary, tables),
                *_realism(country, row, tables),
                *_stories(country, tables),
                *_faults(country, tables),
                maturity_section(summary, country.code),
            ],
        )


def _people(country: Country, row: pd.Series, tables: ReportTables) -> Section:
    born = "–" if pd.isna(row["born_from"]) else f"{int(row['born_from'])}–{int(row['born_to'])}"
    facts = [
        ("People", whole(row["people"])),
        ("Women", whole(row["women"])),
        ("Men", whole(row["men"])),
        ("People with relatives in the cohort", whole(row["in_families"])),
        ("Years of birth", born),
        ("Capital", country.capital),
        (
            "1+MG declaration of 2018",
            f"signed {country.signed_declaration}"
            if country.signed_declaration != "no"
            else "not signed as of 2023",
        ),
    ]
    return Section("people", "People", [Facts(facts)])


def _answers(
    country: Country, tables: ReportTables, node: pd.Series, problems: pd.DataFrame
) -> Section:
    own = tables.answers[tables.answers["node"] == country.code]
    kinds = pd.DataFrame(
        {
            "asked": own.groupby("kind").size(),
            "right": (own["verdict"] == "right").groupby(own["kind"]).sum(),
            "incomplete": (own["verdict"] == "incomplete").groupby(own["kind"]).sum(),
            "wrong": (own["verdict"] == "wrong").groupby(own["kind"]).sum(),
            "answered": (own["state"] == "answered").groupby(own["kind"]).sum(),
            "refused": (own["state"] == "refused").groupby(own["kind"]).sum(),
            "silent": own["state"].isin(["late", "failed"]).groupby(own["kind"]).sum(),
        }
    )
    latency = tables.latency[tables.latency["node"] == country.code].set_index("kind")
    kinds = kinds.join(latency[["p50_ms", "p99_ms"]]).reset_index()
    shown = [
        Shown("kind", Column("Kind of query", names_row=True), kind_words),
        Shown("asked", Column("Asked", number=True), whole),
        Shown("answered", Column("Answered", number=True), whole),
        Shown("refused", Column("Refused", number=True), whole),
        Shown("silent", Column("Late or failed", number=True), whole),
        Shown("right", Column("Correct", number=True), whole),
        Shown("incomplete", Column("Correct, with missing parts", number=True), whole),
        Shown("wrong", Column("Wrong", number=True), whole),
        Shown("p50_ms", Column("Median, ms", number=True), milliseconds),
        Shown("p99_ms", Column("p99, ms", number=True), milliseconds),
    ]
    rtt = _latency(node["rtt_ms"])
    if country.code in tables.foreign:
        rtt = "no delay was added: someone else runs this node"
    elif country.code == tables.asker:
        rtt = "none: the queries come from here"
    parts: list[Any] = [
        Facts(
            [
                ("Round trip to the asker", rtt),
                ("Median latency", _latency(node["p50_ms"])),
                ("99th percentile of latency", _latency(node["p99_ms"])),
            ]
        ),
        table_of(
            kinds,
            "Answers by kind of query. An absent variant is one that nobody in the country has. "
            "The right answer to an ill-formed request is a refusal. Half of the answers came "
            "within the median, 99% within p99.",
            shown,
        ),
        *_missing_parts(own),
    ]
    if len(problems):
        causes = list_causes(add_causes(problems))
        parts.append(Points([cause_line(cause) for cause in causes]))
        columns = [Column(name.capitalize()) for name in PROBLEM_COLUMNS if name != "node"]
        cells = problems.head(SHOWN_PROBLEMS).drop(columns="node").fillna("–").astype(str)
        rows = [tuple(row) for row in cells.itertuples(index=False)]
        parts.append(Table(f"{whole(len(problems))} wrong or missing answers.", columns, rows))
    return Section("answers", "Answers and latency", parts)


def _missing_parts(answers: pd.DataFrame) -> Iterator[Table]:
    """Count the parts that were asked for and that the node does not give, if there are any."""
    lacking = answers.loc[answers["missing"].fillna("") != "", "missing"].value_counts()
    if len(lacking):
        columns = [Column("Not given", names_row=True), Column("Answers", number=True)]
        rows = [(str(parts), whole(number)) for parts, number in lacking.items()]
        yield Table("What the node does not give, and how often it was asked for.", columns, rows)


def _latency(value: float) -> str:
    return "–" if pd.isna(value) else f"{milliseconds(value)} ms"


def _datasets(
    country: Country, summary: Mapping[str, Any], tables: ReportTables
) -> Iterator[Section]:
    own = [one for one in tables.datasets if one["country_code"] == country.code]
    if own:
        yield Section("datasets", "Datasets", [dataset_table(own, "../")])
        subjects = subjects_table(summary["survey"][country.code])
        yield Section("consent", "Consent", [_consent(own[-1]), subjects, survey_table(own[-1])])


def _consent(descriptor: Mapping[str, Any]) -> Table:
    columns = [
        Column("Term", names_row=True),
        Column("Use"),
        Column("Expected share of people", number=True),
    ]
    rows = [(use["term"], use["label"], percent(use["share"], 0)) for use in descriptor["uses"]]
    caption = (
        "What the node publishes: the uses that its forms of consent permit, as terms of the Data "
        "Use Ontology (DUO), and the share of people who are expected to get such a form. Forms "
        "are the same in every country of the run, and so are these shares. One person may permit "
        "several uses, and withdrawn consent is not considered. The next table counts the people."
    )
    return Table(caption, columns, rows)


def _realism(country: Country, row: pd.Series, tables: ReportTables) -> Iterator[Section]:
    facts = [
        (
            "Alleles on autosomes that vary in the country",
            whole(row["alleles"]) if pd.notna(row["alleles"]) else "–",
        ),
        (
            "Share of these seen on one chromosome only",
            percent(row["singleton_share"]) if pd.notna(row["singleton_share"]) else "–",
        ),
    ]
    parts: list[Any] = [Facts(facts)]
    if tables.expected_fst is not None and len(tables.countries) > 1:
        names = {other.code: other.name for other in tables.countries}
        parts.append(_neighbours(country.code, names, tables.expected_fst))
    yield Section("genetics", "Genetics", parts)


def _neighbours(code: str, names: Mapping[str, str], fst: pd.DataFrame) -> Table:
    """Tabulate the nearest and farthest countries; ``fst`` has a row and a column per country."""
    by_other = fst[code].drop(code).sort_values()
    chosen = by_other
    if len(by_other) > 2 * NEIGHBOURS:
        chosen = pd.concat([by_other.head(NEIGHBOURS), by_other.tail(NEIGHBOURS)])
    rows = [
        (Linked(names.get(name, name), country_href(name, "../")), f"{value:.5f}")
        for name, value in chosen.items()
    ]
    columns = [Column("Country", names_row=True), Column("F_ST", number=True)]
    caption = (
        "Genetic distance to other countries, nearest first: Hudson's F_ST as the demographic "
        "model predicts it."
    )
    if len(chosen) < len(by_other):
        caption += f" The {NEIGHBOURS} nearest and the {NEIGHBOURS} farthest are shown."
    return Table(caption, columns, rows)


def _stories(country: Country, tables: ReportTables) -> Iterator[Section]:
    rows = []
    for story in tables.stories:
        link = Linked(story["title"], story_href(story["name"], "../"))
        for question in story["questions"]:
            one = question["countries"].get(country.code)
            if one is not None:
                rows.append(
                    (link, question["text"], STATE_WORDS[one["state"]], _latency(one["latency_ms"]))
                )
    if rows:
        columns = [
            Column("Story", names_row=True),
            Column("Question", long=True),
            Column("Outcome"),
            Column("Answer time", number=True),
        ]
        yield Section(
            "stories",
            "Stories",
            [Table("Questions that stories asked of this node.", columns, rows)],
        )


def _faults(country: Country, tables: ReportTables) -> Iterator[Section]:
    """Yield the faults that were caused at this country's node."""
    if tables.bench is None:
        return
    own = tables.bench.faults[tables.bench.faults["node"] == country.code]
    if own.empty:
        yield Section("faults", "Faults", [Text("No faults were caused at this node.")])
        return
    shown = [
        Shown("scenario", Column("Scenario", names_row=True)),
        Shown("must_hold", Column("Requirement", long=True)),
        Shown("held", Column("Met"), lambda held: "yes" if held else "NO"),
    ]
    yield Section(
        "faults",
        "Faults",
        [table_of(own, "Faults that were caused on purpose at this node.", shown)],
    )
