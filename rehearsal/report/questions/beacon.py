"""Questions to the nodes' Beacons: variants, or people by variants and filters."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from rehearsal.report.page_elements import Column, Table, Text, whole
from rehearsal.report.questions.words import (
    NONE,
    allele_words,
    counted,
    country_table,
    filter_words,
    listed,
    states_words,
)

WANTED = {
    "boolean": "with yes or no only",
    "count": "with a number",
    "record": "with the matching records",
}
FREQUENCIES = ("Allele count", "Allele number", "Allele frequency")
PEOPLE = {"NCIT:C16576": "women", "NCIT:C20197": "men"}
GROUPS = {"everybody": "All people", "_F": "Women", "_M": "Men"}


def describe_request(question: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Say what a Beacon question asked of the nodes.

    Args:
        question: The question, with its ``request``.
        names: Names of the countries by code.
    """
    request = question["request"]
    if request is None:
        return "The question could not be sent."
    asked = request["body"]["query"]
    return (
        f"Every node was asked for {_wanted(request)}. "
        f"A node answers {WANTED[asked['requestedGranularity']]}."
    )


def _wanted(request: Mapping[str, Any]) -> str:
    """Say what was asked for: variants, or people with variants and filters."""
    asked = request["body"]["query"]
    place = allele_words(asked["requestParameters"])
    tumours = "datasets" in asked["requestParameters"]
    if request["path"] == "g_variants":
        found = place if place.startswith("the variant") else f"variants in {place}"
        return f"{found} in tumours" if tumours else found
    people, facts = _people(asked["filters"])
    carry = "whose tumour carries" if tumours else "who carry"
    parts = [people, f"{carry} {place}" if place else ""]
    if facts:
        parts.append(f"{'and who have' if place else 'with'} {listed(facts)}")
    return " ".join(part for part in parts if part)


def _people(filters: Sequence[Mapping[str, Any]]) -> tuple[str, list[str]]:
    """Split filters into a noun, such as women, and the other facts."""
    nouns = [PEOPLE[one["id"]] for one in filters if one["id"] in PEOPLE]
    facts = [filter_words(one) for one in filters if one["id"] not in PEOPLE]
    return (nouns[0] if nouns else "people"), facts


def answer_parts(question: Mapping[str, Any], names: Mapping[str, str]) -> list[Any]:
    """Show what came back: a sentence, allele frequencies if there are any, and each country.

    Args:
        question: The question, with ``joined`` and ``countries``.
        names: Names of the countries by code.

    Returns:
        Page elements.
    """
    parts: list[Any] = [Text(_result(question))]
    frequencies = question["joined"].get("frequencies")
    if frequencies:
        parts.append(_frequency_table(frequencies))
    columns = _columns(question)
    parts.append(country_table("What each country's node answered.", question, names, columns))
    return parts


def _result(question: Mapping[str, Any]) -> str:
    joined, request = question["joined"], question["request"]
    answers = [one["answer"] for one in question["countries"].values() if "answer" in one]
    found = sum(bool(one.get("exists")) for one in answers)
    where = f"{found} of {counted(len(question['countries']), 'country', 'countries')}"
    nodes = states_words(question["countries"])
    if not joined.get("exists"):
        return f"No. None of the countries that answered has a match. {nodes}"
    granularity = request["body"]["query"]["requestedGranularity"]
    if granularity == "boolean":
        return f"Yes. There are matches in {where}. {nodes}"
    if request["path"] == "individuals":
        return f"{counted(joined['count'], 'person matches', 'people match')}, in {where}. {nodes}"
    if "alternateBases" in request["body"]["query"]["requestParameters"]:
        return f"Yes. The variant was found in {where}. {nodes}"
    return (
        f"The nodes of {where} have such variants. Their numbers add up to "
        f"{whole(joined['count'])}. A variant that two countries have is counted twice. {nodes}"
    )


def _frequency_table(frequencies: Mapping[str, Mapping[str, Any]]) -> Table:
    columns = [
        Column("People", names_row=True),
        *(Column(name, number=True) for name in FREQUENCIES),
    ]
    rows = [(GROUPS.get(group, group), *_tally(one)) for group, one in frequencies.items()]
    caption = (
        "The variant in all countries that have it. Allele count: chromosomes with the variant. "
        "Allele number: chromosomes examined in these countries. Allele frequency: the count "
        "divided by the number."
    )
    return Table(caption, columns, rows)


def _tally(one: Mapping[str, Any]) -> tuple[str, str, str]:
    return whole(one["alleleCount"]), whole(one["alleleNumber"]), f"{one['alleleFrequency']:#.3g}"


Cell = tuple[Column, Callable[[Mapping[str, Any]], str]]


def _columns(question: Mapping[str, Any]) -> Sequence[Cell]:
    """Choose the columns that at least one country fills."""
    answers = [one["answer"] for one in question["countries"].values() if "answer" in one]
    noun = "People" if (question["request"] or {}).get("path") == "individuals" else "Variants"
    optional: list[tuple[str, list[Cell]]] = [
        ("count", [(Column(noun, number=True), lambda answer: _number(answer.get("count")))]),
        ("frequencies", [_frequency_cell(place, name) for place, name in enumerate(FREQUENCIES)]),
        ("records", [(Column("Identifiers of the people"), _records)]),
    ]
    first: Cell = (Column("Match"), lambda answer: "yes" if answer.get("exists") else "no")
    filled = [cell for key, cells in optional if _has_any(answers, key) for cell in cells]
    return [first, *filled]


def _has_any(answers: Sequence[Mapping[str, Any]], key: str) -> bool:
    return any(one.get(key) not in (None, []) for one in answers)


def _records(answer: Mapping[str, Any]) -> str:
    return ", ".join(answer.get("records", ())) or NONE


def _frequency_cell(place: int, name: str) -> Cell:
    return Column(name, number=True), lambda answer: _frequency(answer, place)


def _number(value: int | None) -> str:
    return NONE if value is None else whole(value)


def _frequency(answer: Mapping[str, Any], place: int) -> str:
    found = answer.get("frequencies")
    return ", ".join(_tally(one)[place] for one in found) if found else NONE
