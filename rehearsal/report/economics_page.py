"""Costs and effects of care: a page with the assumptions first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.report.economics_words import ASSUMPTIONS, TERMS
from rehearsal.report.figures.tornado import tornado_svg
from rehearsal.report.page_elements import (
    Column,
    Drawing,
    Facts,
    Heading,
    Page,
    Points,
    Section,
    Table,
    Text,
    as_given,
    percent,
    shortened,
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
    "Costs are those of this disease and of its care, not all costs of health. Other alternatives, "
    "such as scores of risk without genomes, are not compared.",
    "A cancer that an examination found has fewer deaths for life. It is not found at an earlier "
    "age in the model, and no examination errs.",
    "Half of the people are women where both sexes take part. Intervals are by the assumptions "
    "with a standard error, and by what the nodes counted. Other assumptions are only changed one "
    "at a time, where the table gives them a low and a high value.",
)
NOT_DRAWN, NO_GAIN = "–", "no gain"
SHOWN_CHANGES = 10  # bars of the tornado


def economics_page(summary: Mapping[str, Any]) -> Page:
    """Build the page.

    Args:
        summary: The content of ``summary.json``.
    """
    economics = summary["economics"]
    worth = f"{whole(economics['euro_per_qaly'])} €"
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
            Section("words", "Words", [Facts(TERMS)]),
            Section("assumptions", "Assumptions", list(_assumptions(economics))),
            *(_way_section(name, economics[name]) for name in WAYS),
        ],
    )


def _assumptions(economics: Mapping[str, Any]) -> Iterator[Text | Heading | Table]:
    yield Text(
        "The standard error says how uncertain an assumption is, and how it is drawn; of lognormal "
        "values, it is that of the logarithm. Low to high: the ends with which an assumption is "
        "changed alone; of drawn ones, the interval that has 95% of the draws. "
        f"{NOT_DRAWN}: not drawn, or not changed."
    )
    columns = [
        Column("Assumption", names_row=True),
        Column("Value", number=True),
        Column("Unit"),
        Column("Standard error", number=True),
        Column("Low to high", number=True),
        Column("From", long=True),
    ]
    for way, words in WAYS.items():
        rows = [
            (
                *_named(one["name"], as_given(one["value"])),
                f"{as_given(one['se'])}, {one['draw']}" if one["se"] else NOT_DRAWN,
                NOT_DRAWN if one["low"] is None else _span(one["low"], one["high"]),
                one["source"],
            )
            for one in economics["assumptions"]
            if one["way"] == way
        ]
        yield Heading(words)
        yield Table(f"Assumptions of {words.lower()}.", columns, rows, stacks=True)


def _named(name: str, value: str) -> tuple[str, str, str]:
    words, unit = ASSUMPTIONS[name]
    return words, value, unit


def _way_section(name: str, way: Mapping[str, Any]) -> Section:
    lead = Text(ALTERNATIVES[name].format(**way["ages"]))
    if way["nodes"] is None:
        return Section(name, WAYS[name], [lead, Text(f"Not assessed: {way['why']}.")])
    parts = [lead, _arm_table(name, way), _gain_table(way), *_single_changes(way["nodes"])]
    return Section(name, WAYS[name], parts)


def _arm_table(name: str, way: Mapping[str, Any]) -> Table:
    columns = [
        Column("Per person", names_row=True),
        *(
            Column(f"{what}, {whose}", number=True)
            for whose in ("by the nodes' sums", "by pooled people", "truth")
            for what in ("Costs", "QALYs")
        ),
    ]
    found = [(way[whose] or {}).get("arms") for whose in ("nodes", "pooled", "truth")]
    rows = []
    for arm, words in (("usual", "Usual care"), ("care", WAYS[name])):
        cells = [text for arms in found for text in _arm_cells(arms, arm)]
        rows.append((words, *cells))
    return Table(
        "Costs and effects of each alternative, from the start to the end of life.", columns, rows
    )


def _arm_cells(arms: Mapping[str, Any] | None, arm: str) -> tuple[str, str]:
    one = arms[arm] if arms else {}
    return _number(one.get("euro"), 0, " €"), _number(one.get("qaly"), 4)


def _gain_table(way: Mapping[str, Any]) -> Table:
    columns = [
        Column("Difference to usual care", names_row=True),
        Column("By the nodes' sums", number=True),
        Column("95% interval", number=True),
        Column("By pooled people", number=True),
        Column("Truth", number=True),
    ]
    caption = (
        "The truth is a simulation of lives one by one, with the risks that the run's people were "
        "simulated with. One interval in twenty misses it by chance. "
        f"{NOT_DRAWN}: there is no such figure."
    )
    return Table(caption, columns, list(_rows(way)))


def _single_changes(nodes: Mapping[str, Any]) -> Iterator[Drawing | Table]:
    """Show what each assumption alone changes."""
    changes = nodes["single"]
    bars = [
        (ASSUMPTIONS[one["name"]][0], one["at_low"]["benefit"], one["at_high"]["benefit"])
        for one in changes[:SHOWN_CHANGES]
    ]
    yield Drawing(
        "Net benefit per person when one assumption is at its low (light) or high (dark) value, "
        "the others as they are. Those that change it most are shown.",
        tornado_svg(bars, nodes["benefit"]),
    )
    columns = [
        Column("Assumption", names_row=True),
        Column("Low to high", number=True),
        Column("Unit"),
        Column("Euro per QALY at its low", number=True),
        Column("Euro per QALY at its high", number=True),
        Column("Net benefit at its low", number=True),
        Column("Net benefit at its high", number=True),
    ]
    rows = [
        (
            *_named(one["name"], _span(one["low"], one["high"])),
            *(
                _number(one[end][figure], 0, " €") if one[end][figure] is not None else NO_GAIN
                for figure in ("ratio", "benefit")
                for end in ("at_low", "at_high")
            ),
        )
        for one in changes
    ]
    yield Table(
        "What each assumption alone changes, the others as they are.", columns, rows, stacks=True
    )


def _rows(way: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    nodes, pooled, truth = way["nodes"], way["pooled"] or {}, way["truth"] or {}
    for key, words, digits, unit in (
        ("euro", "Costs", 0, " €"),
        ("qaly", "QALYs", 4, ""),
        ("ratio", "Euro per QALY", 0, " €"),
        ("benefit", "Net benefit", 0, " €"),
    ):
        ends = nodes.get(f"{key}_interval") or ()
        span = " to ".join(_number(one, digits, unit) for one in ends) or NOT_DRAWN
        yield (
            words,
            _number(nodes.get(key), digits, unit),
            span,
            _number(pooled.get(key), digits, unit),
            _number(truth.get(key), digits, unit),
        )
    yield "Chance of a net benefit", percent(nodes["worth_it"]), *[NOT_DRAWN] * 3
    for one in nodes["worth_at"]:
        words = f"Chance, if a QALY is worth {whole(one['euro'])} €"
        yield words, percent(one["share"]), *[NOT_DRAWN] * 3


def _number(value: float | None, digits: int, unit: str = "") -> str:
    return NOT_DRAWN if value is None else f"{value:,.{digits}f}{unit}"


def _span(low: float, high: float) -> str:
    return f"{shortened(low)} to {shortened(high)}"
