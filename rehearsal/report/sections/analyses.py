"""The section on federated analyses: who took part, how exact they are, what they found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

from rehearsal.model import Country
from rehearsal.report.figures.association import (
    manhattan_figure,
    methods_figure,
    quantile_figure,
)
from rehearsal.report.figures.components import components_figure
from rehearsal.report.figures.rendering import vega_specification
from rehearsal.report.page_elements import (
    Column,
    Figure,
    Heading,
    Section,
    Shown,
    Table,
    Text,
    expected_and_observed,
    percent,
    seconds,
    spaced,
    table_of,
    whole,
)
from rehearsal.report.style import PAGE
from rehearsal.report.tables import AnalysisTables

TOOK_PART = "took part"
MODES = {"clear": "in clear", "masked": "under masks"}


def analyses_section(
    summary: Mapping[str, Any], tables: AnalysisTables | None, countries: Sequence[Country]
) -> Section | None:
    """Build the section on the federated analyses.

    Args:
        summary: The content of ``summary.json``.
        tables: The tables of the analyses.
        countries: Countries of the run.

    Returns:
        The section, or None if the run has no analyses.
    """
    analyses = summary["analyses"]
    if not analyses or tables is None:
        return None
    parts: list[Any] = [Text(_account(analyses)), _judgement(analyses)]
    if analyses["gwas"].get("tested"):
        parts += _association(analyses["gwas"], tables.gwas)
    if len(tables.burden):
        parts += [Heading("Gene burden"), _burden(tables.burden, analyses["burden"])]
    if analyses["logistic"].get("tested"):
        parts += [Heading("Regression of a disease"), Text(_disease(analyses["logistic"]))]
    if len(tables.components):
        chart = components_figure(tables.components, countries, PAGE, "container")
        caption = (
            "The first two federated components by country, found "
            f"{MODES[analyses['pca']['mode']]}. Nodes keep the components of their "
            "people. The figure shows those of the truth, which point in the same directions. "
            "Components of few megabases follow local haplotypes more than ancestry."
        )
        parts += [
            Heading("Principal components"),
            Figure("federated_components", caption, vega_specification(chart), square=True),
        ]
    return Section("analyses", "Federated analyses", parts)


def _account(analyses: Mapping[str, Any]) -> str:
    """Tell what was played."""
    nodes = analyses["nodes"].values()
    modes = {row["mode"] for row in analyses["gwas"].get("hidden", ())}
    both = (
        " Both modes with the same people tell of single people by their difference: a run may "
        "play both because its people are made up."
    )
    there = sum(node["outcome"] == TOOK_PART for node in nodes)
    if not analyses["rounds"]:
        return f"The analyses were not run. {_sentence(analyses['why'])}"
    return (
        "The same approved algorithm ran at the nodes, each in a sandbox without network, over the "
        "people who permit it. Only sums of people left, in clear or under masks. "
        f"{whole(there)} of {whole(len(nodes))} nodes took part in {whole(analyses['rounds'])} "
        f"rounds, which took {seconds(analyses['seconds'])} s with the start of the sandboxes. The "
        "truth is the same analysis of all people together, after the same rule for small counts, "
        f"by other code.{both if len(modes) > 1 else ''}"
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}" if text else ""


def _judgement(analyses: Mapping[str, Any]) -> Table:
    rows = [
        (
            check["name"],
            *expected_and_observed(check),
            "passed" if check["passed"] else "FAILED",
        )
        for check in analyses["checks"]
    ]
    rows += [(mark["name"], "–", mark["why"], "marked") for mark in analyses["marks"]]
    columns = [
        Column("Check", names_row=True),
        Column("Expected"),
        Column("Observed", long=bool(analyses["marks"])),
        Column("Verdict"),
    ]
    caption = (
        "The analyses against the truth. What is marked was not played, or cannot be judged, for "
        "the reason that stands there. z: estimate by standard error."
    )
    return Table(caption, columns, rows)


def _association(facts: Mapping[str, Any], table: pd.DataFrame) -> Iterator[Any]:
    yield Heading("Association study")
    yield Text(_found(facts))
    if facts["hidden"]:
        yield _cost_of_hiding(facts["hidden"])
    for key, draw, caption in (
        (
            "manhattan",
            manhattan_figure,
            f"P-values of the variants along the simulated contigs, {MODES[facts['mode']]}. "
            "Crosses are variants of which the rule for small counts hides people.",
        ),
        (
            "quantiles",
            quantile_figure,
            "P-values against those expected if no variant had an effect.",
        ),
        (
            "methods",
            methods_figure,
            "Each variant's difference in z: of joined sums to the regression of all people after "
            "the same rule for small counts, and of an inverse-variance meta-analysis of the "
            "countries' own regressions to that regression with an intercept by country, which is "
            "an estimate of the same kind on the same genotypes.",
        ),
    ):
        yield Figure(key, caption, vega_specification(draw(table, PAGE, "container")))
    if facts["effects"]:
        yield _effects(facts["effects"], facts["people"])


def _found(facts: Mapping[str, Any]) -> str:
    top, told = facts["top"], []
    hidden = top["hidden_people"]
    told.append(
        f"Linear regression of {facts['outcome']} {MODES[facts['mode']]}, on "
        f"{whole(facts['tested'])} variants of "
        f"{whole(facts['people'])} people. The smallest p-value is {top['p']:.2g}, of "
        f"{top['variant']}{f', where {whole(hidden)} people are hidden' if hidden else ''}. "
        f"The median of z² is {facts['inflation']:.2f} times the expected one. Relatives are not "
        "corrected for. On chromosome X a man's copy counts as two, also in frequencies."
    )
    if meta := facts.get("meta"):
        everybody, country = meta["all"], meta["country"]
        told.append(
            "A meta-analysis of the countries estimates effects within countries only: each has "
            "its own intercept and own effects of covariates. With the regression of all people in "
            "clear, which also compares countries, it has a correlation of "
            f"{everybody['correlation']:.3f} and differs by up to {everybody['largest']:.2f} in z. "
            "With that regression with an intercept by country, on the same genotypes, it has one "
            f"of {country['correlation']:.3f} and differs by up to {country['largest']:.2f}, by "
            f"{country['median']:.2f} in the median."
        )
    return " ".join(told)


def _disease(facts: Mapping[str, Any]) -> str:
    top, penalised = facts["top"], facts["penalised"]
    return (
        f"Logistic regression of {facts['outcome']} {MODES[facts['mode']]}, on "
        f"{whole(facts['tested'])} autosomal variants whose rarer allele has a frequency of at "
        f"least {percent(facts['least_frequency'])}, at most one in {whole(facts['window'])} "
        f"bases, with the covariates {', '.join(facts['covariates']) or 'none'}: "
        f"{whole(facts['cases'])} of "
        f"{whole(facts['people'])} people have it. The smallest p-value is {top['p']:.2g}, of "
        f"{top['variant']}, with an odds ratio of {top['odds_ratio']:.2f} a copy. The median of z² "
        f"is {facts['inflation']:.2f} times the expected one. {whole(penalised)} of the variants "
        "separate cases from others, so that their likelihood is penalised."
    )


def _cost_of_hiding(rows: Sequence[Mapping[str, Any]]) -> Table:
    shown = [
        Shown("mode", Column("Mode", names_row=True)),
        Shown("frequency", Column("Frequency")),
        Shown("variants", Column("Variants compared", number=True), whole),
        Shown("largest", Column("Largest difference in z", number=True), _number),
        Shown("median", Column("Median", number=True), _number),
        Shown("correlation", Column("Correlation", number=True), "{:.3f}".format),
        Shown("lost", Column("Variants lost", number=True), whole),
        Shown("lost_signals", Column("with |z| above 2", number=True), whole),
        Shown("hidden", Column("Copies hidden", number=True), percent),
    ]
    caption = (
        "What the rule for small counts costs: each mode against the regression of all people on "
        "all their genotypes, by the frequency of the rarer allele. In clear a country's people "
        "count as without an allele that few of them carry, so frequencies, effects and p-values "
        "of rare variants are wrong in ways that differ by country; masked, the rule holds for the "
        "total. Variants lost have a z among all people and none after the rule, because all their "
        "carriers are hidden; beside them those with |z| above 2 among all people. Copies hidden: "
        "the share of the copies of the rarer allele, over compared and lost variants. The checks "
        "above judge each mode after its own rule."
    )
    return table_of(pd.DataFrame(list(rows)), caption, shown)


def _effects(effects: Sequence[Mapping[str, Any]], people: int) -> Table:
    shown = [
        Shown("variant", Column("Variant", names_row=True)),
        Shown("frequency", Column("Frequency", number=True), percent),
        Shown("simulated", Column("Simulated", number=True), _number),
        Shown("estimate", Column("Estimate", number=True), _number),
        Shown("error", Column("Standard error", number=True), _number),
        Shown("meta_estimate", Column("Meta-analysis", number=True), _number),
        Shown("is_within", Column("Interval holds it"), lambda value: "yes" if value else "no"),
    ]
    within = sum(one["is_within"] for one in effects)
    seen = sum(abs(one["estimate"]) > 2 * one["error"] for one in effects)
    caption = (
        "The causal variants of the trait that are simulated, and what this number of people tells "
        f"of their effects: the interval of 95 % holds {whole(within)} of {whole(len(effects))}, "
        f"and {whole(seen)} {'is' if seen == 1 else 'are'} more than two standard errors "
        f"from 0, in {whole(people)} people. "
        f"Effects are of one copy, in {effects[0]['unit']}. "
        "Neighbours that are inherited together share effects, and "
        "treatments change measurements, so estimates are of more than the variant alone."
    )
    return table_of(pd.DataFrame(list(effects)), caption, shown)


def _burden(table: pd.DataFrame, facts: Mapping[str, Any]) -> Table:
    shown = [
        Shown("gene", Column("Gene", names_row=True)),
        Shown("step", Column("Step")),
        Shown("qualifying", Column("Qualifying alleles", number=True), whole),
        Shown("unnamed", Column("not listed", number=True), whole),
        Shown("carriers", Column("Carriers", number=True), percent),
        Shown("people", Column("People", number=True), whole),
        Shown("beta", Column("Effect", number=True), _number),
        Shown("se", Column("Standard error", number=True), _number),
        Shown("p", Column("p", number=True), "{:.2g}".format),
    ]
    compared = "People who carry a qualifying variant of a gene, against those who do not."
    unlisted = (
        "Alleles that too few people of each node carry to be listed qualify by consequence alone."
    )
    if weights := facts["weights"]:
        compared = f"The sum of a person's qualifying alleles of a gene, with weights {weights}."
        unlisted = "Alleles that are not in the joint list have no joint frequency, so no weight."
    caption = (
        f"{compared} An allele qualifies with one of the consequences "
        f"{', '.join(map(spaced, facts['consequences']))}, and a joint frequency of at most "
        f"{percent(facts['largest_frequency'])}. {unlisted} A gene without numbers "
        "has no carriers, or too few: in clear, those at a node that has few of them do not count; "
        "masked, the rule holds for the total."
    )
    return table_of(table, caption, shown)


def _number(value: float) -> str:
    return f"{value:.3g}"
