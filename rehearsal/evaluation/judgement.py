"""The result of judging an answer, and short texts for expected and observed answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from rehearsal.model import AlleleCounts, Answer
from rehearsal.network.aggregate import count_of, group_totals, readable_frequencies, says_exists
from rehearsal.network.variant_records import AlleleKey, AlleleTally
from rehearsal.truth.expected_answers import ExpectedAnswer

SHOWN = 3  # variants or individuals named in one text

# right: all that was asked for is there and true. incomplete: what is there is true, and parts of
# what was asked for are not there. The last three: there is no answer where there should be one
Verdict = Literal["right", "incomplete", "wrong", "refused", "late", "failed"]
VERDICTS: tuple[Verdict, ...] = ("right", "incomplete", "wrong", "refused", "late", "failed")

Tallies = Mapping[AlleleKey, Mapping[str, AlleleTally]]  # by allele and population


@dataclass(frozen=True, slots=True)
class Fault:
    """Something wrong in an answer: its cause, in a sentence that holds for others too."""

    cause: str
    detail: str  # what is wrong in this answer


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether an answer is right.

    ``difference`` says what is wrong with it, and ``missing`` which parts it does not give although
    they were asked for. Either may be empty.
    """

    verdict: Verdict
    expected: str
    observed: str
    difference: str = ""
    missing: str = ""

    @property
    def equal(self) -> bool:
        """Whether all that the answer gives equals the truth."""
        return self.verdict in ("right", "incomplete")

    @classmethod
    def by(
        cls, differences: Iterable[str], expected: str, observed: str, missing: Iterable[str] = ()
    ) -> Judgement:
        """Make the judgement of an answer that came: wrong if there are differences.

        Args:
            differences: The differences that were found, each in a few words.
            expected: The right answer, in a few words.
            observed: The answer, in a few words.
            missing: Parts that were asked for and not given, each in a few words.
        """
        found, absent = "; ".join(differences), ", ".join(missing)
        verdict: Verdict = "wrong" if found else "incomplete" if absent else "right"
        return cls(verdict, expected, observed, found, absent)

    @classmethod
    def without_answer(cls, answer: Answer, expected: str) -> Judgement:
        """Make the judgement of a query that a node did not answer: the verdict is its state.

        Args:
            answer: The node's refusal, or what came instead of an answer.
            expected: The right answer, in a few words.
        """
        verdict: Verdict = "wrong" if answer.state == "answered" else answer.state
        observed = state_text(answer)
        return cls(verdict, expected, observed, f"{observed}: {answer.reason}")


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
    return answer_text(says_exists(answer), count_of(answer), readable_frequencies(answer))


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
    text = f"{tally.count}/{tally.number} alleles"
    by_zygosity = (tally.homozygous, tally.heterozygous, tally.hemizygous)
    if None in by_zygosity:
        return text
    return "{} ({} hom, {} het, {} hemi)".format(text, *by_zygosity)


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
