"""A draft of what an impact assessment asks for and a rehearsal can answer, with figures."""

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
    expected_and_observed,
    whole,
)

DATA_PROTECTION = "data_protection.html"
UNPROTECTED = "power without protection of"
EDIT = (
    "A draft to edit. It describes the software and its synthetic people. Whoever processes data "
    "of real people writes an assessment of their own, with law, contracts and a controller. To "
    "edit it, save a copy of this page and open that in a word processor that reads HTML; the next "
    "run writes this page anew."
)


def data_protection_page(summary: Mapping[str, Any]) -> Page:
    """Build the page.

    Args:
        summary: The content of ``summary.json``.
    """
    cohort, federation = summary["cohort"], summary["federation"]
    return Page(
        DATA_PROTECTION,
        "Data protection: a draft",
        f"What this run can answer of an impact assessment: {whole(cohort['individuals'])} "
        f"synthetic people in {whole(cohort['countries'])} countries, "
        f"{whole(federation['queries'])} queries.",
        [
            Section("draft", "Before you use it", [Text(EDIT)]),
            Section("purposes", "Purposes and legal bases", [_survey_table(summary["survey"])]),
            Section("categories", "Categories of data", [Points(CATEGORIES)]),
            Section("recipients", "Recipients", [Points(RECIPIENTS)]),
            Section("retention", "Retention", [Points(RETENTION)]),
            Section(
                "measures",
                "Measures, with figures",
                [_measure_table(summary), *map(Text, _not_assessed(summary))],
            ),
            Section("open", "To be filled in", [Points(OPEN)]),
        ],
    )


CATEGORIES = (
    "Genotypes and the variants of tumours (genetic data).",
    "Diseases, features, measurements, treatments, samples and family history (health data).",
    "Sex, year of birth, ancestry of the model, and pseudonyms. There are no names and addresses.",
    "Callers, in the log of a node: their subject, purpose and time.",
)
RECIPIENTS = (
    "Callers without a token: protected answers about variants and people.",
    "Registered callers: protected answers.",
    "Callers with a permit: exact counts and records, for the purposes that people permit.",
    "Analysts: totals of approved algorithms, of each node or under masks of all nodes together.",
    "Clinicians: similar patients and alerts, as they subscribed to them.",
    "The network: answers of the nodes, which it combines. It stores none of them.",
)
RETENTION = (
    "A node keeps its data and its log of decisions until its operator removes the folder.",
    "Who withdraws consent is left out within five seconds, while the node serves. A noisy number "
    "that was given before stays as it is, and what was sent cannot be called back.",
)
OPEN = (
    "Controller, processors and data protection officer.",
    "Necessity and proportionality, and the views of the people concerned.",
    "Periods of retention, and transfers to third countries.",
    "Residual risks, and who accepts them.",
)


def _survey_table(survey: Mapping[str, Mapping[str, Mapping[str, int]]]) -> Table:
    """Count the subjects of all countries who permit each use, and those with a legal basis."""
    words = {
        "legal_basis": "A legal basis of the GDPR for sharing",
        "usable_for_future_research": "Future research",
        "usable_in_healthcare_of_others": "Health care of other patients",
    }
    rows = []
    for question, text in words.items():
        yes = sum(one[question]["yes"] for one in survey.values())
        everybody = sum(sum(one[question].values()) for one in survey.values())
        rows.append((text, whole(yes), whole(everybody)))
    columns = [
        Column("Purpose", names_row=True),
        Column("Subjects with yes", number=True),
        Column("Subjects", number=True),
    ]
    caption = (
        "From the consent records of all countries. A legal basis may be consent or public "
        "interest, about which nobody was asked."
    )
    return Table(caption, columns, rows)


def _measure_table(summary: Mapping[str, Any]) -> Table:
    columns = [
        Column("Measure or risk", names_row=True, long=True),
        Column("Required"),
        Column("Found"),
        Column("Verdict"),
    ]
    return Table(
        "Checks of this run on logs, faults and attacks.",
        columns,
        [
            (
                _worded(check["name"]),
                *expected_and_observed(check),
                "passed" if check["passed"] else "failed",
            )
            for check in _measures(summary)
        ],
    )


def _not_assessed(summary: Mapping[str, Any]) -> Iterator[str]:
    """Yield the measures that this run did not try, and why."""
    if not summary["privacy"].get("checks"):
        yield "Not assessed: attacks on privacy, because this run made none."
    if not any(check["name"].startswith("fault:") for check in summary["checks"]):
        yield "Not assessed: faults, because this run has no bench."


def _worded(name: str) -> str:
    """Say of an attack on unprotected answers that it is a test of the attack, and no risk."""
    if name.startswith(UNPROTECTED):
        attack = name.removeprefix(UNPROTECTED)
        return f"test of the attack itself: it must succeed where nothing is protected,{attack}"
    return name


def _measures(summary: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the checks that protect people: those of attacks, of logs, and of faults."""
    yield from summary["privacy"].get("checks", [])
    for check in summary["checks"]:
        if check["name"].startswith(("audit logs:", "fault:", "public:", "registered:")):
            yield check
