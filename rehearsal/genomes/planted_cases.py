"""Planted cases: people and families that the configuration makes carry a planted variant."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from rehearsal.errors import InputError, shown
from rehearsal.genomes.assembly import is_autosomal
from rehearsal.genomes.blocks import VARIANTS, variant_label
from rehearsal.genomes.families import (
    CHILD,
    FATHER,
    FEMALE,
    MALE,
    MOTHER,
    SIBLING,
    Families,
    draw_couple_of,
    draw_unrelated,
)
from rehearsal.genomes.planting_plan import (
    PlannedCase,
    PlannedHaplotype,
    PlanRow,
    plan_rows,
)
from rehearsal.model import PlantedVariant

AUTOSOME = "autosome"
HOMOZYGOUS_BORN = (2008, 2020)
BROTHERS_BORN = (1990, 2000)  # of the elder; the other is one to four years younger


@dataclass(frozen=True)
class Case:
    """One person or family that must carry a planted variant."""

    planted: PlantedVariant
    country: str
    role: str
    number: int  # index of the case among those of the variant, from 0

    @property
    def people(self) -> int:
        """Number of people: 1, or the size of the family."""
        return _ROLES[self.role].people

    def draw_family(self, rng: np.random.Generator) -> Families:
        """Draw the person or family, without genomes.

        Args:
            rng: Source of random numbers.

        Returns:
            One family; a person alone is a family of one member.
        """
        return _ROLES[self.role].draw_family(self, rng)


def list_cases(planted: Sequence[PlantedVariant], codes: Sequence[str]) -> list[Case]:
    """List the cases of all planted variants.

    Args:
        planted: Planted variants.
        codes: Codes of the countries in the cohort.

    Returns:
        The cases, in the order of the variants and of their carriers.

    Raises:
        InputError: A country is not in ``codes``, a role is unknown, or a role is impossible on the
            variant's contig (``brothers`` on an autosome).
    """
    cases = []
    for variant in planted:
        number = 0
        for country, role, people in variant.carriers:
            _check_case(variant, country, role, codes)
            for _ in range(people):
                cases.append(Case(variant, country, role, number))
                number += 1
    return cases


def plan_cases(
    cases: Sequence[Case], ids: Sequence[str], rng: np.random.Generator
) -> list[PlanRow]:
    """Build the plan's rows for a country's cases.

    Args:
        cases: The country's cases.
        ids: Ids of the country's people. They begin with the members of the cases, in order.
        rng: Source of random numbers.

    Returns:
        Rows with ``PLAN_COLUMNS``.
    """
    rows: list[PlanRow] = []
    first = 0
    for case in cases:
        label = PlannedCase(str(case.planted.variant), case.planted.gene, case.role, case.number)
        rows += plan_rows(label, _plan_case(case.role, rng), ids[first : first + case.people])
        first += case.people
    return rows


def _check_case(planted: PlantedVariant, country: str, role: str, codes: Sequence[str]) -> None:
    key = f"carriers of {variant_label(planted)}"
    if country not in codes:
        raise InputError(VARIANTS, key, "a country of the cohort", shown(country))
    if role not in _ROLES:
        raise InputError(VARIANTS, key, f"one of {', '.join(_ROLES)}", shown(role))
    if _place(planted) not in _ROLES[role].places:
        expected = f"a role that is possible on {planted.variant.contig}"
        raise InputError(VARIANTS, key, expected, shown(role))


def _place(planted: PlantedVariant) -> str:
    """Tell where a variant lies: ``autosome``, as in a pseudo-autosomal region, or its contig."""
    contig, start = planted.variant.contig, planted.variant.start
    return AUTOSOME if is_autosomal(contig, start) else contig


def _plan_case(role: str, rng: np.random.Generator) -> list[PlannedHaplotype]:
    mothers, fathers = (int(haplotype) for haplotype in rng.integers(0, 2, 2))
    if role == "homozygous":
        return [
            PlannedHaplotype("carries", MOTHER, mothers),
            PlannedHaplotype("carries", FATHER, fathers),
            PlannedHaplotype("transmits", MOTHER, mothers, CHILD),
            PlannedHaplotype("transmits", FATHER, fathers, CHILD),
            # The sibling gets the mother's other haplotype; the father's is left to chance.
            PlannedHaplotype("transmits", MOTHER, 1 - mothers, SIBLING),
        ]
    if role == "brothers":
        sons = [PlannedHaplotype("transmits", MOTHER, mothers, son) for son in (CHILD, SIBLING)]
        return [PlannedHaplotype("carries", MOTHER, mothers), *sons]
    return [PlannedHaplotype("carries", MOTHER, mothers if role == "heterozygous" else 0)]


def _homozygous(case: Case, rng: np.random.Generator) -> Families:
    """Draw a couple, a child with two copies, and a sibling born two to four years apart."""
    born = int(rng.integers(*HOMOZYGOUS_BORN))
    sibling = born + int(rng.choice([-1, 1])) * int(rng.integers(2, 5))
    return draw_couple_of(np.array([[born, sibling]]), rng.integers(0, 2, (1, 2)), rng)


def _brothers(case: Case, rng: np.random.Generator) -> Families:
    elder = int(rng.integers(*BROTHERS_BORN))
    born = np.array([[elder + int(rng.integers(1, 5)), elder]])
    return draw_couple_of(born, np.array([[MALE, MALE]]), rng)


def _hemizygous(case: Case, rng: np.random.Generator) -> Families:
    return draw_unrelated(1, rng, MALE)


def _heterozygous(case: Case, rng: np.random.Generator) -> Families:
    on_x = _place(case.planted) == "chrX"
    return draw_unrelated(1, rng, FEMALE if on_x else None)


class _Role(NamedTuple):
    """What a planted variant can require of people."""

    draw_family: Callable[[Case, np.random.Generator], Families]
    people: int
    places: frozenset[str]  # where the role is possible


_ROLES = {
    "homozygous": _Role(_homozygous, 4, frozenset({AUTOSOME})),
    "heterozygous": _Role(_heterozygous, 1, frozenset({AUTOSOME, "chrX"})),
    "hemizygous": _Role(_hemizygous, 1, frozenset({"chrX", "chrY"})),
    "brothers": _Role(_brothers, 4, frozenset({"chrX"})),
}
