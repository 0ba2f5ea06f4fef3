"""Search for the people who pass all filters of a request."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pyroaring import BitMap

from rehearsal.errors import shown
from rehearsal.node.beacon.filters import (
    ONTOLOGIES,
    TEXT_FIELDS,
    CustomFilter,
    Filter,
    TermFilter,
    ValueFilter,
    is_like,
)
from rehearsal.stores.people_store import AGE, BIRTH_YEAR, ONSET, PeopleStore
from rehearsal.web.problem import Problem

# short names of number fields, beside their identifiers and labels
FIELD_NAMES = {
    "age": AGE,
    "birthyear": BIRTH_YEAR,
    "ageofonset": ONSET,
    "diseases.ageofonset.iso8601duration": ONSET,
    "diseases.ageofonset": ONSET,
    "ldl": "LOINC:22748-8",
    "bmi": "LOINC:39156-5",
    "height": "LOINC:8302-2",
    "weight": "LOINC:29463-7",
}
# a duration of ISO 8601, and a year in its units
DURATION = re.compile(
    r"P(?=\d)(?:(\d{1,4})Y)?(?:(\d{1,4})M)?(?:(\d{1,4})W)?(?:(\d{1,5})D)?", re.ASCII
)
A_YEAR = (1, 12, 365.25 / 7, 365.25)
# least Lin similarity; typical values: parent and child term 0.57, siblings 0.45, unrelated 0.17
SIMILARITY = {"high": 0.5, "medium": 0.35, "low": 0.2}


def people_passing(filters: Iterable[Filter], people: PeopleStore) -> BitMap | None:
    """Find the people who pass all filters.

    Args:
        filters: The filters of a request.
        people: The node's people.

    Returns:
        Their numbers. None, without filters, stands for everybody.

    Raises:
        Problem: A field is unknown, or a value does not fit its field (400).
    """
    return intersection(*[_passing(one, people) for one in filters])


def _passing(one: Filter, people: PeopleStore) -> BitMap:
    match one:
        case TermFilter():
            return _with_term(one, people)
        case CustomFilter(decade):
            return born_in(decade, people)
        case ValueFilter():
            return _with_value(one, people)


def intersection(*sets: BitMap | None) -> BitMap | None:
    """Intersect sets of people.

    Args:
        *sets: Numbers of people. None stands for everybody.

    Returns:
        The people in all sets. None stands for everybody.
    """
    found: BitMap | None = None
    for one in sets:
        if one is not None:
            found = one if found is None else found & one
    return found


def born_in(decade: int, people: PeopleStore) -> BitMap:
    """Find the people born in a decade.

    Args:
        decade: Its first year.
        people: The node's people.

    Returns:
        Their numbers.
    """
    if BIRTH_YEAR not in people.numbers:
        return BitMap()
    since = people.with_number(BIRTH_YEAR, ">=", decade)
    return since & people.with_number(BIRTH_YEAR, "<", decade + 10)


def _with_term(one: TermFilter, people: PeopleStore) -> BitMap:
    found = people.with_term(one.id, one.descendants)
    if one.similarity == "exact":
        return found
    alike = people.like(one.id, SIMILARITY[one.similarity])
    return BitMap.union(found, *(people.with_term(term, one.descendants) for term in alike))


def _with_value(one: ValueFilter, people: PeopleStore) -> BitMap:
    kind = TEXT_FIELDS.get(one.id.lower())
    if kind is not None:
        return _with_text(one, kind, people)
    field = number_field(one.id, people)
    if field is None:
        expected = f"a field among {', '.join((*people.numbers, *TEXT_FIELDS))}"
        raise Problem.mismatch("filters", expected, shown(one.id))
    number = _number(one, field in (AGE, ONSET) or field.startswith(f"{ONSET}:"))
    return people.with_number(field, one.operator, number) if field in people.numbers else BitMap()


def number_field(identifier: str, people: PeopleStore) -> str | None:
    """Find a field with numbers.

    Args:
        identifier: Its identifier, short name or label.
        people: The node's people.

    Returns:
        Its identifier, also of a valid field without values here. None: it is no such field.
    """
    field = FIELD_NAMES.get(identifier.lower(), identifier)
    if field in people.numbers:
        return field
    for number_field in people.numbers.values():
        if number_field.label.lower() == identifier.lower():
            return number_field.id
    # a valid code without values here, or the onset of a disease without patients here
    known = field in FIELD_NAMES.values() or field.partition(":")[0] in (*ONTOLOGIES, ONSET)
    return field if known else None


def _number(one: ValueFilter, is_age: bool) -> float:
    """Parse a number, or of an age an ISO 8601 duration of years, months, weeks, days, in years."""
    duration = DURATION.fullmatch(one.value)
    if duration and is_age:
        counts = (int(part or 0) for part in duration.groups())
        return sum(count / size for count, size in zip(counts, A_YEAR, strict=True))
    if re.fullmatch(r"[+-]?\d{1,15}(\.\d{1,15})?([eE][+-]?\d{1,2})?", one.value, re.ASCII):
        return float(one.value)
    expected = "a number, or a duration like P70Y" if is_age else "a number, as it is no age"
    raise Problem.mismatch(f"filters: value of {shown(one.id)}", expected, shown(one.value))


def _with_text(one: ValueFilter, kind: str, people: PeopleStore) -> BitMap:
    """Compare labels, ignoring case. ``%`` matches any text."""
    if one.operator not in "=!":
        raise Problem.mismatch(
            f"filters: operator of {shown(one.id)}", "= or !, as the field is text", one.operator
        )
    matching = (people.with_term(term, False) for term in terms_like(one.value, kind, people))
    found = BitMap.union(BitMap(), *matching)
    return people.everyone - found if one.operator == "!" else found


def terms_like(text: str, kind: str, people: PeopleStore) -> list[str]:
    """List the terms of a kind by their label, in any case.

    Args:
        text: The label, in which ``%`` matches any text.
        kind: The kind of term.
        people: The node's people.

    Returns:
        Identifiers.
    """
    pattern = text.lower()
    return [
        term.id
        for term in people.terms.values()
        if term.kind == kind and is_like(term.label.lower(), pattern)
    ]
