"""The result of judging an answer, and short texts for expected and observed answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rehearsal.model import AlleleCounts, Answer
from rehearsal.network.aggregate import (
    AlleleKey,
    AlleleTally,
    count_of,
    group_totals,
    node_frequencies,
    says_exists,
)
from rehearsal.truth.expected_answers import ExpectedAnswer

SHOWN = 3  # variants or individuals named in one text

Tallies = Mapping[AlleleKey, Mapping[str, AlleleTally]]  # by allele and population


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether an answer equals the right one. ``difference`` is empty if it does."""

    equal: bool
    expected: str
    observed: str
    difference: str = ""

    @classmethod
    def by(cls, differences: Iterable[str], expected: str, observed: str) -> Judgement:
        """Make a judgement that is equal if there are no differences.

        Args:
            differences: The differences that were found, each in a few words.
            expected: The right answer, in a few words.
            observed: The answer, in a few words.
        """
        found = list(differences)
        return cls(not found, expected, observed, "; ".join(found))


def country_tallies(
    country: str, expected: ExpectedAnswer
) -> dict[AlleleKey, dict[str, AlleleTally]]:
    """Return the counts that a country's records must have, by allele and population.

    Args:
        country: Code of the country, which begins the populations' names.
        expected: The country's right answer.
    """
    return {
        (variant.start, variant.ref, variant.alt, *expected.extents.get(variant, (0, 0))): {
            f"{country}{group}": allele_tally(counts)
            for group, counts in groups.items()
            if counts.an  # no frequency without a called allele, for example of women on Y
        }
        for variant, groups in expected.alleles.items()
    }


def allele_tally(counts: AlleleCounts) -> AlleleTally:
    """Convert counts of people to a Beacon's counts: a homozygous person has two alleles.

    Args:
        counts: Counts of one allele in one group of people.
    """
    return AlleleTally(counts.ac, counts.an, 2 * counts.hom, counts.het, counts.hemi)


def expected_text(country: str, expected: ExpectedAnswer, granularity: str) -> str:
    """Describe the right answer of a country in a few words.

    Args:
        country: Code of the country.
        expected: Its right answer.
        granularity: The granularity that is judged.
    """
    count = expected.count if granularity != "boolean" else None
    return answer_text(expected.exists, count, country_tallies(country, expected))


def observed_text(answer: Answer) -> str:
    """Describe a node's answer in a few words.

    Args:
        answer: The node's answer.
    """
    return answer_text(says_exists(answer), count_of(answer), node_frequencies(answer))


def answer_text(exists: bool | None, count: int | None, tallies: Tallies) -> str:
    """Describe presence, count and, for a single allele, its frequency.

    Args:
        exists: Presence. None if unknown.
        count: The count. None if it is not given.
        tallies: Counts by allele and population.
    """
    parts = ["unknown" if exists is None else "yes" if exists else "no"]
    if count is not None:
        parts.append(f"count {count}")
    if len(tallies) == 1:  # an allele-frequency query
        (populations,) = tallies.values()
        parts.append(tally_text(group_totals(populations).get("")))
    return ", ".join(parts)


def tally_text(tally: AlleleTally | None) -> str:
    """Describe the counts of one allele.

    Args:
        tally: The counts. None if there are none.
    """
    if tally is None:
        return "nothing"
    copies = f"{tally.homozygous} hom, {tally.heterozygous} het, {tally.hemizygous} hemi"
    return f"{tally.count}/{tally.number} alleles ({copies})"


def state_text(answer: Answer) -> str:
    """Describe the outcome of a request: state and HTTP status.

    Args:
        answer: The node's answer.
    """
    status = answer.http_status
    return answer.state if status is None else f"{answer.state} ({status})"


def first_names(names: Iterable[str]) -> str:
    """Join the first ``SHOWN`` names.

    Args:
        names: The names.
    """
    listed = list(names)
    return ", ".join(listed[:SHOWN]) + (", ..." if len(listed) > SHOWN else "")
