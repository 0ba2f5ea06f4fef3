"""Protected answers: threshold, rounding, noise and budgets applied."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from pyroaring import BitMap

from rehearsal.errors import InputError
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.node.privacy.budget import Budget
from rehearsal.node.privacy.noise import draw_noise, reaches_threshold, round_count
from rehearsal.node.privacy.prices import price
from rehearsal.node.privacy.protection import PUBLIC, Protection
from rehearsal.node.privacy.public_frequencies import PublicFrequencies
from rehearsal.node.privacy.question_keys import (
    allele_question,
    people_key,
    question_key,
    term_question,
)

if TYPE_CHECKING:
    from rehearsal.stores.variant_store import VariantRow

People = Collection[int] | BitMap  # numbers of individuals
Terms = Sequence[tuple[str, bool]]  # term, and whether its descendants count too
COUNTED = 1000  # most variants of one answer that are examined one by one


@dataclass(frozen=True, slots=True)
class ProtectedAnswer:
    """Whether there are matches, and how many if that may be shown."""

    exists: bool
    count: int | None = None  # rounded; None when no count may be shown


@dataclass(frozen=True, slots=True)
class TierProtection:
    """What a node needs to protect answers to one tier."""

    key: bytes  # the node's secret
    people: int  # number of people in the node
    protection: Protection = PUBLIC
    budget: Budget | None = None  # of questions about variants
    term_budget: Budget | None = None  # of questions by terms alone

    def __post_init__(self) -> None:
        if self.protection.budgeted and self.budget is None:
            expected = "a budget, as the protection limits what answers may reveal"
            raise InputError("privacy", "budget", expected, "none")

    def charge(
        self,
        user: str,
        question: bytes,
        carriers: People,
        frequency: float | None,
        among: int | None,
    ) -> int:
        """Charge the carriers for a yes-or-no answer.

        Args:
            user: The user who asks.
            question: The question's key.
            carriers: Numbers of the matching people.
            frequency: Share of matching people elsewhere, or None.
            among: Number of people queried. None stands for the whole node.

        Returns:
            The number of carriers that the answer may use.
        """
        if self.budget is None or not self.protection.budgeted:
            return len(carriers)
        cost = price(frequency, among or self.people, self.protection, counted=False)
        return self.budget.charge(user, question + b"?", carriers, cost, self.protection)

    def charge_count(
        self, user: str, question: bytes, frequency: float | None, among: int | None
    ) -> bool:
        """Charge everybody for a count.

        Args:
            user: The user who asks.
            question: The question's key.
            frequency: Share of matching people elsewhere, or None.
            among: Number of people queried. None stands for the whole node.

        Returns:
            Whether the budget covers the count. The price does not depend on the count.
        """
        if self.budget is None or not self.protection.budgeted:
            return True
        cost = price(frequency, among or self.people, self.protection, counted=True)
        everybody = [self.budget.everybody]
        return self.budget.charge(user, question + b"#", everybody, cost, self.protection) == 1


def protect_boolean(
    tier: TierProtection,
    user: str,
    question: bytes,
    carriers: People,
    frequency: float | None = None,
    among: int | None = None,
) -> bool:
    """Decide whether the user learns that there are matching people.

    A question about several alleles (a range, a gene) is as many questions: ask for each and
    combine the answers.

    Args:
        tier: The tier's protection.
        user: The user who asks.
        question: The question's key (:mod:`rehearsal.node.privacy.question_keys`), the same for
            every wording.
        carriers: Numbers of the matching people.
        frequency: Share of matching people elsewhere, from public data
            (:class:`PublicFrequencies`). None has the highest price.
        among: Number of people queried. None stands for the whole node.

    Returns:
        Whether the answer is yes.
    """
    shown = tier.charge(user, question, carriers, frequency, among)
    up, _ = draw_noise(tier.key, question, tier.protection)
    return bool(reaches_threshold(shown, up, tier.protection))


def protect_count(
    tier: TierProtection,
    user: str,
    question: bytes,
    carriers: People,
    frequency: float | None = None,
    among: int | None = None,
) -> ProtectedAnswer:
    """Decide how many matching people the user sees.

    When the budget no longer covers a count, the answer falls back to yes or no, and the count is
    None.

    Args:
        tier: The tier's protection.
        user: The user who asks.
        question: The question's key, the same for every wording.
        carriers: Numbers of the matching people.
        frequency: Share of matching people elsewhere, from public data. None has the highest price.
        among: Number of people queried. None stands for the whole node.

    Returns:
        The protected answer.
    """
    if not tier.charge_count(user, question, frequency, among):
        exists = protect_boolean(tier, user, question, carriers, frequency, among)
        return ProtectedAnswer(exists, None if exists else 0)
    up, shift = draw_noise(tier.key, question, tier.protection)
    if not reaches_threshold(len(carriers), up, tier.protection):
        return ProtectedAnswer(False, 0)
    return ProtectedAnswer(True, int(round_count(len(carriers), shift, tier.protection)))


@dataclass(frozen=True, slots=True)
class Protector:
    """The protection of a tier, for one user.

    Questions by terms have a separate budget, so that they cannot use up the budget of alleles.
    """

    tier: TierProtection
    user: str
    frequencies: PublicFrequencies | None = None  # of alleles and terms elsewhere

    @property
    def least(self) -> int:
        """The number of people from which on an answer is always shown."""
        return self.tier.protection.threshold + self.tier.protection.noise

    def size(self, people: int) -> int | None:
        """Round the size of a collection, without noise.

        Args:
            people: Number of people in it.

        Returns:
            The rounded size, or None below the threshold.
        """
        protection = self.tier.protection
        return int(round_count(people, 0, protection)) if people >= protection.threshold else None

    def people(self, found: BitMap, terms: Terms, among: int, counted: bool) -> ProtectedAnswer:
        """Protect an answer about the people found by terms.

        Args:
            found: Numbers of the people found.
            terms: The terms they were found by.
            among: Number of people whose consent permits the query.
            counted: Whether a count is wanted.

        Returns:
            The protected answer.
        """
        question = question_key("people", people_key(found))
        tier = replace(self.tier, budget=self.tier.term_budget)
        frequency = self._joint_frequency(terms)
        if not counted:
            return ProtectedAnswer(
                protect_boolean(tier, self.user, question, found, frequency, among)
            )
        return protect_count(tier, self.user, question, found, frequency, among)

    def _joint_frequency(self, terms: Terms) -> float | None:
        """Estimate the share of people elsewhere with all terms, as if these were independent."""
        frequency = 1.0
        for term, descendants in terms:
            if term in SEX_TERMS.values():
                frequency *= 0.5
            elif self.frequencies is None:
                return None
            else:
                frequency *= self.frequencies.frequency(term_question(term, descendants))
        return frequency

    def carriers(
        self, rows: Iterator[VariantRow], people: BitMap | None, counted: bool
    ) -> ProtectedAnswer:
        """Protect an answer about the people who carry one of the variants.

        For several variants the answer is only yes or no, because each is a question of its own.

        Args:
            rows: The variants found; exactly one when ``counted``.
            people: Numbers of the people queried. None stands for everybody.
            counted: Whether a count is wanted.

        Returns:
            The protected answer.
        """
        if people is not None and not people:
            return ProtectedAnswer(False, 0 if counted else None)
        if not counted:
            return ProtectedAnswer(self._anybody_carries_one(rows, people))
        return protect_count(self.tier, self.user, *self._question(next(rows), people))

    def variants(
        self, rows: Iterator[VariantRow], people: BitMap | None, counted: bool
    ) -> ProtectedAnswer:
        """Protect an answer about the number of variants with carriers.

        Each variant is a question of its own. Only the first :data:`COUNTED` variants are examined,
        so that one query cannot block others. Beyond that the count is None.

        Args:
            rows: The variants found.
            people: Numbers of the people queried. None stands for everybody.
            counted: Whether a count is wanted.

        Returns:
            The protected answer.
        """
        if people is not None and not people:
            return ProtectedAnswer(False, 0 if counted else None)
        if not counted:
            return ProtectedAnswer(self._anybody_carries_one(rows, people))
        count = 0
        for number, row in enumerate(rows):
            if number == COUNTED:
                return ProtectedAnswer(count > 0, None)
            count += self._anybody_carries(row, people)
        return ProtectedAnswer(count > 0, count)

    def _anybody_carries_one(self, rows: Iterator[VariantRow], people: BitMap | None) -> bool:
        return any(self._anybody_carries(row, people) for row in islice(rows, COUNTED))

    def _anybody_carries(self, row: VariantRow, people: BitMap | None) -> bool:
        return protect_boolean(self.tier, self.user, *self._question(row, people))

    def _question(
        self, row: VariantRow, people: BitMap | None
    ) -> tuple[bytes, BitMap, float | None, int | None]:
        """Return the question key, the carriers, the frequency elsewhere and the number queried."""
        question = allele_question(row.contig, row.start, row.ref, row.alt)
        frequency = None if self.frequencies is None else self.frequencies.frequency(question)
        if people is None:
            return question, row.carriers(), frequency, None
        key = question_key(question, people_key(people))
        return key, row.carriers() & people, frequency, len(people)
