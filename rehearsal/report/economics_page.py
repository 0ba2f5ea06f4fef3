"""Costs and effects of care: a page with the assumptions first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.report.page_elements import (
    Column,
    Page,
    Points,
    Section,
    Table,
    Text,
    as_given,
    percent,
    whole,
)

ECONOMICS = "economics.html"
WAYS = {"prevention": "Score-based prevention", "cascade": "Cascade testing"}
ALTERNATIVES = {
    "prevention": (
        "At {start}, everybody has a polygenic score of the disease computed. People with a score "
        "of at least {threshold} standard deviations take a statin until {end} or until they fall "
        "ill. The alternative is that nobody does. Figures are per person tested."
    ),
    "cascade": (
        "Women who are first-degree relatives of known carriers are tested at {start}. Carriers "
        "have their breasts removed or are examined every year until {end}. The cancers that "
        "examinations found have fewer deaths for life. The alternative is "
        "that nobody is tested. Figures are per woman tested."
    ),
}
MEANING = (
    "These figures show that sums of nodes are enough for such a study, and that they are the "
    "right ones. They say nothing of a real country: the people are synthetic, and what an "
    "assumption is from stands beside it. Marks: (r) checked against the source, (m) from memory, "
    "(a) an assumption of the rehearsal."
)
LIMITS = (
    "The payer of health care is the perspective: no lost work, no care by families. Utilities do "
    "not fall with age, and nobody is followed beyond the last age of the assumptions.",
    "A figure is a difference: with the care that is named, less without it. The costs and QALYs "
    "of each alternative are not shown. Other alternatives, such as scores of risk without "
    "genomes, are not compared.",
    "A cancer that an examination found has fewer deaths for life. It is not found at an earlier "
    "age in the model, and no examination errs.",
    "Half of the people are women where both sexes take part. Uncertainty is that of the "
    "assumptions with a standard error; the others are not varied.",
)
NOT_ASSESSED = "Not assessed: its story was not played, or nodes did not tell what it needs."


def economics_page(summary: Mapping[str, Any]) -> Page:
    """Build the page.

    Args:
        summary: The content of ``summary.json``.
    """
    economics = summary["economics"]
    worth = f"{whole(economics['euro_per_qaly'])} euro"
    return Page(
        ECONOMICS,
        "Costs and effects of care",
        f"What care by genomes would cost and gain, in euro of {economics['currency_year']} and in "
        f"quality-adjusted years of life (QALY). Both are discounted by "
        f"{percent(economics['discount_rate'])} a year. A QALY is taken to be worth {worth}. "
        f"{whole(economics['unchecked'])} of {whole(len(economics['assumptions']))} assumptions "
        "were not checked against a source: every figure rests on them, and is an example.",
        [
            Section("meaning", "What this is not", [Text(MEANING), Points(LIMITS)]),
            Section("assumptions", "Assumptions", [_assumptions(economics)]),
            *(_way_section(name, economics[name]) for name in WAYS),
        ],
    )


def _assumptions(economics: Mapping[str, Any]) -> Table:
    columns = [
        Column("Of"),
        Column("Assumption", names_row=True),
        Column("Value", number=True),
        Column("Standard error", number=True),
        Column("Drawn as"),
        Column("From", long=True),
    ]
    rows = [
        (
            WAYS[one["way"]],
            one["name"].replace("_", " "),
            as_given(one["value"]),
            as_given(one["se"]) if one["se"] else "–",
            one["draw"] if one["se"] else "–",
            one["source"],
        )
        for one in economics["assumptions"]
    ]
    caption = "Of lognormal values, the standard error is that of the logarithm."
    return Table(caption, columns, rows)


def _way_section(name: str, way: Mapping[str, Any]) -> Section:
    lead = Text(ALTERNATIVES[name].format(**way["ages"]))
    if way["nodes"] is None:
        return Section(name, WAYS[name], [lead, Text(NOT_ASSESSED)])
    columns = [
        Column("Figure", names_row=True),
        Column("By the nodes' sums", number=True),
        Column("95% interval", number=True),
        Column("By pooled people", number=True),
        Column("Truth", number=True),
    ]
    caption = (
        "The truth is a simulation of lives one by one, with the risks that the run's people were "
        "simulated with. One interval in twenty misses it by chance."
    )
    return Section(name, WAYS[name], [lead, Table(caption, columns, list(_rows(way)))])


def _rows(way: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    nodes, pooled, truth = way["nodes"], way["pooled"] or {}, way["truth"] or {}
    for key, words, digits in (
        ("euro", "Costs, euro", 0),
        ("qaly", "Effects, QALY", 4),
        ("ratio", "Euro per QALY", 0),
        ("benefit", "Net benefit, euro", 0),
    ):
        low, high = nodes.get(f"{key}_interval") or (None, None)
        span = "–" if low is None else f"{low:,.{digits}f} to {high:,.{digits}f}"
        yield (
            words,
            _number(nodes.get(key), digits),
            span,
            _number(pooled.get(key), digits),
            _number(truth.get(key), digits),
        )
    yield "Chance of a net benefit", percent(nodes["worth_it"]), "–", "–", "–"
    for one in nodes["worth_at"]:
        words = f"Chance, if a QALY is worth {whole(one['euro'])} euro"
        yield words, percent(one["share"]), "–", "–", "–"


def _number(value: float | None, digits: int) -> str:
    return "–" if value is None else f"{value:,.{digits}f}"
