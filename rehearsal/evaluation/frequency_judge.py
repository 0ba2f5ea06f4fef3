"""Compares the frequencies that any Beacon gives, and says which it does not give."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence, Set
from typing import Any

from rehearsal.evaluation.exact_judge import FREQUENCY_TOLERANCE
from rehearsal.evaluation.judgement import Fault, allele_tally
from rehearsal.network.variant_records import (
    FREQUENCIES,
    POPULATIONS,
    AlleleTally,
    frequency_entries,
    given_counts,
    group_of,
)
from rehearsal.truth.expected_answers import GROUPS, ExpectedAnswer

NAMES = {  # of the counts, in the standard
    "count": "alleleCount",
    "number": "alleleNumber",
    "homozygous": "alleleCountHomozygous",
    "heterozygous": "alleleCountHeterozygous",
    "hemizygous": "alleleCountHemizygous",
}
ROUNDING_ERROR = 1e-9  # of a decimal number as a float, far below any digit that is kept
ROUNDED = (
    "Its frequencies are rounded (alleleFrequency), by more than the tolerance of "
    f"{FREQUENCY_TOLERANCE:g}."
)
OF_MORE_PEOPLE = (
    "It counts the alleles of more people than permit the purpose (alleleNumber): people whose "
    "consent does not cover it are left out."
)
BY_ZYGOSITY = {"homozygous", "heterozygous", "hemizygous"}
WHOSE = {"": "all people", "_F": "women", "_M": "men"}

Allele = tuple[int, str, str]  # start, reference and alternate bases
Given = Sequence[tuple[Allele, Mapping[str, Any]]]  # alleles with their records


def frequency_faults(
    expected: Mapping[str, ExpectedAnswer], place: str, given: Given, has_purpose: bool
) -> list[Fault] | None:
    """Compare all frequencies with the truth.

    Args:
        expected: Right answers by place.
        place: The place whose people the Beacon holds.
        given: The records of right alleles.
        has_purpose: Whether the query states a purpose, which some people do not permit.

    Returns:
        What is wrong. None if there are no frequencies: an entry of nulls is none.

    Raises:
        KeyError: An entry names no population.
        ValueError: A count is not a whole number.
    """
    tallies = _tallies(expected, place)
    entries = [
        (allele, population, entry)
        for allele, record in given
        for population, entry in _filled_entries(record)
    ]
    if not entries:
        return None
    faults: list[Fault] = []
    for allele, population, entry in entries:
        where, group = "{}:{}>{} {}".format(*allele, population), tallies.get(population)
        if group is None:
            group = tallies[group_of(population)]
            where += f" (read as {WHOSE[group_of(population)]})"
        true = group.get(allele, AlleleTally(0, 0, 0, 0, 0))
        faults += _entry_faults(where, entry, true, has_purpose)
    return faults


def _filled_entries(record: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the population and the entry of every frequency or count that a record gives."""
    for population, entry in frequency_entries(record):
        if entry.get("alleleFrequency") is not None or given_counts(entry):
            yield population, entry


def _tallies(
    expected: Mapping[str, ExpectedAnswer], place: str
) -> dict[str, dict[Allele, AlleleTally]]:
    """Return the right counts of each allele by population.

    ``""``, ``_F`` and ``_M`` are the populations of the place itself, whatever the Beacon calls
    them. Others have the names of their places.
    """
    return {
        prefix + group: {
            (one.start, one.ref, one.alt): allele_tally(groups[group])
            for one, groups in expected[source].alleles.items()
        }
        for prefix, source in (("", place), *((name, name) for name in expected))
        for group in GROUPS
    }


def _entry_faults(
    where: str, entry: Mapping[str, Any], true: AlleleTally, has_purpose: bool
) -> Iterator[Fault]:
    """Compare counts exactly, and a frequency up to the tolerance."""
    counts = given_counts(entry)
    is_of_more = has_purpose and counts.get("number", 0) > true.number
    for field, count in counts.items():
        wanted = getattr(true, field)
        if count != wanted:
            text = OF_MORE_PEOPLE if is_of_more else _cause_of_number(field, count, wanted)
            yield Fault(text, f"{where} {NAMES[field]} {count} instead of {wanted}")
    frequency = entry.get("alleleFrequency")
    if frequency is not None and abs(frequency - true.frequency) > FREQUENCY_TOLERANCE:
        text, rounding = "Its frequencies are wrong (alleleFrequency).", ""
        if digits := _digits_kept(frequency, true.frequency):
            text, rounding = ROUNDED, f" (rounded to {digits} digits)"
        detail = f"{where} frequency {frequency} instead of {true.frequency:.6g}{rounding}"
        yield Fault(OF_MORE_PEOPLE if is_of_more else text, detail)


def _cause_of_number(field: str, count: int, wanted: int | None) -> str:
    if field == "homozygous" and 2 * count == wanted:
        return "It counts homozygous people, where alleleCountHomozygous counts alleles."
    return f"Its numbers of alleles are wrong ({NAMES[field]})."


def _digits_kept(given: float, true: float) -> int | None:
    """Return how many digits after the point rounding kept; None: the frequency is another number.

    One digit is too few to tell.
    """
    return next((n for n in (5, 4, 3, 2) if abs(given - round(true, n)) < ROUNDING_ERROR), None)


def missing_frequencies(
    expected: Mapping[str, ExpectedAnswer], place: str, given: Given
) -> Iterator[str]:
    """Yield the parts of frequencies that were asked for and not given.

    Args:
        expected: Right answers by place.
        place: The place whose people the Beacon holds.
        given: The records of right alleles.
    """
    entries = [one for _, record in given for one in _filled_entries(record)]
    if not entries:
        yield from ("frequencies",) if given else ()
        return
    populations = {population for population, _ in entries} - (expected.keys() - {place})
    yield from _missing_groups(expected[place], set(map(group_of, populations)))
    yield from _missing_counts([given_counts(entry).keys() for _, entry in entries])
    if any(_is_named_otherwise(record) for _, record in given):
        yield f"the key {FREQUENCIES} (they stand in {POPULATIONS})"


def _missing_groups(true: ExpectedAnswer, groups: Collection[str]) -> Iterator[str]:
    for group in GROUPS:
        if group not in groups and any(one[group].an for one in true.alleles.values()):
            yield f"frequencies of {WHOSE[group]}"


def _missing_counts(given: Collection[Set[str]]) -> Iterator[str]:
    if any(not one >= {"count", "number"} for one in given):
        yield "numbers of alleles"
    if any(not one >= BY_ZYGOSITY for one in given):
        yield "numbers by zygosity"


def _is_named_otherwise(record: Mapping[str, Any]) -> bool:
    sources = record.get("frequencyInPopulations") or ()
    return any(POPULATIONS in one and FREQUENCIES not in one for one in sources)
