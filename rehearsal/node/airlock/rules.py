"""The rules of disclosure: whether numbers about people may leave a node.

A number that breaks a rule is held. A person at the node then releases or refuses it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from rehearsal.node.airlock.arrays import Array, Package

SMALL_COUNT, DOMINANCE = "small_count", "dominance"
PERSON_ROWS, FEW_PEOPLE, WRONG_COUNT = "person_rows", "few_people", "wrong_count"
DIFFERENCE = "difference"  # decided by :mod:`rehearsal.node.airlock.released`
REASONS = {
    SMALL_COUNT: "a number about fewer people than the smallest count",
    DOMINANCE: "a number that one person makes up for the most part",
    PERSON_ROWS: "an array about as long as the number of people",
    FEW_PEOPLE: "fewer people than the smallest count",
    WRONG_COUNT: "a count that is no number of people of this view, or is missing",
    DIFFERENCE: "people who differ from those of an earlier release by too few",
}
LARGEST_SHARE = 0.5  # of a sum that one person may make up
MANY_ROWS = 20  # people; a smaller number is the length of many arrays by chance


def broken_rules(package: Package, people: int, smallest_count: int) -> list[str]:
    """Find the rules that an algorithm's numbers break.

    Args:
        package: The numbers.
        people: People in the view.
        smallest_count: The fewest people that a number may be about.

    Returns:
        Keys of :data:`REASONS`, in order, each once.
    """
    return list(dict.fromkeys(_broken(package, people, smallest_count)))


def _broken(package: Package, people: int, least: int) -> Iterator[str]:
    used = package.numbers["people"]
    if used > people:
        yield WRONG_COUNT
    if used < least:
        yield FEW_PEOPLE
    for name, array in package.leaving().items():
        kind = package.about[name].kind
        if kind != "sketch" and any(_is_near(array, one, least) for one in (people, used)):
            yield PERSON_ROWS
        if kind == "count":
            yield from _broken_by_counts(array, people, least)
        elif kind == "sum":
            yield from _broken_by_sums(name, array, package, people, least)


def _is_near(array: Array, people: int, least: int) -> bool:
    """Tell whether an array has a side nearly as long as a number of people."""
    return people >= MANY_ROWS and any(abs(length - people) < least for length in array.shape)


def _are_counts(array: Array, people: int) -> bool:
    whole = array.dtype != np.float64 or bool((array == np.rint(array)).all())
    return whole and not ((array < 0).any() or (array > people).any())


def _broken_by_counts(array: Array, people: int, least: int) -> Iterator[str]:
    if not _are_counts(array, people):
        yield WRONG_COUNT
    elif ((array > 0) & (array < least)).any():
        yield SMALL_COUNT


def _broken_by_sums(
    name: str, array: Array, package: Package, people: int, least: int
) -> Iterator[str]:
    about = package.about[name]
    if about.counts:
        yield from _broken_by_people_behind(array, package, people, least, about.counts)
    if about.largest is not None:
        share = package.arrays.get(about.largest)
        if share is None or share.shape != array.shape:
            yield WRONG_COUNT
        elif (np.abs(share) > LARGEST_SHARE * np.abs(array)).any():
            yield DOMINANCE


def _broken_by_people_behind(
    array: Array, package: Package, people: int, least: int, names: Iterable[str]
) -> Iterator[str]:
    """Compare sums with the people who are said to be behind them."""
    told = (array != 0).any(axis=tuple(range(1, array.ndim)))
    behind = np.zeros(told.shape, dtype=bool)
    for name in names:
        counts = package.arrays.get(name)
        if counts is None or counts.ndim != 1 or array.shape[:1] != counts.shape:
            yield WRONG_COUNT
            return
        if not _are_counts(counts, people):
            yield WRONG_COUNT
        if (told & (counts > 0) & (counts < least)).any():
            yield SMALL_COUNT
        behind |= counts > 0
    if (told & ~behind).any():
        yield WRONG_COUNT
