"""Plans the people of the cohort: who they are, which families they form, who carries what.

Only people are planned here, no genomes: ``drop`` gives the members of a family their haplotypes.
All members of a family are people of the cohort and live in one country; a person either has both
parents in the cohort or is a founder.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rehearsal.genomes.assembly import AUTOSOMES
from rehearsal.genomes.blocks import CONFIG, VARIANTS, variant_label
from rehearsal.genomes.story_families import StoryFamily, family_plan, story_families
from rehearsal.model import Country, InputError, Patient, PlantedVariant, Variant
from rehearsal.seeds import derive_seed

OLDEST, YOUNGEST = 1935, 2024  # birth years
PARENT_AGE = (18, 45)  # of a mother or father when a child is born, years
PARENT_AGE_MEAN, PARENT_AGE_SD = 29.0, 5.0
HOMOZYGOUS_BORN = (2008, 2020)
BROTHERS_BORN = (1990, 2000)  # the elder; the other one to four years later

# Relative number of people by birth year, shaped like the age pyramid of the EU (from memory).
PYRAMID_YEARS = (1935, 1950, 1965, 1985, 2005, 2024)
PYRAMID_WEIGHTS = (0.3, 1.0, 1.5, 1.3, 1.1, 0.9)

# Of the people in families, the shares that each kind gets; trios take what is left.
COUSINS_SHARE, HALF_SIBLINGS_SHARE, SIBLINGS_SHARE = 0.3, 0.2, 0.3
SMALLEST_FAMILY = 3

PEOPLE_COLUMNS = ("id", "country", "sex", "birth_year", "family", "father", "mother")
PLAN_COLUMNS = ("variant", "gene", "role", "case", "kind", "person", "haplotype", "child")

FEMALE, MALE = 0, 1
MOTHER, FATHER, CHILD, SIBLING = 0, 1, 2, 3  # members of a planted family; of one person, 0


@dataclass(frozen=True)
class Families:
    """``n`` families of one kind with ``m`` members each; unrelated people have ``m == 1``.

    ``sex`` and ``birth_year`` are (n, m); ``parents`` is (m, 2): the members who are a member's
    parents, in any order, or -1.
    """

    sex: np.ndarray
    birth_year: np.ndarray
    parents: np.ndarray

    @property
    def people(self) -> int:
        return self.sex.size


@dataclass(frozen=True)
class Case:
    """One person or family that a planted variant was asked in."""

    planted: PlantedVariant
    country: str
    role: str
    number: int  # running over the cases of the variant, from 0


@dataclass(frozen=True)
class PlannedCohort:
    """The people of a run and what is planned for them, before there are genomes."""

    people: pd.DataFrame  # ``PEOPLE_COLUMNS``
    planted: pd.DataFrame  # ``PLAN_COLUMNS``: who carries, hands on or lacks planted variants
    patients: pd.DataFrame  # of stories, as ``patient_ids`` gives them


def plan_cohort(
    countries: Sequence[Country],
    numbers: dict[str, int],
    family_share: float,
    planted: Sequence[PlantedVariant],
    seed: int,
    patients: Sequence[Patient] = (),
) -> PlannedCohort:
    """The cohort of a run from its ROOT seed, as ``plan_people`` plans it.

    Raises InputError as ``check_numbers`` does.
    """
    people_seed = derive_seed(seed, "people")
    people, plan = plan_people(countries, numbers, family_share, planted, people_seed, patients)
    return PlannedCohort(people, plan, patient_ids(patients, people))


def plan_people(
    countries: Sequence[Country],
    numbers: dict[str, int],
    family_share: float,
    planted: Sequence[PlantedVariant],
    seed: int,
    patients: Sequence[Patient] = (),
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The people of the cohort and the plan for variants planted in named people.

    ``numbers`` maps a country's code to its number of people, ``family_share`` is the share of
    them who are members of families (the families that planted variants need are reserved first
    and count). The first frame has ``PEOPLE_COLUMNS``: countries contiguous in the order given,
    ids running within a country; the patients of stories are a country's last people
    (``patient_ids``). The second has ``PLAN_COLUMNS``, three kinds of row:

    - ``carries``: the founder ``person`` has the variant on ``haplotype`` (0 the mother's);
    - ``transmits``: ``person`` gives ``haplotype`` to ``child`` at the variant's position;
    - ``lacks``: no haplotype of the founder ``person`` has it where no ``carries`` says so.

    Each country has draws of its own: adding a country changes nobody in the others. Raises
    InputError as ``check_numbers`` does.
    """
    check_numbers(countries, numbers, family_share, planted, patients)
    codes = [country.code for country in countries]
    cases = _cases(planted, codes)
    genes = {one.variant: one.gene for one in planted}
    frames, plans = [], []
    for code in codes:
        rng = np.random.default_rng(derive_seed(seed, "pedigree", code))
        own = [case for case in cases if case.country == code]
        told = story_families(patients, code)
        batches = _country_batches(code, numbers.get(code, 0), family_share, own, told, rng)
        people = _people_frame(code, batches)
        frames.append(people)
        ids = people["id"].to_numpy()
        plans += _plan_rows(own, ids, rng)
        plans += _story_rows(told, ids, genes, rng)
    people = pd.concat(frames, ignore_index=True) if frames else _people_frame("", [])
    plan = pd.DataFrame(plans, columns=list(PLAN_COLUMNS))
    numbers_of = ("case", "haplotype")
    return people, plan.astype({c: "int64" if c in numbers_of else "str" for c in PLAN_COLUMNS})


def check_numbers(
    countries: Sequence[Country],
    numbers: dict[str, int],
    family_share: float,
    planted: Sequence[PlantedVariant],
    patients: Sequence[Patient] = (),
) -> None:
    """Whether such people can be planned, without planning them.

    Raises InputError when a country has too few people for its families, cases or patients of
    stories, and for those that cannot be (a country without people, ``brothers`` on an autosome).
    """
    if not 0 <= family_share <= 1:
        raise InputError(CONFIG, "cohort.family_share", "expected a number from 0 to 1")
    codes = [country.code for country in countries]
    cases = _cases(planted, codes)
    for code in codes:
        own = [case for case in cases if case.country == code]
        told = story_families(patients, code)
        for family in told:
            family_plan(family, [""] * len(family.members), np.random.default_rng(0))
        _check_numbers(code, numbers.get(code, 0), family_share, own, told)


def patient_ids(patients: Sequence[Patient], people: pd.DataFrame) -> pd.DataFrame:
    """Who of the people are the patients: ``story``, ``handle``, ``name``, ``template``,
    ``individual``, ``country``."""
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


def parent_rows(people: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Row numbers of each person's father and mother, -1 for founders.

    Raises InputError for a parent who is no row of the table and a person with one parent only.
    """
    index = pd.Index(people["id"])
    rows = []
    for column in ("father", "mother"):
        known = people[column].notna().to_numpy()
        row = np.full(len(people), -1, dtype=np.int64)
        row[known] = index.get_indexer(people[column][known])
        if (row[known] < 0).any():
            expected = f"expected ids of people in the column {column}"
            raise InputError("people.parquet", column, expected)
        rows.append(row)
    father, mother = rows
    if ((father < 0) != (mother < 0)).any():
        raise InputError("people.parquet", "father, mother", "expected both parents or neither")
    return father, mother


def generations(father: np.ndarray, mother: np.ndarray) -> np.ndarray:
    """Meioses between each person and the farthest founder above: 0 for founders."""
    depth = np.zeros(len(father), dtype=np.int64)
    child = np.flatnonzero(father >= 0)
    while True:
        deeper = 1 + np.maximum(depth[father[child]], depth[mother[child]])
        if (deeper == depth[child]).all():
            return depth
        if deeper.max() > len(father):
            raise InputError("people.parquet", "father, mother", "expected no one as own ancestor")
        depth[child] = deeper


# --- families -------------------------------------------------------------------------------


def _country_batches(
    code: str,
    number: int,
    family_share: float,
    cases: Sequence[Case],
    told: Sequence[StoryFamily],
    rng: np.random.Generator,
) -> list[Families]:
    """The country's people: planted cases (one batch each), families, unrelated people, stories'
    patients."""
    reserved = [_CASES[case.role](case, rng) for case in cases]
    last = [_of_story(family, rng) for family in told]
    used = sum(batch.people for batch in (*reserved, *last))
    in_families = sum(b.people for b in (*reserved, *last) if b.sex.shape[1] > 1)
    wanted = round(family_share * number)
    families = _families(min(wanted - in_families, number - used), rng)
    used += sum(batch.people for batch in families)
    return [*reserved, *families, _unrelated(number - used, rng), *last]


def _of_story(family: StoryFamily, rng: np.random.Generator) -> Families:
    """The people of a story's family, birth years drawn where the story leaves them open."""
    born = np.zeros(len(family.members), dtype=np.int64)
    parents = np.full((len(family.members), 2), -1)
    for number, member in enumerate(family.members):
        if member.parents is not None:
            parents[number] = member.parents
        if member.patient is not None:
            first, last = member.patient.born
            born[number] = rng.integers(first, last + 1)
    for number, member in enumerate(family.members):
        if member.patient is None:  # a parent of whom the story says nothing
            children = born[(parents == number).any(axis=1)][None, :]
            born[number] = _born_before(children, rng)[0]
    sex = np.array([member.sex for member in family.members])
    return Families(sex[None, :], born[None, :], parents)


def _check_numbers(
    code: str,
    number: int,
    family_share: float,
    cases: Sequence[Case],
    told: Sequence[StoryFamily],
) -> None:
    """A country must have room for its planted cases, its patients of stories, and for one family
    if any are asked for."""
    sizes = [_CASE_SIZE[case.role] for case in cases] + [len(one.members) for one in told]
    used = sum(sizes)
    if used > number:
        whom = "planted cases and patients of stories" if told else "planted cases"
        expected = f"expected at least {used} people in {code} for its {whom}, found {number}"
        raise InputError(CONFIG, "cohort.people_per_country", expected)
    has_families = any(size > 1 for size in sizes)
    too_few = round(family_share * number) < SMALLEST_FAMILY
    if number > 0 and family_share > 0 and too_few and not has_families:
        expected = (
            f"families asked for but too few founders: {family_share} of the {number} people in "
            f"{code} are fewer than the {SMALLEST_FAMILY} of the smallest family; expected more "
            "people or a share of 0"
        )
        raise InputError(CONFIG, "cohort.family_share", expected)


def _families(people: int, rng: np.random.Generator) -> list[Families]:
    """Families of all kinds with ``people`` members in all, or one or two fewer."""
    people = max(people, 0)
    cousins = int(COUSINS_SHARE * people / 8)
    half_siblings = int(HALF_SIBLINGS_SHARE * people / 5)
    pairs = int(SIBLINGS_SHARE * people / 2 / 4)  # two children: half of the siblings' share
    triples = int(SIBLINGS_SHARE * people / 2 / 5)
    left = people - 8 * cousins - 5 * half_siblings - 4 * pairs - 5 * triples
    return [
        _three_generations(cousins, rng),
        _half_siblings(half_siblings, rng),
        _couple_with_children(pairs, 2, rng),
        _couple_with_children(triples, 3, rng),
        _couple_with_children(left // 3, 1, rng),
    ]


def _couple_with_children(n: int, children: int, rng: np.random.Generator) -> Families:
    gaps = rng.integers(1, 5, (n, children))
    gaps[:, 0] = 0
    born = rng.integers(1958, YOUNGEST - 4 * (children - 1) + 1, (n, 1)) + gaps.cumsum(axis=1)
    return _nuclear(born, rng.integers(0, 2, (n, children)), rng)


def _nuclear(born: np.ndarray, sex: np.ndarray, rng: np.random.Generator) -> Families:
    """Mother, father and their children, whose birth years and sexes are given, both (n, m)."""
    n, children = born.shape
    mother, father = _born_before(born, rng), _born_before(born, rng)
    couple = np.tile([FEMALE, MALE], (n, 1))
    parents = [(-1, -1), (-1, -1), *[(MOTHER, FATHER)] * children]
    return Families(
        np.hstack([couple, sex]), np.column_stack([mother, father, born]), np.array(parents)
    )


def _half_siblings(n: int, rng: np.random.Generator) -> Families:
    """A person with a child by each of two partners."""
    first = rng.integers(1958, YOUNGEST - 9, (n, 1))
    born = np.hstack([first, first + rng.integers(2, 11, (n, 1))])
    shared_sex = rng.integers(0, 2, n)
    shared, one, other = (_born_before(b, rng) for b in (born, born[:, :1], born[:, 1:]))
    sex = [shared_sex, 1 - shared_sex, 1 - shared_sex, *rng.integers(0, 2, (2, n))]
    parents = [(-1, -1)] * 3 + [(0, 1), (0, 2)]
    years = np.column_stack([shared, one, other, born])
    return Families(np.column_stack(sex), years, np.array(parents))


def _three_generations(n: int, rng: np.random.Generator) -> Families:
    """Grandparents, their two children, those children's partners, and a child of each couple."""
    elder = rng.integers(1956, 1999, n)
    siblings = np.column_stack([elder, elder + rng.integers(1, 7, n)])
    grandmother, grandfather = _born_before(siblings, rng), _born_before(siblings, rng)
    age = _parent_age(siblings.shape, rng)
    cousins = siblings + np.minimum(age, YOUNGEST - siblings)
    partners = np.column_stack([_born_before(cousins[:, [k]], rng) for k in (0, 1)])
    sex = rng.integers(0, 2, (n, 2))
    couple = np.tile([FEMALE, MALE], (n, 1))
    return Families(
        np.hstack([couple, sex, 1 - sex, rng.integers(0, 2, (n, 2))]),
        np.column_stack([grandmother, grandfather, siblings, partners, cousins]),
        np.array([(-1, -1), (-1, -1), (0, 1), (0, 1), (-1, -1), (-1, -1), (2, 4), (3, 5)]),
    )


def _unrelated(n: int, rng: np.random.Generator, sex: int | None = None) -> Families:
    years = np.arange(OLDEST, YOUNGEST + 1)
    weights = np.interp(years, PYRAMID_YEARS, PYRAMID_WEIGHTS)
    born = rng.choice(years, (n, 1), p=weights / weights.sum())
    sexes = rng.integers(0, 2, (n, 1))
    return Families(sexes if sex is None else np.full((n, 1), sex), born, np.array([(-1, -1)]))


def _parent_age(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    age = np.rint(rng.normal(PARENT_AGE_MEAN, PARENT_AGE_SD, shape)).astype(int)
    return age.clip(*PARENT_AGE)


def _born_before(born: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Birth years (n,) of a parent of all the children born in ``born`` (n, children)."""
    first, last = born.min(axis=1), born.max(axis=1)
    earliest = np.maximum(OLDEST, last - PARENT_AGE[1])
    return (first - _parent_age(first.shape, rng)).clip(earliest, first - PARENT_AGE[0])


# --- planted cases --------------------------------------------------------------------------


def _homozygous(case: Case, rng: np.random.Generator) -> Families:
    """A couple, the child with two copies, and a sibling born two to four years apart."""
    born = int(rng.integers(*HOMOZYGOUS_BORN))
    sibling = born + int(rng.choice([-1, 1])) * int(rng.integers(2, 5))
    return _nuclear(np.array([[born, sibling]]), rng.integers(0, 2, (1, 2)), rng)


def _brothers(case: Case, rng: np.random.Generator) -> Families:
    elder = int(rng.integers(*BROTHERS_BORN))
    born = np.array([[elder + int(rng.integers(1, 5)), elder]])
    return _nuclear(born, np.array([[MALE, MALE]]), rng)


def _hemizygous(case: Case, rng: np.random.Generator) -> Families:
    return _unrelated(1, rng, MALE)


def _heterozygous(case: Case, rng: np.random.Generator) -> Families:
    on_x = case.planted.variant.contig == "chrX"
    return _unrelated(1, rng, FEMALE if on_x else None)


_CASES: dict[str, Callable[[Case, np.random.Generator], Families]] = {
    "homozygous": _homozygous,
    "heterozygous": _heterozygous,
    "hemizygous": _hemizygous,
    "brothers": _brothers,
}
_CASE_SIZE = {"homozygous": 4, "heterozygous": 1, "hemizygous": 1, "brothers": 4}
_CONTIGS_OF_ROLE: dict[str, frozenset[str]] = {
    "homozygous": AUTOSOMES,
    "heterozygous": AUTOSOMES | {"chrX"},
    "hemizygous": frozenset({"chrX", "chrY"}),
    "brothers": frozenset({"chrX"}),
}


def _cases(planted: Sequence[PlantedVariant], codes: Sequence[str]) -> list[Case]:
    cases = []
    for variant in planted:
        number = 0
        for country, role, people in variant.carriers:
            _check_case(variant, country, role, codes)
            for _ in range(people):
                cases.append(Case(variant, country, role, number))
                number += 1
    return cases


def _check_case(planted: PlantedVariant, country: str, role: str, codes: Sequence[str]) -> None:
    key = f"carriers of {variant_label(planted)}"
    if country not in codes:
        raise InputError(VARIANTS, key, f"expected a country of the cohort, found {country!r}")
    if role not in _CASES:
        raise InputError(VARIANTS, key, f"expected one of {', '.join(_CASES)}, found {role!r}")
    if planted.variant.contig not in _CONTIGS_OF_ROLE[role]:
        raise InputError(VARIANTS, key, f"nobody can be {role} on {planted.variant.contig}")


def _plan_rows(cases: Sequence[Case], ids: np.ndarray, rng: np.random.Generator) -> list[tuple]:
    """The plan's rows for a country's cases; its first people are the cases' members, in order."""
    rows: list[tuple] = []
    first = 0
    for case in cases:
        variant = (str(case.planted.variant), case.planted.gene, case.role, case.number)
        for kind, member, haplotype, child in _case_plan(case.role, rng):
            child_id = None if child is None else ids[first + child]
            rows.append((*variant, kind, ids[first + member], haplotype, child_id))
        first += _CASE_SIZE[case.role]
    return rows


def _story_rows(
    told: Sequence[StoryFamily],
    ids: np.ndarray,
    genes: Mapping[Variant, str],
    rng: np.random.Generator,
) -> list[tuple]:
    """The plan's rows for a country's patients of stories, who are its last people."""
    rows: list[tuple] = []
    first = len(ids) - sum(len(family.members) for family in told)
    for number, family in enumerate(told):
        own = ids[first : first + len(family.members)]
        for variant, kind, person, haplotype, child in family_plan(family, own, rng):
            rows.append(
                (str(variant), genes[variant], "story", number, kind, person, haplotype, child)
            )
        first += len(family.members)
    return rows


def _case_plan(role: str, rng: np.random.Generator) -> list[tuple[str, int, int, int | None]]:
    """(kind, member, haplotype, child) of one case, people as members of its family."""
    mothers, fathers = (int(haplotype) for haplotype in rng.integers(0, 2, 2))
    if role == "homozygous":
        return [
            ("carries", MOTHER, mothers, None),
            ("carries", FATHER, fathers, None),
            ("transmits", MOTHER, mothers, CHILD),
            ("transmits", FATHER, fathers, CHILD),
            # The sibling gets the mother's other haplotype; the father's is left to chance.
            ("transmits", MOTHER, 1 - mothers, SIBLING),
        ]
    if role == "brothers":
        sons = [("transmits", MOTHER, mothers, son) for son in (CHILD, SIBLING)]
        return [("carries", MOTHER, mothers, None), *sons]
    return [("carries", MOTHER, mothers if role == "heterozygous" else 0, None)]


# --- the table ------------------------------------------------------------------------------


def _people_frame(code: str, batches: Sequence[Families]) -> pd.DataFrame:
    """The people of one country, families in the order of the batches, members in theirs."""
    columns = {"sex": [], "birth_year": [], "family": [], "father": [], "mother": []}
    first = first_family = 0
    for batch in batches:
        n, m = batch.sex.shape
        start = first + m * np.arange(n)[:, None]
        one, two = batch.parents.T
        has_parents = np.broadcast_to(one >= 0, (n, m))
        one_is_male = batch.sex[:, one] == MALE
        father, mother = np.where(one_is_male, one, two), np.where(one_is_male, two, one)
        family = np.broadcast_to(first_family + np.arange(n)[:, None], (n, m))
        columns["sex"].append(batch.sex)
        columns["birth_year"].append(batch.birth_year)
        columns["family"].append(family if m > 1 else np.full((n, m), -1))
        columns["father"].append(np.where(has_parents, start + father, -1))
        columns["mother"].append(np.where(has_parents, start + mother, -1))
        first += n * m
        first_family += n if m > 1 else 0
    flat = {
        name: np.concatenate([part.ravel() for part in parts]) if parts else np.zeros(0, dtype=int)
        for name, parts in columns.items()
    }
    ids = np.array([f"{code}-{number:06d}" for number in range(1, first + 1)], dtype=object)
    families = np.array([f"{code}-F{n:06d}" for n in range(1, first_family + 1)], dtype=object)
    return pd.DataFrame(
        {
            "id": ids,
            "country": np.full(first, code, dtype=object),
            "sex": np.array(["female", "male"], dtype=object)[flat["sex"]],
            "birth_year": flat["birth_year"].astype(np.int32),
            "family": _named(families, flat["family"]),
            "father": _named(ids, flat["father"]),
            "mother": _named(ids, flat["mother"]),
        }
    ).astype({name: "str" for name in PEOPLE_COLUMNS if name != "birth_year"})


def _named(names: np.ndarray, numbers: np.ndarray) -> np.ndarray:
    """``names[numbers]`` with None for -1."""
    return np.append(names, None)[numbers]
