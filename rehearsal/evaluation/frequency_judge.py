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
BY_ZYGOSITY = {"homozygous", "heterozygous", "hemizygous"}
WHOSE = {"": "all people", "_F": "women", "_M": "men"}

Allele = tuple[int, str, str]  # start, reference and alternate bases
Given = Sequence[tuple[Allele, Mapping[str, Any]]]  # alleles with their records


def frequency_faults(
    expected: Mapping[str, ExpectedAnswer], place: str, given: Given
) -> list[Fault] | None:
    """Compare all frequencies with the truth.

    Args:
        expected: Right answers by place.
        place: The place whose people the Beacon holds.
        given: The records of right alleles.

    Returns:
        What is wrong. None if there are no frequencies.

    Raises:
        KeyError: An entry names no population.
        ValueError: A count is not a whole number.
    """
    tallies = _tallies(expected, place)
    entries = [
        (allele, population, entry)
        for allele, record in given
        for population, entry in frequency_entries(record)
    ]
    if not entries:
        return None
    faults: list[Fault] = []
    for allele, population, entry in entries:
        group = tallies.get(population, tallies[group_of(population)])
        where = "{}:{}>{} {}".format(*allele, population)
        faults += _entry_faults(where, entry, group.get(allele, AlleleTally(0, 0, 0, 0, 0)))
    return faults


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


def _entry_faults(where: str, entry: Mapping[str, Any], true: AlleleTally) -> Iterator[Fault]:
    """Compare counts exactly, and a frequency up to rounding."""
    for field, count in given_counts(entry).items():
        wanted = getattr(true, field)
        if count != wanted:
            text = f"Its numbers of alleles are wrong ({NAMES[field]})."
            if field == "homozygous" and 2 * count == wanted:
                text = "It counts homozygous people, where alleleCountHomozygous counts alleles."
            yield Fault(text, f"{where} {NAMES[field]} {count} instead of {wanted}")
    frequency = entry.get("alleleFrequency")
    if frequency is not None and abs(frequency - true.frequency) > FREQUENCY_TOLERANCE:
        detail = f"{where} frequency {frequency} instead of {true.frequency:.6g}"
        yield Fault("Its frequencies are wrong (alleleFrequency).", detail)


def missing_frequencies(
    expected: Mapping[str, ExpectedAnswer], place: str, given: Given
) -> Iterator[str]:
    """Yield the parts of frequencies that were asked for and not given.

    Args:
        expected: Right answers by place.
        place: The place whose people the Beacon holds.
        given: The records of right alleles.
    """
    entries = [one for _, record in given for one in frequency_entries(record)]
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
