"""Answers to those who may not see everything: threshold, rounding, noise and budgets applied."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from pyroaring import BitMap

from rehearsal.model import Variant
from rehearsal.node.privacy.protection import (
    Guard,
    PublicShares,
    Told,
    people_key,
    protect_boolean,
    protect_count,
    question_key,
    rounded,
)
from rehearsal.stores.people_store import SEX_TERMS

if TYPE_CHECKING:
    from rehearsal.stores.variant_store import VariantRow

Terms = Sequence[tuple[str, bool]]  # term, and whether those below it are meant
COUNTED = 1000  # variants of one answer that are looked at one by one: each may have a price


@dataclass(frozen=True, slots=True)
class Protector:
    """The rules of a tier, for one user. ``shares``: how frequent alleles and terms are elsewhere.

    Questions by terms have budgets of their own, so that they cannot use up those of alleles.
    """

    guard: Guard
    user: str
    shares: PublicShares | None = None

    @property
    def least(self) -> int:
        """So many people are always enough to be told of."""
        return self.guard.protection.threshold + self.guard.protection.noise

    def size(self, people: int) -> int | None:
        """How many people a collection has: rounded, without noise; None below the threshold."""
        protection = self.guard.protection
        return int(rounded(people, 0, protection)) if people >= protection.threshold else None

    def people(self, found: BitMap, terms: Terms, among: int, counted: bool) -> Told:
        """How many people were found by terms, among so many whose consent lets them be asked."""
        question = question_key("people", people_key(found))
        guard = replace(self.guard, budget=self.guard.term_budget)
        share = self._share_with(terms)
        if not counted:
            return Told(protect_boolean(guard, self.user, question, found, share, among))
        return protect_count(guard, self.user, question, found, share, among)

    def _share_with(self, terms: Terms) -> float | None:
        """How many people in one have all terms elsewhere, as if they came independently."""
        share = 1.0
        for term, descendants in terms:
            if term in SEX_TERMS.values():
                share *= 0.5
            elif self.shares is None:
                return None
            else:
                share *= self.shares.share(PublicShares.term_question(term, descendants))
        return share

    def carriers(self, rows: Iterator[VariantRow], people: BitMap | None, counted: bool) -> Told:
        """How many of the people carry one of the variants; counted where one is named.

        Of several variants only whether anybody does: each is a question of its own.
        """
        if people is not None and not people:
            return Told(False, 0 if counted else None)
        if not counted:
            return Told(any(self._carried(row, people) for row in islice(rows, COUNTED)), None)
        row = next(rows)
        question, share = self._question(row, people)
        carrying = row.carriers() if people is None else row.carriers() & people
        among = None if people is None else len(people)
        return protect_count(self.guard, self.user, question, carrying, share, among)

    def variants(self, rows: Iterator[VariantRow], people: BitMap | None, counted: bool) -> Told:
        """How many of the variants somebody among the people carries; each is a question.

        Of more than COUNTED only the first are looked at: no question may keep the node from
        others' for long.
        """
        if people is not None and not people:
            return Told(False, 0 if counted else None)
        if not counted:
            return Told(any(self._carried(row, people) for row in islice(rows, COUNTED)))
        count = 0
        for number, row in enumerate(rows):
            if number == COUNTED:
                return Told(count > 0, None)
            count += self._carried(row, people)
        return Told(count > 0, count)

    def _carried(self, row: VariantRow, people: BitMap | None) -> bool:
        question, share = self._question(row, people)
        carrying = row.carriers() if people is None else row.carriers() & people
        among = None if people is None else len(people)
        return protect_boolean(self.guard, self.user, question, carrying, share, among)

    def _question(self, row: VariantRow, people: BitMap | None) -> tuple[bytes, float | None]:
        """The question's name, and the share of people elsewhere who carry the allele."""
        allele = question_key(str(Variant(row.contig, row.start, row.ref, row.alt)))
        share = None if self.shares is None else self.shares.share(allele)
        if people is None:
            return allele, share
        return question_key(allele, people_key(people)), share
