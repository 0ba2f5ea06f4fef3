"""Comparisons of an outcome with and without a treatment, from counts alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rehearsal.report.page_elements import Column, Heading, Table, Text, percent, whole
from rehearsal.report.questions.words import NONE, counted, country_table, states_words

FINDINGS = {
    "benefit": "The interval is below zero. Fewer people had the outcome with the treatment.",
    "harm": "The interval is above zero. More people had the outcome with the treatment.",
    "none": "The interval includes zero. These numbers show neither benefit nor harm.",
}


def describe_request(question: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Say how the comparison was asked of the nodes.

    Args:
        question: The question, with its ``request``.
        names: Names of the countries by code.
    """
    number = (question["request"] or {}).get("queries", 0)
    return (
        f"Every node was asked {counted(number, 'query', 'queries')}, each for a number of people. "
        "The network added up the numbers of all nodes. A Beacon query can select people who had "
        "a treatment, but not people who did not. The number without the treatment is therefore "
        "the number of all minus the number with it."
    )


def answer_parts(question: Mapping[str, Any], names: Mapping[str, str]) -> list[Any]:
    """Show each stratum's two groups, the difference between them, and each country's numbers.

    Args:
        question: The question, with ``details`` and ``countries``.
        names: Names of the countries by code.

    Returns:
        Page elements.
    """
    strata = question["details"].get("strata", {})
    parts: list[Any] = [Text(states_words(question["countries"]))]
    for one in strata.values():
        parts += [Heading(f"People {one['text']}"), Text(" ".join(_finding(one))), _groups(one)]
    columns = [
        (Column(_title(one["text"]), number=True), lambda answer, s=name: _compared(answer, s))
        for name, one in strata.items()
    ]
    caption = "People in the comparison, by country and group of patients."
    return [*parts, country_table(caption, question, names, columns)]


def _title(text: str) -> str:
    return text[:1].upper() + text[1:]


def _finding(one: Mapping[str, Any]) -> Iterator[str]:
    low, high = (_points(value) for value in one["interval"])
    yield (
        "Share with the outcome among treated people, minus the share among the others: "
        f"{_points(one['difference'])} percentage points (99.9% confidence interval {low} to "
        f"{high})."
    )
    yield FINDINGS[one["finding"]]


def _points(share: float) -> str:
    return f"{100 * share:.1f}".replace("-", "−")


def _groups(one: Mapping[str, Any]) -> Table:
    columns = [
        Column("Group", names_row=True),
        Column("People", number=True),
        Column("People with the outcome", number=True),
        Column("Share with the outcome", number=True),
    ]
    rows = []
    for title, key in (("With the treatment", "treated"), ("Without it", "others")):
        people, outcome = one[key], one[f"{key}_outcome"]
        share = percent(outcome / people) if people else NONE
        rows.append((title, whole(people), whole(outcome), share))
    return Table("The two groups, all countries together.", columns, rows)


def _compared(answer: Mapping[str, Any], stratum: str) -> str:
    """Count one country's people in a stratum, without carriers of excluded variants."""
    counts, whole_group = answer.get("counts", {}), f"{stratum}/all"
    if counts.get(whole_group) is None:
        return NONE
    carriers = sum(n or 0 for part, n in counts.items() if part.startswith(f"{whole_group}/"))
    return whole(counts[whole_group] - carriers)
