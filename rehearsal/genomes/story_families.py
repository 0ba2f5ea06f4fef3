"""Families of stories' patients: who they are, and who transmits what to whom.

Patients who name parents form a family with them. If only one parent is named, the other one is
made up. A child's copies come from its parents. Where the story says nothing about a planted
variant, other members of the family have no copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rehearsal.errors import InputError, mismatch, shown
from rehearsal.genomes.assembly import ploidy
from rehearsal.genomes.planting_plan import PlannedHaplotype
from rehearsal.model import SEXES, Patient, Variant


@dataclass(frozen=True)
class Member:
    """A member of a family."""

    patient: Patient | None  # None: a parent whom no story mentions
    sex: int  # 0 woman, 1 man
    parents: tuple[int, int] | None = None  # mother's and father's index in the family

    def copies_at(self, variant: Variant) -> int:
        """Count the member's copies of the place of a variant.

        Args:
            variant: A variant on a contig of GRCh38.

        Returns:
            0, 1 or 2.
        """
        return ploidy(variant.contig, SEXES[self.sex], variant.start)

    def error(self, expected: str, found: str) -> InputError:
        """Build the error about this patient, for the caller to raise.

        Args:
            expected: What is allowed, as a noun phrase.
            found: What the story says instead.

        Returns:
            The error, with the patient's place in the story.

        Raises:
            ValueError: No story mentions this member.
        """
        if self.patient is None:
            raise ValueError(mismatch("a parent whom no story mentions", expected, found))
        return InputError(*self.patient.where, expected, found)


@dataclass(frozen=True)
class StoryFamily:
    """People whom stories put together into a country. A single person is a family too."""

    members: tuple[Member, ...]
    variants: tuple[Variant, ...] = ()  # carried by at least one member
    lacking: tuple[Variant, ...] = ()  # that at least one member must not have
    copies: tuple[dict[Variant, int], ...] = field(default=())  # of each member


def story_families(patients: Iterable[Patient], country: str) -> list[StoryFamily]:
    """Group a country's patients into families.

    Args:
        patients: Patients of all stories.
        country: Country code.

    Returns:
        The families, in the order of their first patients.

    Raises:
        InputError: A patient has copies that the parents cannot transmit.
    """
    own = [patient for patient in patients if patient.country == country]
    groups: dict[tuple[str, str], list[Patient]] = {}
    head = _heads(own)
    for patient in own:
        groups.setdefault(head[patient.story, patient.handle], []).append(patient)
    return [_with_copies(_family(group)) for group in groups.values()]


def _heads(patients: Sequence[Patient]) -> dict[tuple[str, str], tuple[str, str]]:
    """Choose, for each patient, one patient who stands for the family."""
    head = {(one.story, one.handle): (one.story, one.handle) for one in patients}
    changed = True
    while changed:
        changed = False
        for one in patients:
            for parent in filter(None, (one.mother, one.father)):
                both = head[one.story, one.handle], head[one.story, parent]
                if both[0] != both[1]:
                    head[one.story, one.handle] = head[one.story, parent] = min(both)
                    changed = True
    return head


def _family(patients: Sequence[Patient]) -> StoryFamily:
    """Build a family of patients and parents, with one made-up parent per incomplete couple."""
    members = [Member(patient, SEXES.index(patient.sex)) for patient in patients]
    place = {patient.handle: number for number, patient in enumerate(patients)}
    made_up: dict[tuple[str | None, str | None], int] = {}
    for number, patient in enumerate(patients):
        mother, father = couple = (patient.mother, patient.father)
        if mother is None and father is None:
            continue
        if None in couple and couple not in made_up:
            made_up[couple] = len(members)
            members.append(Member(None, couple.index(None)))
        parents = (
            made_up[couple] if mother is None else place[mother],
            made_up[couple] if father is None else place[father],
        )
        members[number] = replace(members[number], parents=parents)
    return StoryFamily(tuple(members), _carried(patients), _lacking(patients))


def _carried(patients: Iterable[Patient]) -> tuple[Variant, ...]:
    """List the variants that any patient carries, in the order in which they are named."""
    return tuple(dict.fromkeys(v for one in patients for v, n in one.carries.items() if n))


def _lacking(patients: Iterable[Patient]) -> tuple[Variant, ...]:
    return tuple(dict.fromkeys(v for one in patients for v in one.lacks))


def _with_copies(family: StoryFamily) -> StoryFamily:
    """Add each member's copies: those that stories name and those that children need of parents."""
    copies: list[dict[Variant, int]] = [
        dict(one.patient.carries) if one.patient else {} for one in family.members
    ]
    for variant in family.variants:
        for number in _children_first(family.members):
            _ask_parents(family, copies, number, variant)
        for member, own in zip(family.members, copies, strict=True):
            own.setdefault(variant, 0)
            _check_copies(member, variant, own[variant])
    return replace(family, copies=tuple(copies))


def _check_copies(member: Member, variant: Variant, copies: int) -> None:
    if member.patient is None:
        return
    if copies > member.copies_at(variant):
        raise member.error(f"at most one copy of {variant} in a man", shown(copies))
    if copies and variant in member.patient.lacks:
        raise member.error(f"a patient who carries {variant} or lacks it", "both")


def _children_first(members: Sequence[Member]) -> list[int]:
    def depth(number: int) -> int:
        parents = members[number].parents
        return 0 if parents is None else 1 + max(map(depth, parents))

    return sorted(range(len(members)), key=depth, reverse=True)


def _parents_who_give(member: Member, variant: Variant) -> tuple[int, ...]:
    """List the parents from whom a member has copies: a son's X is his mother's."""
    parents = () if member.parents is None else member.parents
    return parents[:1] if member.copies_at(variant) == 1 else parents


def _ask_parents(
    family: StoryFamily, copies: list[dict[Variant, int]], number: int, variant: Variant
) -> None:
    """Give the parents of a member the copies that it needs from them."""
    member = family.members[number]
    wanted = copies[number].get(variant, 0)
    if member.parents is None or not wanted:
        return
    givers = _parents_who_give(member, variant)
    able = [one for one in givers if copies[one].get(variant, 1) > 0]
    able.sort(key=lambda one: variant not in copies[one])  # parents named as carriers first
    if len(able) < wanted:
        copies_wanted = "1 copy" if wanted == 1 else f"{wanted} copies"
        expected = f"parents who can transmit {copies_wanted} of {variant}"
        raise member.error(expected, f"parents who can transmit {len(able)}")
    for giver in able[:wanted]:
        copies[giver].setdefault(variant, 1)


def plan_inheritance(
    family: StoryFamily, rng: np.random.Generator
) -> Iterator[tuple[Variant, list[PlannedHaplotype]]]:
    """Plan every variant that the family carries or must lack.

    ``lacks`` entries name founders who must not have the variant, except on haplotypes that a
    ``carries`` entry names.

    Args:
        family: The family.
        rng: Source of random numbers.

    Yields:
        A variant and its entries of the plan.

    Raises:
        InputError: Copies cannot be transmitted as the story requires.
    """
    founders = [number for number, one in enumerate(family.members) if one.parents is None]
    single: dict[tuple[int, str], int] = {}
    for variant in dict.fromkeys((*family.variants, *family.lacking)):
        planned = [PlannedHaplotype("lacks", founder, 0) for founder in founders]
        if variant in family.variants:
            planned += _inheritance(family, variant, rng, single)
        yield variant, planned


def _inheritance(
    family: StoryFamily,
    variant: Variant,
    rng: np.random.Generator,
    single: dict[tuple[int, str], int],
) -> Iterator[PlannedHaplotype]:
    """Plan who carries it on which haplotype (0 the mother's), and who transmits which one.

    ``single`` collects the haplotype of a founder's last single copy on a contig. The next one is
    on the other haplotype: so a person with two variants of a gene has no intact copy.
    """
    carrying: dict[int, frozenset[int]] = {}  # haplotypes with the variant, by member
    for number in reversed(_children_first(family.members)):
        member, copies = family.members[number], family.copies[number][variant]
        if member.parents is None:
            place = number, variant.contig
            carrying[number] = _founder_haplotypes(member, variant, copies, rng, place, single)
            yield from (PlannedHaplotype("carries", number, h) for h in sorted(carrying[number]))
            continue
        parents = _parents_who_give(member, variant)
        givers = [parent for parent in parents if carrying[parent]][:copies]
        carrying[number] = frozenset(member.parents.index(parent) for parent in givers)
        for parent in parents:
            if carrying[parent]:
                own, gives = carrying[parent], parent in givers
                strand = _handed_on(member, family.members[parent], variant, own, gives)
                if strand is not None:
                    yield PlannedHaplotype("transmits", parent, strand, number)


def _founder_haplotypes(
    member: Member,
    variant: Variant,
    copies: int,
    rng: np.random.Generator,
    place: tuple[int, str],
    single: dict[tuple[int, str], int],
) -> frozenset[int]:
    if copies == 2:
        return frozenset((0, 1))
    has_one = member.copies_at(variant) == 1
    first = 0 if has_one else int(rng.integers(0, 2))
    if copies == 1:
        first = 1 - single[place] if place in single and not has_one else first
        single[place] = first
    return frozenset([first][:copies])


def _handed_on(
    child: Member, parent: Member, variant: Variant, carrying: frozenset[int], gives: bool
) -> int | None:
    """Choose the haplotype that a carrying parent transmits. None: the parent has only one."""
    if parent.copies_at(variant) == 1:
        if not gives:
            expected = f"a copy of {variant}, which her father has on his only {variant.contig}"
            raise child.error(expected, "no copy from him")
        return None
    left = carrying if gives else frozenset((0, 1)) - carrying
    if not left:
        expected = f"a copy of {variant} from a parent who has two"
        raise child.error(expected, "no copy from that parent")
    return min(left)
