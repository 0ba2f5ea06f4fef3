"""Costs and effects of care: a page with the assumptions first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
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
OF_BOTH = {"both": "Both ways of care"}
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
        "that nobody is tested. Figures are per woman tested, and of women who are well at the "
        "start: carriers are fewer among them than among all relatives."
    ),
}
GENES = (
    "Carriers that the nodes counted: {counts}. Their shares are the weights of the genes. Only "
    "variants that the story asks for are counted, not all that carriers of a gene have, and where "
    "the run plants carriers in each country, the shares are those of the planting: they say "
    "nothing of Europe."
)
MEANING = (
    "These figures show that sums of nodes are enough for such a study, and that they are the "
    "right ones. They say nothing of a real country: the people are synthetic, and what an "
    "assumption is from stands beside it. Marks: (r) checked against the source, (m) from memory, "
    "(a) an assumption of the rehearsal."
)
LIMITS = (
    "The payer of health care is the perspective: no lost work, no care by families. Utilities do "
    "not fall with age, and nobody is followed beyond the last age of the assumptions.",
    "Deaths of people who are not ill are those of all causes, and deaths from the disease are "
    "added to them: lives are somewhat too short in both alternatives. Deaths are in no draw and "
    "are not changed alone.",
    "The risk of coronary disease is that of a diagnosed chronic disease. What it costs at first, "
    "how many die of it within weeks and what treatment prevents are those of heart attacks: each "
    "diagnosis is counted as a heart attack.",
    "Cascade testing is judged by breast cancer only: no ovarian cancer and no removal of ovaries. "
    "Usual care has no ordinary mammography, so that examinations cost and gain more beside it "
    "than beside the care of today.",
    "Cumulative risks are constant after the last age of their curve: nobody falls ill later.",
    "Costs are those of this disease and of its care, not all costs of health. Other alternatives, "
    "such as scores of risk without genomes, are not compared.",
    "A cancer that an examination found has fewer deaths for life. It is not found at an earlier "
    "age in the model, and no examination errs.",
    "Half of the people are women where both sexes take part. Intervals are by the assumptions "
    "with a standard error, and by what the nodes counted. Other assumptions are in no interval "
    "and in no chance. They are only changed one at a time, where the table gives them a low and a "
    "high value.",
)
NOT_DRAWN = "–"
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
        f"Everybody is followed to the age of {whole(economics['last_age'])}. "
        f"{whole(economics['unchecked'])} of {whole(len(economics['assumptions']))} assumptions "
        "were not checked against a source: every figure rests on them, and is an example.",
        [
            Section("meaning", "What this is not", [Text(MEANING), Points(LIMITS)]),
            Section("words", "Words", [Facts(TERMS)]),
            Section("assumptions", "Assumptions", list(_assumptions(economics))),
            *(_way_section(name, economics) for name in WAYS),
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
    for way, words in (OF_BOTH | WAYS).items():
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


def _way_section(name: str, economics: Mapping[str, Any]) -> Section:
    way = economics[name]
    lead = Text(ALTERNATIVES[name].format(**way["ages"]))
    if way["nodes"] is None:
        return Section(name, WAYS[name], [lead, Text(f"Not assessed: {way['why']}.")])
    parts: list[Any] = [lead]
    if name == "cascade":
        counts = ", ".join(f"{gene} {whole(count)}" for gene, count in way["told"].items())
        parts.append(Text(GENES.format(counts=counts)))
    fixed = [
        ASSUMPTIONS[one["name"]][0]
        for one in economics["assumptions"]
        if one["way"] in (name, "both") and not one["se"]
    ]
    parts += [_arm_table(name, way), _gain_table(way, fixed), *_single_changes(way["nodes"])]
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
        "Costs and effects of each alternative, from the start to the last age. ± is the standard "
        "error of the simulated truth.",
        columns,
        rows,
    )


def _arm_cells(arms: Mapping[str, Any] | None, arm: str) -> tuple[str, str]:
    one = arms[arm] if arms else {}
    return _with_error(one, "euro", 0, " €"), _with_error(one, "qaly", 4)


def _gain_table(way: Mapping[str, Any], fixed: Sequence[str]) -> Table:
    columns = [
        Column("Difference to usual care", names_row=True),
        Column("By the nodes' sums", number=True),
        Column("95% interval", number=True),
        Column("By pooled people", number=True),
        Column("Truth", number=True),
    ]
    caption = (
        "The truth is a simulation of lives one by one, with the risks that the run's people were "
        "simulated with; ± is its standard error. It has the same assumptions and the same counts "
        "of carriers as the nodes' figures, so that nearly every interval contains it: this does "
        "not test the intervals. Intervals are rounded to two digits, because the draws are not "
        "exact to more. Intervals and chances are of what is drawn only. Not drawn, and in none of "
        f"them: {', '.join(fixed).lower()}. {NOT_DRAWN}: there is no such figure."
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
                *(_ratio(one[end]) for end in ("at_low", "at_high")),
                *(_number(one[end]["benefit"], 0, " €") for end in ("at_low", "at_high")),
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
        span = _interval(nodes.get(f"{key}_interval") or (), key, unit)
        found = (
            _ratio(one) if key == "ratio" else _with_error(one, key, digits, unit)
            for one in (nodes, pooled, truth)
        )
        first, *others = found
        yield words, first, span, *others
    yield "Chance of a net benefit", percent(nodes["worth_it"], 0), *[NOT_DRAWN] * 3
    for one in nodes["worth_at"]:
        words = f"Chance, if a QALY is worth {whole(one['euro'])} €"
        yield words, percent(one["share"], 0), *[NOT_DRAWN] * 3


def _ratio(one: Mapping[str, Any]) -> str:
    """Return euro per QALY, or in words which alternative is better where no price decides."""
    if not one:
        return NOT_DRAWN
    if one.get("ratio") is not None:
        return _number(one["ratio"], 0, " €")
    if one["euro"] <= 0 <= one["qaly"]:
        return "dominant"
    return "dominated" if one["qaly"] <= 0 <= one["euro"] else "saves, and loses QALYs"


def _interval(ends: Sequence[float], key: str, unit: str) -> str:
    words = ["dominant" if key == "ratio" and one == 0 else _two_digits(one, unit) for one in ends]
    return " to ".join(words) or NOT_DRAWN


def _with_error(one: Mapping[str, Any], key: str, digits: int, unit: str = "") -> str:
    """Return a figure, with its standard error if it was simulated."""
    error = one.get(f"{key}_error")
    number = _number(one.get(key), digits, unit)
    return number if error is None else f"{number} ± {_two_digits(error, unit)}"


def _two_digits(value: float, unit: str = "") -> str:
    return f"{float(f'{value:.1e}'):,.10g}{unit}"


def _number(value: float | None, digits: int, unit: str = "") -> str:
    return NOT_DRAWN if value is None else f"{value:,.{digits}f}{unit}"


def _span(low: float, high: float) -> str:
    return f"{shortened(low)} to {shortened(high)}"
