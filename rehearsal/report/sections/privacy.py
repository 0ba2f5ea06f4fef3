"""The section on attacks against the public tier, and on what protection costs honest users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from rehearsal.report.figures.membership import power_figure
from rehearsal.report.figures.rendering import vega_specification
from rehearsal.report.page_elements import (
    Column,
    Figure,
    Section,
    Shown,
    Table,
    Text,
    percent,
    table_of,
    whole,
)
from rehearsal.report.style import PAGE


def privacy_section(summary: Mapping[str, Any]) -> Section | None:
    """Build the section on the attacks and the cost of protection.

    Args:
        summary: The content of ``summary.json``.

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
        [figure, Text(_method(privacy["measured"])), _attacks(privacy), _answers(privacy)],
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
        "confidence, over all nodes. AUC: the probability that a member looks more like a member "
        "than a non-member does; 0.5 is guessing. Questions: the most about one target. Paid: the "
        "most answers from the number of matching people, with noise. Free: answers from public "
        "facts alone, and refused: those that the budget does not pay for, both of one target that "
        "was asked about in full."
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
