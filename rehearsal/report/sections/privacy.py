"""The section on attacks against the public tier, and on what protection costs honest users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rehearsal.evaluation.answer_table import BASES, NETWORK
from rehearsal.report.figures.membership import power_figure
from rehearsal.report.figures.rendering import vega_specification
from rehearsal.report.page_elements import (
    Column,
    Figure,
    Heading,
    Section,
    Shown,
    Table,
    Text,
    percent,
    spaced,
    table_of,
    whole,
)
from rehearsal.report.style import PAGE

TIERS = ("public", "registered")


def privacy_section(summary: Mapping[str, Any], answers: pd.DataFrame) -> Section | None:
    """Build the section on the attacks and the cost of protection.

    Args:
        summary: The content of ``summary.json``.
        answers: The answers to the suite, as in answers.parquet.

    Returns:
        The section, or None if no attack was made.
    """
    privacy = summary["privacy"]
    if not privacy.get("table"):
        return None
    figure = Figure(
        "privacy",
        "Attackers try to find out whether a person is in a node, or has a diagnosis. The figure "
        "shows the share of targets that the stronger of two attackers finds: in exact answers, in "
        "answers by the earlier rules (a threshold, rounding and bounded noise), and in today's "
        "answers to the public tier. The dashed line is the limit that the public tier promises.",
        vega_specification(power_figure(privacy["table"], PAGE, "container")),
    )
    return Section(
        "privacy",
        "Re-identification",
        [
            figure,
            Text(_method(privacy["measured"])),
            _attacks(privacy),
            Heading("What protection costs honest users"),
            _answers(privacy),
            *_suite(answers),
            *_stories(privacy),
        ],
    )


def _method(measured: Mapping[str, Any]) -> str:
    return (
        f"{whole(measured['targets'])} people at {len(measured['nodes'])} nodes were attacked, "
        "each as a member and as a non-member, with up to 10,000 questions each. The attacker "
        f"accepts {percent(measured['false_positives'], 0)} false positives, so guessing finds "
        f"{percent(measured['false_positives'], 0)}. One attacker knows the frequencies elsewhere. "
        "The other also knows the genomes, diagnoses and consents of everybody else in the node. "
        "Today's tier is attacked through the node's own code, with its ledger."
    )


def _attacks(privacy: Mapping[str, Any]) -> Table:
    shown = [
        Shown("secret", Column("Secret")),
        Shown("attack", Column("Attack", names_row=True)),
        Shown("attacker", Column("Attacker knows")),
        Shown("power_none", Column("Found in exact answers", number=True), percent),
        Shown("power_earlier", Column("Found by earlier rules", number=True), percent),
        Shown("power_today", Column("Found today", number=True), percent),
        Shown("upper_bound", Column("Upper bound", number=True), percent),
        Shown("power_worst_node", Column("Worst node", number=True), percent),
        Shown("auc", Column("AUC", number=True), "{:.2f}".format),
        Shown("asked", Column("Questions", number=True), whole),
        Shown("paid", Column("Paid", number=True), whole),
        Shown("free", Column("Free", number=True), whole),
        Shown("refused", Column("Refused", number=True), whole),
    ]
    caption = (
        "The attacks before and after protection. Upper bound: of the share found today, at 95 % "
        "confidence, over all nodes and draws of the noise. AUC: the probability that a member "
        "looks more like a member than a non-member does; 0.5 is guessing. Questions: the most "
        "about one target. Paid: the most answers from the number of matching people, with noise. "
        "Free: answers from public facts alone, and refused: those that the budget does not pay "
        "for, both of one target that was asked about in full."
    )
    return table_of(pd.DataFrame(privacy["table"]), caption, shown)


def _answers(privacy: Mapping[str, Any]) -> Table:
    shown = [
        Shown("people", Column("People at the node", names_row=True, number=True), whole),
        Shown("tier", Column("Tier")),
        Shown("answers", Column("Paid answers", number=True), whole),
        Shown("of_one_caller", Column("Of these, to one caller", number=True), whole),
        Shown("standard_deviation", Column("Noise, people", number=True), "{:.1f}".format),
    ]
    caption = (
        "How many different questions a node answers from its own people, for one data release and "
        "all callers of a tier together. Noise: the standard deviation of a count. Repeated "
        "questions and answers from public facts cost nothing."
    )
    return table_of(pd.DataFrame(privacy["answers"]), caption, shown)


def _suite(answers: pd.DataFrame) -> list[Table]:
    """Show how the nodes answered the suite's questions of the protected tiers."""
    if "basis" not in answers:
        return []
    rows = answers[answers["tier"].isin(TIERS) & (answers["node"] != NETWORK)]
    if rows.empty:
        return []
    rows = rows.assign(
        facts=rows["basis"] == BASES[1],
        noisy=rows["basis"] == BASES[2],
        refused=rows["state"] == "refused",
        error=_errors(rows),
    )
    grouped = rows.groupby(["tier", "kind"], as_index=False)
    frame = grouped.agg(
        answers=("state", "size"),
        facts=("facts", "mean"),
        noisy=("noisy", "mean"),
        refused=("refused", "mean"),
        error=("error", "mean"),
    )
    shown = [
        Shown("tier", Column("Tier", names_row=True)),
        Shown("kind", Column("Kind of query"), spaced),
        Shown("answers", Column("Answers of nodes", number=True), whole),
        Shown("facts", Column("From public facts", number=True), percent),
        Shown("noisy", Column("Paid, with noise", number=True), percent),
        Shown("refused", Column("Refused", number=True), percent),
        Shown("error", Column("Mean error of counts, people", number=True), _decimal),
    ]
    caption = "The queries of the suite that were asked without a token or as a registered user."
    return [table_of(frame, caption, shown)]


def _errors(rows: pd.DataFrame) -> pd.Series:
    """Return the difference of counts of people from the truth; missing without a count."""
    true = rows["truth"].str.extract(r"count (\d+)")[0].astype("float64")
    of_people = (rows["kind"] == "individuals") & (rows["basis"] == BASES[2])
    return (rows["count"].astype("float64") - true).abs().where(of_people)


def _decimal(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.1f}"


def _stories(privacy: Mapping[str, Any]) -> list[Table]:
    """Show what a caller without a token would have learnt from the stories' questions."""
    frame = pd.DataFrame(privacy.get("stories", []))
    if frame.empty:
        return []
    outcomes = ["right", "wrong", "budget", "not open"]
    frame = frame[frame[outcomes].sum(axis=1) > 0]
    shown = [
        Shown("story", Column("Story", names_row=True)),
        Shown("right", Column("Right", number=True), whole),
        Shown("wrong", Column("Wrong", number=True), whole),
        Shown("budget", Column("Refused by the budget", number=True), whole),
        Shown("not open", Column("Not open to the public", number=True), whole),
    ]
    caption = (
        "What the nodes would have answered to the stories' Beacon questions without a token, for "
        "health research and with a full budget. Right: yes where somebody matches, or no where "
        "nobody does. Wrong: mostly no, where a few people match who are not shown. Not open: "
        "filters finer than a sex and one term, or a dataset that is not public. The stories "
        "themselves ask with a token that gives exact answers."
    )
    return [table_of(frame, caption, shown)]
