"""What judging an answer comes to, and expected and observed answers in a few words."""

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

SHOWN = 3  # variants or individuals named in a text

Tallies = Mapping[AlleleKey, Mapping[str, AlleleTally]]  # by allele and population


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether an answer is what it must be. ``difference`` is empty when it is."""

    equal: bool
    expected: str
    observed: str
    difference: str = ""

    @classmethod
    def by(cls, differences: Iterable[str], expected: str, observed: str) -> Judgement:
        """Equal when there are no differences."""
        found = list(differences)
        return cls(not found, expected, observed, "; ".join(found))


def country_tallies(
    country: str, expected: ExpectedAnswer
) -> dict[AlleleKey, dict[str, AlleleTally]]:
    """The counts of alleles that a country's records must give, by allele and population."""
    return {
        (variant.start, variant.ref, variant.alt): {
            f"{country}{group}": allele_tally(counts)
            for group, counts in groups.items()
            if counts.an  # no frequency without a called allele, such as of women on Y
        }
        for variant, groups in expected.alleles.items()
    }


def allele_tally(counts: AlleleCounts) -> AlleleTally:
    """Counts of people as a Beacon gives them: a homozygous person has two alleles."""
    return AlleleTally(counts.ac, counts.an, 2 * counts.hom, counts.het, counts.hemi)


def expected_text(country: str, expected: ExpectedAnswer, granularity: str) -> str:
    """What a country must say, in a few words."""
    count = expected.count if granularity != "boolean" else None
    return answer_text(expected.exists, count, country_tallies(country, expected))


def observed_text(answer: Answer) -> str:
    """What a node said, in a few words."""
    return answer_text(says_exists(answer), count_of(answer), node_frequencies(answer))


def answer_text(exists: bool | None, count: int | None, tallies: Tallies) -> str:
    """Presence, count (None: not told), and the frequency where it is of one allele."""
    parts = ["unknown" if exists is None else "yes" if exists else "no"]
    if count is not None:
        parts.append(f"count {count}")
    if len(tallies) == 1:  # an allele-frequency look-up
        (populations,) = tallies.values()
        parts.append(tally_text(group_totals(populations).get("")))
    return ", ".join(parts)


def tally_text(tally: AlleleTally | None) -> str:
    """Counts of one allele, in a few words."""
    if tally is None:
        return "nothing"
    copies = f"{tally.homozygous} hom, {tally.heterozygous} het, {tally.hemizygous} hemi"
    return f"{tally.count}/{tally.number} alleles ({copies})"


def state_text(answer: Answer) -> str:
    """What became of a request: state and HTTP status."""
    status = answer.http_status
    return answer.state if status is None else f"{answer.state} ({status})"


def first_names(names: Iterable[str]) -> str:
    """The first ``SHOWN`` of some names."""
    listed = list(names)
    return ", ".join(listed[:SHOWN]) + (", ..." if len(listed) > SHOWN else "")
