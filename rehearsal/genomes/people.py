"""Plan the people of the cohort: who they are, their families, and who carries what.

Only people are planned here, no genomes: ``gene_drop`` gives the members of a family their
haplotypes. All members of a family are people of the cohort and live in one country. A person
either has both parents in the cohort or is a founder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rehearsal.errors import Complaints, InputError, shown
from rehearsal.genomes.blocks import CONFIG
from rehearsal.genomes.cohort_mix import NO_MIX, CohortMix
from rehearsal.genomes.families import (
    SMALLEST_FAMILY,
    Families,
    draw_families,
    draw_parent_births,
    draw_unrelated,
)
from rehearsal.genomes.people_table import people_table
from rehearsal.genomes.planted_cases import Case, list_cases, plan_cases
from rehearsal.genomes.planting_plan import (
    PLAN_COLUMNS,
    PlannedCase,
    PlanRow,
    plan_rows,
)
from rehearsal.genomes.story_families import StoryFamily, plan_inheritance, story_families
from rehearsal.logs import note
from rehearsal.model import Country, Patient, PlantedVariant, Variant
from rehearsal.seeds import derive_seed


@dataclass(frozen=True)
class PlannedCohort:
    """The people of a run and what is planned for them, before there are genomes."""

    people: pd.DataFrame  # ``PEOPLE_COLUMNS``, one row per person
    planted: pd.DataFrame  # ``PLAN_COLUMNS``: who carries, transmits or lacks planted variants
    patients: pd.DataFrame  # patients of stories, as ``patient_ids`` returns them


def plan_cohort(
    countries: Sequence[Country],
    numbers: dict[str, int],
    family_share: float,
    planted: Sequence[PlantedVariant],
    seed: int,
    patients: Sequence[Patient] = (),
    mix: CohortMix = NO_MIX,
) -> PlannedCohort:
    """Plan the cohort of a run from its ROOT seed.

    Args:
        countries: Countries in the order of the people table.
        numbers: Number of people by country code.
        family_share: Share of the people who are members of families, 0 to 1.
        planted: Planted variants.
        seed: The run's root seed.
        patients: Patients of stories.
        mix: Shares of migrants, other ancestries and related parents.

    Returns:
        The people, the plan and the patients' ids.

    Raises:
        InputError: As :func:`check_numbers`.
    """
    people_seed = derive_seed(seed, "people")
    people, plan = plan_people(
        countries, numbers, family_share, planted, people_seed, patients, mix
    )
    return PlannedCohort(people, plan, patient_ids(patients, people))


def plan_people(
    countries: Sequence[Country],
    numbers: dict[str, int],
    family_share: float,
    planted: Sequence[PlantedVariant],
    seed: int,
    patients: Sequence[Patient] = (),
    mix: CohortMix = NO_MIX,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Plan the people of the cohort and the carriers of variants planted in named people.

    Each country has random draws of its own: adding a country changes nobody in the others.

    The plan has three kinds of rows:

    - ``carries``: the founder ``person`` has the variant on ``haplotype`` (0 the mother's).
    - ``transmits``: ``person`` transmits ``haplotype`` to ``child`` at the variant's position.
    - ``lacks``: the founder ``person`` has the variant only on haplotypes that a ``carries`` row
      names.

    Args:
        countries: Countries in the order of the people table.
        numbers: Number of people by country code.
        family_share: Share of the people who are members of families, 0 to 1. The families that
            planted variants need are reserved first and count.
        planted: Planted variants.
        seed: Seed of the people, derived from the run's root seed.
        patients: Patients of stories. They are the last people of their country
            (:func:`patient_ids`).
        mix: Shares of migrants, other ancestries and related parents. A person's ``country`` is
            where they are enrolled, their ``population`` where their genome comes from.

    Returns:
        The people with ``PEOPLE_COLUMNS`` (countries contiguous in the order given, ids numbered
        within a country) and the plan with ``PLAN_COLUMNS``.

    Raises:
        InputError: As :func:`check_numbers`.
    """
    check_numbers(countries, numbers, family_share, planted, patients)
    genes = {one.variant: one.gene for one in planted}
    frames = [people_table("", [])]
    rows: list[PlanRow] = []
    for country in _plan_countries(countries, numbers, family_share, planted, patients):
        rng = np.random.default_rng(derive_seed(seed, "pedigree", country.code))
        share = mix.consanguineous_in(country.code)
        own = people_table(country.code, country.draw_families(rng, share))
        _set_populations(own, countries, country, mix, seed)
        frames.append(own)
        ids = own["id"].tolist()
        rows += plan_cases(country.cases, ids, rng)
        rows += country.plan_stories(ids, genes, rng)
    people = pd.concat(frames[1:] or frames, ignore_index=True)
    plan = pd.DataFrame(rows, columns=list(PLAN_COLUMNS))
    numbers_of = ("case", "haplotype")
    return people, plan.astype({c: "int64" if c in numbers_of else "str" for c in PLAN_COLUMNS})


def _set_populations(
    people: pd.DataFrame,
    countries: Sequence[Country],
    plan: _CountryPlan,
    mix: CohortMix,
    seed: int,
) -> None:
    """Set the populations of a country's people who have no family and are in no story or case."""
    country = next(one for one in countries if one.code == plan.code)
    reserved = sum(case.people for case in plan.cases)
    last = len(people) - sum(len(family.members) for family in plan.story_families)
    free = np.flatnonzero(people["family"].isna().to_numpy()[:last])
    free = free[free >= reserved]
    rng = np.random.default_rng(derive_seed(seed, "populations", plan.code))
    drawn = mix.draw_populations(country, countries, len(free), rng)
    people.iloc[free, people.columns.get_loc("population")] = drawn


def check_numbers(
    countries: Sequence[Country],
    numbers: dict[str, int],
    family_share: float,
    planted: Sequence[PlantedVariant],
    patients: Sequence[Patient] = (),
) -> None:
    """Check that such people can be planned, without planning them; note where no family fits.

    Args:
        countries: Countries of the cohort.
        numbers: Number of people by country code.
        family_share: Share of the people who are members of families, 0 to 1.
        planted: Planted variants.
        patients: Patients of stories.

    Raises:
        InputError: A country has too few people for its planted cases or patients of stories, or a
            case is impossible (a country without people, ``brothers`` on an autosome).
    """
    if not 0 <= family_share <= 1:
        raise InputError(CONFIG, "cohort.family_share", "a number from 0 to 1", shown(family_share))
    complaints = Complaints()
    plans = list(_plan_countries(countries, numbers, family_share, planted, patients))
    for country in plans:
        with complaints.collected():
            for family in country.story_families:
                list(plan_inheritance(family, np.random.default_rng(0)))
            country.check_room()
    complaints.raise_any()
    small = [country.code for country in plans if country.is_too_small_for_families]
    if small:
        note(
            f"cohort.family_share: no family in {', '.join(small)}, because {family_share:g} of "
            f"the people there are fewer than {SMALLEST_FAMILY}, the smallest family"
        )


def patient_ids(patients: Sequence[Patient], people: pd.DataFrame) -> pd.DataFrame:
    """Find the people who are the patients of stories.

    Args:
        patients: Patients of stories.
        people: The people table.

    Returns:
        One row per patient with the columns ``story``, ``handle``, ``name``, ``template``,
        ``individual`` (the person's id) and ``country``.
    """
    rows = []
    for code, group in people.groupby("country", sort=False):
        families = story_families(patients, str(code))
        members = [member for family in families for member in family.members]
        for member, individual in zip(
            members, group["id"].iloc[len(group) - len(members) :], strict=True
        ):
            if (one := member.patient) is not None:
                rows.append((one.story, one.handle, one.name, one.template, individual, code))
    columns = ["story", "handle", "name", "template", "individual", "country"]
    return pd.DataFrame(rows, columns=columns, dtype="str")


@dataclass(frozen=True, slots=True)
class _CountryPlan:
    """What is known of a country's people before anything is drawn."""

    code: str
    number: int  # of its people
    family_share: float
    cases: list[Case]
    story_families: list[StoryFamily]

    @property
    def reserved_sizes(self) -> list[int]:
        """The number of people of each planted case and each family of stories' patients."""
        sizes = [case.people for case in self.cases]
        return sizes + [len(family.members) for family in self.story_families]

    def check_room(self) -> None:
        """Check that there is room for planted cases and stories' patients."""
        used = sum(self.reserved_sizes)
        if used > self.number:
            stories = " and patients of stories" if self.story_families else ""
            expected = f"at least {used} people in {self.code} for its planted cases{stories}"
            key, found = f"cohort.people.{self.code}", shown(self.number)
            raise InputError(CONFIG, key, expected, found, subject=self.code)

    @property
    def is_too_small_for_families(self) -> bool:
        """Whether families are wanted, and not even the smallest fits."""
        wants_families = self.number > 0 and self.family_share > 0
        too_few = round(self.family_share * self.number) < SMALLEST_FAMILY
        return wants_families and too_few and max(self.reserved_sizes, default=0) <= 1

    def draw_families(self, rng: np.random.Generator, consanguineous: float) -> list[Families]:
        """Draw its people: planted cases, families, unrelated people, then stories' patients."""
        cases = [case.draw_family(rng) for case in self.cases]
        of_stories = [_draw_story_family(family, rng) for family in self.story_families]
        reserved = [*cases, *of_stories]
        used = sum(families.people for families in reserved)
        in_families = sum(one.people for one in reserved if one.sex.shape[1] > 1)
        wanted = round(self.family_share * self.number)
        wanted = min(wanted - in_families, self.number - used)
        drawn = draw_families(wanted, rng, consanguineous)
        used += sum(families.people for families in drawn)
        return [*cases, *drawn, draw_unrelated(self.number - used, rng), *of_stories]

    def plan_stories(
        self, ids: Sequence[str], genes: Mapping[Variant, str], rng: np.random.Generator
    ) -> list[PlanRow]:
        """Build the plan's rows for its patients of stories, who are the last of its people."""
        rows: list[PlanRow] = []
        first = len(ids) - sum(len(family.members) for family in self.story_families)
        for number, family in enumerate(self.story_families):
            own = ids[first : first + len(family.members)]
            for variant, planned in plan_inheritance(family, rng):
                case = PlannedCase(str(variant), genes[variant], "story", number)
                rows += plan_rows(case, planned, own)
            first += len(family.members)
        return rows


def _plan_countries(
    countries: Sequence[Country],
    numbers: Mapping[str, int],
    family_share: float,
    planted: Sequence[PlantedVariant],
    patients: Sequence[Patient],
) -> Iterator[_CountryPlan]:
    codes = [country.code for country in countries]
    cases = list_cases(planted, codes)
    for code in codes:
        yield _CountryPlan(
            code,
            numbers.get(code, 0),
            family_share,
            [case for case in cases if case.country == code],
            story_families(patients, code),
        )


def _draw_story_family(family: StoryFamily, rng: np.random.Generator) -> Families:
    """Draw the people of a story's family, with birth years where the story leaves them open."""
    born = np.zeros(len(family.members), dtype=np.int64)
    parents = np.full((len(family.members), 2), -1)
    for number, member in enumerate(family.members):
        if member.parents is not None:
            parents[number] = member.parents
        if member.patient is not None:
            first, last = member.patient.born
            born[number] = rng.integers(first, last + 1)
    for number, member in enumerate(family.members):
        if member.patient is None:  # a parent whom the story does not mention
            children = born[(parents == number).any(axis=1)][None, :]
            born[number] = draw_parent_births(children, rng)[0]
    sex = np.array([member.sex for member in family.members])
    return Families(sex[None, :], born[None, :], parents)
