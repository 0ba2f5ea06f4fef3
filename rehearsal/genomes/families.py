"""Draw families at random: sexes, birth years, and who is whose parent."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

OLDEST, YOUNGEST = 1935, 2024  # birth years
PARENT_AGE = (18, 45)  # lowest and highest age of a parent at the birth of a child, years
PARENT_AGE_MEAN, PARENT_AGE_SD = 29.0, 5.0

# Relative number of people by birth year. Approximates the age pyramid of the EU; no data source.
PYRAMID_YEARS = (1935, 1950, 1965, 1985, 2005, 2024)
PYRAMID_WEIGHTS = (0.3, 1.0, 1.5, 1.3, 1.1, 0.9)

# Shares of the people in families by kind of family. Trios take what is left.
COUSINS_SHARE, HALF_SIBLINGS_SHARE, SIBLINGS_SHARE = 0.3, 0.2, 0.3
SMALLEST_FAMILY = 3
CONSANGUINEOUS_FAMILY = 9  # people: the eight of a family with cousins, and the cousins' child

FEMALE, MALE = 0, 1
# Indices of the members of a planted family. A person alone is member 0.
MOTHER, FATHER, CHILD, SIBLING = 0, 1, 2, 3


@dataclass(frozen=True)
class Families:
    """``n`` families of one kind with ``m`` members each. Unrelated people have ``m == 1``."""

    sex: np.ndarray  # (n, m) 0 female, 1 male
    birth_year: np.ndarray  # (n, m)
    parents: np.ndarray  # (m, 2) the members who are a member's parents, in any order, or -1

    @property
    def people(self) -> int:
        """Number of people in all families."""
        return self.sex.size


def draw_families(
    people: int, rng: np.random.Generator, consanguineous: float = 0.0
) -> list[Families]:
    """Draw families of all kinds.

    Args:
        people: Number of members wanted in all. Up to two fewer are drawn.
        rng: Source of random numbers.
        consanguineous: Share of the families in which the parents of a child are first cousins.

    Returns:
        One entry per kind: parents who are first cousins, cousins, half-siblings, two siblings,
        three siblings, trios.
    """
    people = max(people, 0)
    related = _number_consanguineous(people, rng, consanguineous)
    people -= CONSANGUINEOUS_FAMILY * related
    cousins = int(COUSINS_SHARE * people / 8)
    half_siblings = int(HALF_SIBLINGS_SHARE * people / 5)
    pairs = int(SIBLINGS_SHARE * people / 2 / 4)  # two children: half of the siblings' share
    triples = int(SIBLINGS_SHARE * people / 2 / 5)
    left = people - 8 * cousins - 5 * half_siblings - 4 * pairs - 5 * triples
    return [
        _cousins_with_child(related, rng),
        _three_generations(cousins, rng),
        _half_siblings(half_siblings, rng),
        _couple_with_children(pairs, 2, rng),
        _couple_with_children(triples, 3, rng),
        _couple_with_children(left // 3, 1, rng),
    ]


def _number_consanguineous(people: int, rng: np.random.Generator, share: float) -> int:
    """Draw how many families of so many people are consanguineous, with about 4 people each."""
    if share == 0:
        return 0
    families = round(people / (4 + share * (CONSANGUINEOUS_FAMILY - 4)))
    return min(int(rng.binomial(families, share)), people // CONSANGUINEOUS_FAMILY)


def _couple_with_children(n: int, children: int, rng: np.random.Generator) -> Families:
    gaps = rng.integers(1, 5, (n, children))
    gaps[:, 0] = 0
    born = rng.integers(1958, YOUNGEST - 4 * (children - 1) + 1, (n, 1)) + gaps.cumsum(axis=1)
    return draw_couple_of(born, rng.integers(0, 2, (n, children)), rng)


def draw_couple_of(born: np.ndarray, sex: np.ndarray, rng: np.random.Generator) -> Families:
    """Draw mother and father of children whose birth years and sexes are given.

    Args:
        born: Birth years of the children, shape (n, children).
        sex: Their sexes, 0 female, 1 male, shape (n, children).
        rng: Source of random numbers.

    Returns:
        ``n`` families: mother, father, then the children.
    """
    n, children = born.shape
    mother, father = draw_parent_births(born, rng), draw_parent_births(born, rng)
    couple = np.tile([FEMALE, MALE], (n, 1))
    parents = [(-1, -1), (-1, -1), *[(MOTHER, FATHER)] * children]
    return Families(
        np.hstack([couple, sex]), np.column_stack([mother, father, born]), np.array(parents)
    )


def _half_siblings(n: int, rng: np.random.Generator) -> Families:
    """Draw a person with a child by each of two partners."""
    first = rng.integers(1958, YOUNGEST - 9, (n, 1))
    born = np.hstack([first, first + rng.integers(2, 11, (n, 1))])
    shared_sex = rng.integers(0, 2, n)
    shared, one, other = (draw_parent_births(b, rng) for b in (born, born[:, :1], born[:, 1:]))
    sex = [shared_sex, 1 - shared_sex, 1 - shared_sex, *rng.integers(0, 2, (2, n))]
    parents = [(-1, -1)] * 3 + [(0, 1), (0, 2)]
    years = np.column_stack([shared, one, other, born])
    return Families(np.column_stack(sex), years, np.array(parents))


def _three_generations(n: int, rng: np.random.Generator) -> Families:
    """Draw grandparents, their two children, the children's partners, and each couple's child."""
    elder = rng.integers(1956, 1999, n)
    siblings = np.column_stack([elder, elder + rng.integers(1, 7, n)])
    grandmother, grandfather = (
        draw_parent_births(siblings, rng),
        draw_parent_births(siblings, rng),
    )
    age = _parent_age(siblings.shape, rng)
    cousins = siblings + np.minimum(age, YOUNGEST - siblings)
    partners = np.column_stack([draw_parent_births(cousins[:, [k]], rng) for k in (0, 1)])
    sex = rng.integers(0, 2, (n, 2))
    couple = np.tile([FEMALE, MALE], (n, 1))
    return Families(
        np.hstack([couple, sex, 1 - sex, rng.integers(0, 2, (n, 2))]),
        np.column_stack([grandmother, grandfather, siblings, partners, cousins]),
        np.array([(-1, -1), (-1, -1), (0, 1), (0, 1), (-1, -1), (-1, -1), (2, 4), (3, 5)]),
    )


def _cousins_with_child(n: int, rng: np.random.Generator) -> Families:
    """Draw families of three generations whose cousins, a woman and a man, have a child."""
    born = rng.integers(1996, YOUNGEST + 1, (n, 1))
    cousins = np.column_stack([draw_parent_births(born, rng) for _ in range(2)])
    siblings = np.column_stack([draw_parent_births(cousins[:, [k]], rng) for k in (0, 1)])
    partners = np.column_stack([draw_parent_births(cousins[:, [k]], rng) for k in (0, 1)])
    grandparents = np.column_stack([draw_parent_births(siblings, rng) for _ in range(2)])
    sex = rng.integers(0, 2, (n, 2))
    couple = np.tile([FEMALE, MALE], (n, 1))
    return Families(
        np.hstack([couple, sex, 1 - sex, couple, rng.integers(0, 2, (n, 1))]),
        np.hstack([grandparents, siblings, partners, cousins, born]),
        np.array([(-1, -1), (-1, -1), (0, 1), (0, 1), (-1, -1), (-1, -1), (2, 4), (3, 5), (6, 7)]),
    )


def draw_unrelated(n: int, rng: np.random.Generator, sex: int | None = None) -> Families:
    """Draw people without relatives in the cohort. Birth years follow the age pyramid.

    Args:
        n: Number of people.
        rng: Source of random numbers.
        sex: Sex of all of them, 0 female, 1 male. None draws each person's sex.

    Returns:
        ``n`` families of one member each.
    """
    years = np.arange(OLDEST, YOUNGEST + 1)
    weights = np.interp(years, PYRAMID_YEARS, PYRAMID_WEIGHTS)
    born = rng.choice(years, (n, 1), p=weights / weights.sum())
    sexes = rng.integers(0, 2, (n, 1))
    return Families(sexes if sex is None else np.full((n, 1), sex), born, np.array([(-1, -1)]))


def _parent_age(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    age = np.rint(rng.normal(PARENT_AGE_MEAN, PARENT_AGE_SD, shape)).astype(int)
    return age.clip(*PARENT_AGE)


def draw_parent_births(born: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Draw the birth year of a parent who has all the given children.

    Args:
        born: Birth years of the children, shape (n, children).
        rng: Source of random numbers.

    Returns:
        Birth years, shape (n,).
    """
    first, last = born.min(axis=1), born.max(axis=1)
    earliest = np.maximum(OLDEST, last - PARENT_AGE[1])
    return (first - _parent_age(first.shape, rng)).clip(earliest, first - PARENT_AGE[0])
