"""The questions of each attack."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import product
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from rehearsal.attack.attacked_node import AttackedNode
from rehearsal.attack.questions import MOST_QUESTIONS, Questions, beacon_question
from rehearsal.attack.secrets import Mask, Membership, Secret, term_share
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.node.access.consent import Purpose
from rehearsal.node.beacon.question import Question
from rehearsal.node.beacon.variant_queries import RangeQuery, Restrictions, SequenceQuery
from rehearsal.node.privacy.mechanism import Mechanism
from rehearsal.node.privacy.protection import Protection

Attacker = Literal["frequencies", "everybody else"]
ATTACKERS: tuple[Attacker, ...] = ("frequencies", "everybody else")
COMMON = (0.05, 0.95)  # range of the public share of carriers of a common allele
NEAR_FIXED = 0.9  # share of carriers from which an allele hardly restricts a filter
WIDTHS = tuple(2**i for i in range(15))  # of the ranges that close in on an allele, bases


@dataclass(frozen=True, slots=True)
class Aim:
    """What an attack is aimed at.

    Attributes:
        secret: The secret.
        protection: The protection of the attacked tier.
        random: Source of random orders.
    """

    secret: Secret
    protection: Protection
    random: np.random.Generator

    @property
    def node(self) -> AttackedNode:
        """The attacked node."""
        return self.secret.node

    @property
    def mechanism(self) -> Mechanism:
        """The noise of the attacked tier."""
        return _mechanism(self.protection, self.node.facts.people)


_mechanism = lru_cache(maxsize=64)(Mechanism.of)

# questions about alleles


def about_alleles(
    aim: Aim, alleles: NDArray[np.int64], counted: bool, terms: tuple[str, ...] = ()
) -> Questions:
    """Build questions about alleles, perhaps beside filters.

    Args:
        aim: What the attack is aimed at.
        alleles: Numbers of the alleles, in order.
        counted: Whether counts are asked for.
        terms: Filters, beside those that the secret needs.

    Returns:
        The questions.
    """
    node, secret = aim.node, aim.secret
    among = people_with(node, node.purpose, terms)
    inside, outside = secret.carriers(among)
    share = node.known * node.permitted_share(node.purpose) * secret.share()
    for term in terms:
        share = share * (0.5 if term in SEX_TERMS.values() else term_share(node, term))

    def beacon(i: int) -> Question:
        variants = SequenceQuery(*node.places[alleles[i]])
        return beacon_question(node, node.purpose, counted, (*secret.terms, *terms), variants)

    matches = node.holds[secret.target, alleles] & among[secret.target]
    return Questions(
        inside[alleles], outside[alleles], share[alleles], matches, counted, beacon
    ).take(np.arange(alleles.size))


def people_with(node: AttackedNode, purpose: Purpose, terms: tuple[str, ...]) -> Mask:
    """Return the people who permit a purpose and have all terms.

    Args:
        node: The node.
        purpose: The purpose.
        terms: The terms.

    Returns:
        One truth value per person.
    """
    found = node.permitting(purpose)
    for term in terms:
        found = found & node.having(term)
    return found


def held_alleles(aim: Aim) -> NDArray[np.int64]:
    """Return the target's alleles, the rarest first, in random order where equally rare.

    Args:
        aim: What the attack is aimed at.

    Returns:
        Numbers of alleles.
    """
    kept, target = aim.node.held, aim.secret.target
    if target not in kept:
        held = aim.random.permutation(np.flatnonzero(aim.node.holds[target]))
        kept[target] = held[np.argsort(aim.node.known[held], kind="stable")]
    return kept[target]


def presence_of_alleles(aim: Aim) -> Questions:
    """Ask whether anybody has the target's alleles, the rarest first (Raisaro et al. 2017).

    Args:
        aim: What the attack is aimed at.

    Returns:
        The questions.
    """
    return about_alleles(aim, held_alleles(aim), counted=False)


def counts_of_alleles(aim: Aim) -> Questions:
    """Ask how many people have the target's alleles.

    Args:
        aim: What the attack is aimed at.

    Returns:
        The questions.
    """
    return about_alleles(aim, held_alleles(aim), counted=True)


def common_frequencies(aim: Aim) -> Questions:
    """Ask how many people have common alleles, in random order (Homer et al. 2008).

    The score is the likelihood ratio of Sankararaman et al. (2009), also for alleles that the
    target does not carry.

    Args:
        aim: What the attack is aimed at.

    Returns:
        The questions.
    """
    low, high = COMMON
    common = np.flatnonzero((aim.node.known > low) & (aim.node.known < high))
    return about_alleles(aim, aim.random.permutation(common)[:MOST_QUESTIONS], counted=True)


def filters_beside_alleles(aim: Aim) -> Questions:
    """Ask for the people with a sex or term who carry an allele that nearly everybody carries.

    Args:
        aim: What the attack is aimed at.

    Returns:
        The questions.
    """
    node, target = aim.node, aim.secret.target
    fixed = np.flatnonzero(node.holds[target] & (node.known >= NEAR_FIXED))
    terms = () if aim.secret.terms else (sex_of(node, target),)
    return about_alleles(aim, aim.random.permutation(fixed), counted=True, terms=terms)


def sex_of(node: AttackedNode, person: int) -> str:
    """Return the term of a person's sex.

    Args:
        node: The node.
        person: The person's number.

    Returns:
        The term, a CURIE.
    """
    is_woman = node.having(SEX_TERMS["female"])[person]
    return SEX_TERMS["female" if is_woman else "male"]


# questions about people


def differences_between_purposes(aim: Aim) -> Questions:
    """Ask for groups of people under every purpose: who permits one and not another?

    Args:
        aim: What the attack is aimed at.

    Returns:
        The questions.
    """
    return about_groups(aim, aim.node.purposes, True)


def listed_terms(aim: Aim) -> Questions:
    """Read the list of filtering terms under every purpose: is a term listed that few have?

    Args:
        aim: What the attack is aimed at.

    Returns:
        The questions.
    """
    return about_groups(aim, aim.node.purposes, False)


def counts_of_groups(aim: Aim) -> Questions:
    """Ask how many people have the target's terms, alone and beside the target's sex.

    Args:
        aim: What the attack is aimed at.

    Returns:
        The questions.
    """
    return about_groups(aim, [aim.node.purpose], True)


def about_groups(aim: Aim, purposes: list[Purpose], counted: bool) -> Questions:
    """Build questions about people with the target's terms.

    Args:
        aim: What the attack is aimed at.
        purposes: Purposes to ask for.
        counted: Whether counts are asked for, also of both sexes together and apart.

    Returns:
        The questions.
    """
    node, secret = aim.node, aim.secret
    target, groups = secret.target, _groups(aim, counted)
    asked = list(dict.fromkeys(product(purposes, map(tuple, map(sorted, groups)))))
    masks = [people_with(node, purpose, terms) for purpose, terms in asked]
    numbers = [[one.sum() for one in secret.groups(mask)] for mask in masks]
    shares = [_share(aim, purpose, terms) for purpose, terms in asked]

    def beacon(i: int) -> Question:
        purpose, terms = asked[i]
        return beacon_question(node, purpose, counted, (*secret.terms, *terms))

    inside, outside = np.array(numbers, np.int64).reshape(-1, 2).T
    matches = np.array([mask[target] for mask in masks], bool)
    return Questions(inside, outside, np.array(shares), matches, counted, beacon)


def _groups(aim: Aim, counted: bool) -> list[tuple[str, ...]]:
    """Return the terms of the groups that the target is in, beside the diagnosis asked for."""
    node, target = aim.node, aim.secret.target
    groups: list[tuple[str, ...]] = [()]
    if isinstance(aim.secret, Membership):
        of_target = [(one.id,) for one in node.facts.terms if node.having(one.id)[target]]
        groups = [*groups, *of_target] if counted else list(of_target)
    if counted:
        groups += [tuple({*group, sex_of(node, target)}) for group in groups]
    return groups


def _share(aim: Aim, purpose: Purpose, terms: tuple[str, ...]) -> float:
    share = aim.node.permitted_share(purpose) * aim.secret.share()
    for term in terms:
        share *= 0.5 if term in SEX_TERMS.values() else term_share(aim.node, term)
    return share


def closing_ranges(aim: Aim) -> Questions:
    """Ask for ranges that close in on the target's rarest allele, with and without its position.

    Args:
        aim: What the attack is aimed at.

    Returns:
        The questions.
    """
    node, secret = aim.node, aim.secret
    contig, start = node.places[held_alleles(aim)[0]][:2]
    ranges = []
    for width in WIDTHS:
        first = max(0, start + 1 - width)
        ranges += [(contig, first, start + 1), (contig, first, max(first + 1, start))]
    ranges = list(dict.fromkeys(ranges))
    among = people_with(node, node.purpose, ())
    groups = secret.groups(among)
    numbers, shares, matches = [], [], []
    for contig, first, end in ranges:
        low, high = node.rows_of(contig)
        found = slice(*(np.searchsorted(node.starts[low:high], (first, end)) + low))
        carries: Mask = np.asarray(node.holds[:, found].any(axis=1))
        numbers.append([int((carries & group).sum()) for group in groups])
        shares.append((1 - np.prod(1 - node.known[found])) * _share(aim, node.purpose, ()))
        matches.append(bool(carries[secret.target]))

    def beacon(i: int) -> Question:
        variants = RangeQuery(*ranges[i], Restrictions())
        return beacon_question(node, node.purpose, False, secret.terms, variants)

    inside, outside = np.array(numbers, np.int64).reshape(-1, 2).T
    return Questions(inside, outside, np.array(shares), np.array(matches, bool), False, beacon)
