"""Answers to those who may not see everything: threshold, rounding, noise and budgets applied."""

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
Terms = Sequence[tuple[str, bool]]  # term, and whether those below it are meant
COUNTED = 1000  # variants of one answer that are looked at one by one: each may have a price


@dataclass(frozen=True, slots=True)
class ProtectedAnswer:
    """Whether there is somebody, and how many where that may be said."""

    exists: bool
    count: int | None = None


@dataclass(frozen=True, slots=True)
class TierProtection:
    """What a node needs to protect an answer: the rules, its secret, how many it holds."""

    key: bytes
    people: int
    protection: Protection = PUBLIC
    budget: Budget | None = None  # of questions that name a variant
    term_budget: Budget | None = None  # of those that choose people by terms alone

    def __post_init__(self) -> None:
        if self.protection.budgeted and self.budget is None:
            raise InputError("privacy", "budget", "a store: the protection limits what is told")

    def charge(
        self,
        user: str,
        question: bytes,
        carriers: People,
        frequency: float | None,
        among: int | None,
    ) -> int:
        """Of how many carriers an answer whether somebody is there may be made."""
        if self.budget is None or not self.protection.budgeted:
            return len(carriers)
        cost = price(frequency, among or self.people, self.protection, counted=False)
        return self.budget.charge(user, question + b"?", carriers, cost, self.protection)

    def charge_count(
        self, user: str, question: bytes, frequency: float | None, among: int | None
    ) -> bool:
        """Whether everybody can pay for a count; paid whatever it will be."""
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
    """Whether the user is told that somebody is there.

    ``question`` names what is asked as :mod:`rehearsal.node.privacy.question_keys` does, in one way
    only however it was worded. ``carriers`` are numbers of the individuals it is true of.
    ``frequency`` is the share of people elsewhere of whom it is true, from public data
    (:class:`PublicFrequencies`); None costs most. ``among`` is how many people it was
    asked of (everybody). A question about several alleles (a range, a gene) is as many questions:
    ask for each and join the answers.
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
    """How many people the user is told of; arguments as of :func:`protect_boolean`.

    Where the budget no longer bears a count, the answer falls back to whether there is somebody,
    and the count is None.
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
    """The rules of a tier, for one user. ``frequencies``: of alleles and terms elsewhere.

    Questions by terms have budgets of their own, so that they cannot use up those of alleles.
    """

    tier: TierProtection
    user: str
    frequencies: PublicFrequencies | None = None

    @property
    def least(self) -> int:
        """So many people are always enough to be told of."""
        return self.tier.protection.threshold + self.tier.protection.noise

    def size(self, people: int) -> int | None:
        """How many people a collection has: rounded, without noise; None below the threshold."""
        protection = self.tier.protection
        return int(round_count(people, 0, protection)) if people >= protection.threshold else None

    def people(self, found: BitMap, terms: Terms, among: int, counted: bool) -> ProtectedAnswer:
        """How many people were found by terms, among so many whose consent lets them be asked."""
        question = question_key("people", people_key(found))
        tier = replace(self.tier, budget=self.tier.term_budget)
        frequency = self._joint_frequency(terms)
        if not counted:
            return ProtectedAnswer(
                protect_boolean(tier, self.user, question, found, frequency, among)
            )
        return protect_count(tier, self.user, question, found, frequency, among)

    def _joint_frequency(self, terms: Terms) -> float | None:
        """How many people in one have all terms elsewhere, as if they came independently."""
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
        """How many of the people carry one of the variants; counted where one is named.

        Of several variants only whether anybody does: each is a question of its own.
        """
        if people is not None and not people:
            return ProtectedAnswer(False, 0 if counted else None)
        if not counted:
            return ProtectedAnswer(self._anybody_carries_one(rows, people))
        return protect_count(self.tier, self.user, *self._question(next(rows), people))

    def variants(
        self, rows: Iterator[VariantRow], people: BitMap | None, counted: bool
    ) -> ProtectedAnswer:
        """How many of the variants somebody among the people carries; each is a question.

        Of more than COUNTED only the first are looked at: no question may keep the node from
        others' for long.
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
        """The question's name, the allele's carriers among the people, its frequency elsewhere,
        and among how many people it is asked."""
        question = allele_question(row.contig, row.start, row.ref, row.alt)
        frequency = None if self.frequencies is None else self.frequencies.frequency(question)
        if people is None:
            return question, row.carriers(), frequency, None
        key = question_key(question, people_key(people))
        return key, row.carriers() & people, frequency, len(people)
