"""The families of stories' patients: who they are, and who gives what to whom.

Patients who name parents form a family with them; a parent whom nobody names is made up. What a
child carries, a parent gives: whatever the story leaves open of a planted variant in such a family
is that nobody else in it has a copy.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from rehearsal.genomes.assembly import ploidy
from rehearsal.model import SEXES, Patient, Variant

MOTHER_OF, FATHER_OF = 0, 1


@dataclass(frozen=True)
class Member:
    """Somebody of a family. ``parents``: mother's and father's place in it, or None."""

    patient: Patient | None  # None: a parent who is in no story
    sex: int  # 0 woman, 1 man
    parents: tuple[int, int] | None = None


@dataclass(frozen=True)
class StoryFamily:
    """People of a country whom stories put there together; a person alone is one too."""

    members: tuple[Member, ...]
    variants: tuple[Variant, ...] = ()  # that somebody of it carries
    lacking: tuple[Variant, ...] = ()  # that somebody of it must not have
    copies: tuple[dict[Variant, int], ...] = field(default=())  # by member

    @property
    def is_single(self) -> bool:
        return len(self.members) == 1


def story_families(patients: Iterable[Patient], country: str) -> list[StoryFamily]:
    """The families of a country's patients, in the order of their first patients.

    Raises InputError for copies that parents cannot give.
    """
    own = [patient for patient in patients if patient.country == country]
    groups: dict[tuple[str, str], list[Patient]] = {}
    head = _heads(own)
    for patient in own:
        groups.setdefault(head[patient.story, patient.handle], []).append(patient)
    return [_with_copies(_family(group)) for group in groups.values()]


def _heads(patients: Sequence[Patient]) -> dict[tuple[str, str], tuple[str, str]]:
    """One patient who stands for the family, by patient."""
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
    members = [Member(patient, SEXES.index(patient.sex)) for patient in patients]
    place = {patient.handle: number for number, patient in enumerate(patients)}
    made_up: dict[tuple[str | None, str | None], int] = {}
    for number, patient in enumerate(patients):
        if patient.mother is None and patient.father is None:
            continue
        couple = (patient.mother, patient.father)
        if None in couple and couple not in made_up:
            made_up[couple] = len(members)
            members.append(Member(None, couple.index(None)))
        parents = tuple(made_up[couple] if one is None else place[one] for one in couple)
        members[number] = replace(members[number], parents=(parents[0], parents[1]))
    variants = dict.fromkeys(v for one in patients for v, n in one.carries.items() if n)
    lacking = dict.fromkeys(v for one in patients for v in one.lacks)
    return StoryFamily(tuple(members), tuple(variants), tuple(lacking))


def _with_copies(family: StoryFamily) -> StoryFamily:
    """The same with the copies of every member: those told, and what parents need to give them."""
    copies: list[dict[Variant, int]] = [
        dict(one.patient.carries) if one.patient else {} for one in family.members
    ]
    for variant in family.variants:
        for number in _children_first(family.members):
            _ask_parents(family, copies, number, variant)
        for number, member in enumerate(family.members):
            own = copies[number].setdefault(variant, 0)
            if member.patient and own > ploidy(variant.contig, member.patient.sex):
                raise member.patient.error(f"at most one copy of {variant} in a man, found {own}")
            if own and member.patient and variant in member.patient.lacks:
                raise member.patient.error(f"to carry {variant} or to lack it, not both")
    return replace(family, copies=tuple(copies))


def _children_first(members: Sequence[Member]) -> list[int]:
    def depth(number: int) -> int:
        parents = members[number].parents
        return 0 if parents is None else 1 + max(map(depth, parents))

    return sorted(range(len(members)), key=depth, reverse=True)


def _ask_parents(
    family: StoryFamily, copies: list[dict[Variant, int]], number: int, variant: Variant
) -> None:
    """Let the parents of a member have what it needs from them."""
    member = family.members[number]
    wanted = copies[number].get(variant, 0)
    if member.parents is None or member.patient is None or not wanted:
        return
    givers = member.parents
    if ploidy(variant.contig, member.patient.sex) == 1:
        givers = givers[:1]  # a son's X is his mother's
    able = [one for one in givers if copies[one].get(variant, 1) > 0]
    able.sort(key=lambda one: variant not in copies[one])  # those said to carry it first
    if len(able) < wanted:
        raise member.patient.error(f"parents who can give {wanted} copies of {variant}")
    for giver in able[:wanted]:
        copies[giver].setdefault(variant, 1)


def family_plan(
    family: StoryFamily, ids: Sequence[str], rng: np.random.Generator
) -> list[tuple[Variant, str, str, int, str | None]]:
    """(variant, kind, person, haplotype, child), as in ``pedigree.plan_people``.

    ``ids``: of the members. Rows of kind ``lacks`` name founders who must not have the variant
    but where a row ``carries`` says so.
    """
    rows: list[tuple[Variant, str, str, int, str | None]] = []
    for variant in dict.fromkeys((*family.variants, *family.lacking)):
        founders = [k for k, one in enumerate(family.members) if one.parents is None]
        rows += [(variant, "lacks", ids[k], 0, None) for k in founders]
        if variant in family.variants:
            rows += _inheritance(family, variant, ids, rng)
    return rows


def _inheritance(
    family: StoryFamily, variant: Variant, ids: Sequence[str], rng: np.random.Generator
) -> list[tuple[Variant, str, str, int, str | None]]:
    """Who carries it on which haplotype (0 the mother's), and who hands which haplotype on."""
    rows: list[tuple[Variant, str, str, int, str | None]] = []
    on: dict[int, frozenset[int]] = {}
    for number in reversed(_children_first(family.members)):
        member, copies = family.members[number], family.copies[number][variant]
        one_copy = ploidy(variant.contig, SEXES[member.sex]) == 1
        if member.parents is None:
            first = 0 if one_copy or copies == 2 else int(rng.integers(0, 2))
            on[number] = frozenset(range(2) if copies == 2 else [first][:copies])
            rows += [(variant, "carries", ids[number], h, None) for h in sorted(on[number])]
            continue
        givers = [p for p in member.parents[: 1 if one_copy else 2] if on[p]][:copies]
        on[number] = frozenset(member.parents.index(p) for p in givers)
        for parent in member.parents[: 1 if one_copy else 2]:
            if not on[parent] or ploidy(variant.contig, SEXES[family.members[parent].sex]) == 1:
                if on[parent] and parent not in givers:
                    raise member.patient.error(f"a daughter has her father's only {variant}")
                continue
            left = on[parent] if parent in givers else frozenset((0, 1)) - on[parent]
            if not left:
                raise member.patient.error(f"both parents' copies of {variant} be handed on")
            rows.append((variant, "transmits", ids[parent], min(left), ids[number]))
    return rows
