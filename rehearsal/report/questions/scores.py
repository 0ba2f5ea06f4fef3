"""Questions about polygenic scores: a patient's place, the hazard ratio, and drugs to avoid."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rehearsal.report.page_elements import Column, Table, Text, whole
from rehearsal.report.questions.words import (
    NONE,
    TERM_NAMES,
    counted,
    country_table,
    listed,
    states_words,
    term_name,
)

# --- a patient's place among all scores ---


def describe_score_request(question: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Say what a question for a patient's place asked of the nodes.

    Args:
        question: The question, with its ``request``.
        names: Names of the countries by code.
    """
    return (
        "Every node was asked to compute the polygenic score of each of its people with the same "
        "scoring file, and to return only how many people are in each interval of scores. The "
        "patient's own node also returned her score."
    )


def score_parts(question: Mapping[str, Any], names: Mapping[str, str]) -> list[Any]:
    """Show the patient's place, the distribution of scores and each country's number of people.

    Args:
        question: The question, with ``joined``, ``details`` and ``countries``.
        names: Names of the countries by code.

    Returns:
        Page elements.
    """
    joined, details = question["joined"], question["details"]
    parts: list[Any] = [Text(" ".join(_place(joined, question["countries"], names)))]
    if details.get("counts"):
        parts.append(_distribution(details["edges"], details["counts"]))
    columns = [(Column("People with a score", number=True), lambda one: whole(one["people"]))]
    parts.append(country_table("People that each node counted.", question, names, columns))
    return parts


def _place(
    joined: Mapping[str, Any], countries: Mapping[str, Any], names: Mapping[str, str]
) -> Iterator[str]:
    patient = joined.get("patient") or {}
    if patient.get("state") == "answered":
        yield (
            f"The patient's score is {patient['score']:.2f}, in standard deviations from the mean "
            "of the population."
        )
        places = sorted(patient["percentiles"].items(), key=lambda pair: pair[0] == "network")
        for place, one in places:
            where = "all countries together" if place == "network" else names.get(place, place)
            yield (
                f"In {where}, between {one['below']:.2f}% and {one['upTo']:.2f}% of the people "
                "have a lower score."
            )
        yield (
            "Each percentage is a range because a node returns only how many people are in each "
            "interval of scores."
        )
    else:
        yield "The patient's own score did not come."
    yield f"{counted(joined['people'], 'person was', 'people were')} counted."
    yield states_words(countries)


def _distribution(edges: Sequence[float], counts: Sequence[int]) -> Table:
    """Tabulate the people by whole standard deviations."""
    sums: dict[int, int] = {}
    for low, count in zip(edges, counts, strict=False):
        sums[_floor(low)] = sums.get(_floor(low), 0) + count
    columns = [
        Column("Score, standard deviations", names_row=True),
        Column("People", number=True),
    ]
    rows = [(f"{_signed(low)} to {_signed(low + 1)}", whole(n)) for low, n in sorted(sums.items())]
    return Table("Scores of the people in all countries together.", columns, rows)


def _floor(value: float) -> int:
    return int(round(value, 6) // 1)


def _signed(value: int) -> str:
    return f"−{-value}" if value < 0 else str(value)


# --- the hazard ratio ---


def describe_hazard_request(question: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Say what a question for a hazard ratio asked of the nodes.

    Args:
        question: The question, with its ``request``.
        names: Names of the countries by code.
    """
    return (
        "The network fitted a Cox regression of the disease on the polygenic score over the people "
        "of all nodes. In each round a node returned sums over its people, never a single person's "
        "score, age or diagnosis."
    )


def hazard_parts(question: Mapping[str, Any], names: Mapping[str, str]) -> list[Any]:
    """Show the hazard ratio with its interval, and each country's outcome.

    Args:
        question: The question, with ``joined`` and ``countries``.
        names: Names of the countries by code.

    Returns:
        Page elements.
    """
    joined = question["joined"]
    if "hazardRatio" not in joined:
        return [country_table("Outcome at each country's node.", question, names, [])]
    confidence = joined.get("confidence") or _asked_confidence(question)
    interval = f"{joined['low']:.2f} to {joined['high']:.2f}"
    text = (
        "Each additional standard deviation of the score multiplies the risk of the disease at "
        f"any age by {joined['hazardRatio']:.2f}. The {confidence:.0%} confidence interval is "
        f"{interval}. {counted(joined['events'], 'person', 'people')} of "
        f"{whole(joined['people'])} had the disease. {states_words(question['countries'])}"
    )
    return [
        Text(text),
        country_table("Outcome of the regression at each country's node.", question, names, []),
    ]


def _asked_confidence(question: Mapping[str, Any]) -> float:
    return float(((question["request"] or {}).get("body") or {}).get("confidence", 0.95))


# --- drugs that are risky with a genotype ---


def describe_drug_request(question: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Say what a question about drugs asked of the patient's node.

    Args:
        question: The question, with ``joined``.
        names: Names of the countries by code.
    """
    drugs = [_drug_name(one) for one in question["joined"].get("drugs", ())]
    asked = f" about {listed(drugs)}" if drugs else ""
    return (
        f"Only the patient's own node was asked{asked}. It compared her genotype with the known "
        "rules for these drugs."
    )


def _drug_name(one: Mapping[str, Any]) -> str:
    return str(one.get("label") or TERM_NAMES.get(one["drug"], one["drug"]))


def drug_parts(question: Mapping[str, Any], names: Mapping[str, str]) -> list[Any]:
    """Show which drugs are risky with the genotype, and why.

    Args:
        question: The question, with ``joined`` and ``countries``.
        names: Names of the countries by code.

    Returns:
        Page elements.
    """
    drugs = question["joined"].get("drugs", ())
    flagged = [_drug_name(one) for one in drugs if one["flagged"]]
    text = "None of these drugs needs to be avoided."
    if flagged:
        text = f"{listed(flagged).capitalize()} should be avoided."
    columns = [
        Column("Drug", names_row=True),
        Column("To be avoided"),
        Column("Gene"),
        Column("Variant"),
        Column("Copies of the variant", number=True),
        Column("Advice", long=True),
    ]
    rows = []
    for one in drugs:
        reasons = one["reasons"]
        cells = (_joined(reasons, key) for key in ("gene", "name", "copies", "advice"))
        rows.append((term_name(one["drug"]), "yes" if one["flagged"] else "no", *cells))
    table = Table("The drugs that the question named.", columns, rows)
    asked = country_table("The node that was asked.", question, names, [])
    return [Text(text), table, asked]


def _joined(reasons: Sequence[Mapping[str, Any]], key: str) -> str:
    return "; ".join(str(one[key]) for one in reasons if one.get(key) is not None) or NONE
