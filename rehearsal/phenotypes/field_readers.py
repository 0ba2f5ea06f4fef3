"""Readers shared by the parts of ``config/traits.yaml``: names, codes, curves by sex and age."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from typing import TypeVar

from rehearsal.errors import Complaints, InputError, shown
from rehearsal.model import SEXES, Sex
from rehearsal.phenotypes.age_curves import Curve
from rehearsal.phenotypes.terms import Coded
from rehearsal.phenotypes.yaml_reader import Entry

OLDEST = 130  # years; a higher age is a mistake
NAME = re.compile(r"[a-z][a-z0-9_]*")
T = TypeVar("T")


def named(part: Entry | None, read: Callable[[str, Entry], T]) -> tuple[T, ...]:
    """Read each entry of a mapping from short names.

    Args:
        part: The mapping, or None if the file does not have it.
        read: Reads one entry, given its name.

    Returns:
        What was read, in the order of the file.

    Raises:
        InputError: A name is not short, or entries are wrong: the first error of each.
    """
    traits, complaints = [], Complaints()
    for name, entry in part.children().items() if part else ():
        with complaints.collected():
            if not isinstance(name, str) or not NAME.fullmatch(name):
                expected = "a name of small letters, digits and _ that starts with a letter"
                raise entry.error(expected, shown(name))
            traits.append(read(name, entry))
    complaints.raise_any()
    return tuple(traits)


def coded(entry: Entry) -> Coded:
    """Read a mapping of ``code`` and ``label``.

    Args:
        entry: The mapping.

    Returns:
        The term.
    """
    part = entry.fields(["code", "label"])
    return Coded(curie(part["code"]), part["label"].text())


def by_sex(entry: Entry, read: Callable[[Entry], T], *, need_both: bool = False) -> Mapping[Sex, T]:
    """Read one value for both sexes, or a mapping from sex.

    Args:
        entry: The value or mapping.
        read: Reads one value.
        need_both: Whether a mapping must give both sexes.

    Returns:
        Values by sex.
    """
    if isinstance(entry.value, dict) and set(entry.value) & set(SEXES):
        part = entry.fields(SEXES if need_both else (), SEXES)
        return {sex: read(part[sex]) for sex in SEXES if sex in part}
    return dict.fromkeys(SEXES, read(entry))


def curve(entry: Entry, lowest: float, highest: float) -> Curve:
    """Read one number for all ages, or a mapping from age in years.

    Args:
        entry: The number or mapping.
        lowest: Lowest number allowed.
        highest: Highest number allowed.

    Returns:
        The curve.

    Raises:
        InputError: The entry is neither a number nor a mapping, or a number is out of range.
    """
    if isinstance(entry.value, list) or entry.value in (None, {}):
        raise entry.error("a number, or a mapping from age in years to numbers")
    if not isinstance(entry.value, dict):
        return Curve((0.0,), (entry.number(lowest, highest),))
    points = {}
    for age, value in entry.children().items():
        try:
            years = Entry(entry.source, value.key, age).number(0, OLDEST)
        except InputError:
            expected = f"an age from 0 to {OLDEST} years as the key"
            raise value.error(expected, shown(age)) from None
        points[years] = value.number(lowest, highest)
    return Curve(tuple(sorted(points)), tuple(points[years] for years in sorted(points)))


def positive_curve(entry: Entry) -> Curve:
    """Read a curve that is above 0 at every age.

    Args:
        entry: The number or mapping.

    Returns:
        The curve.

    Raises:
        InputError: The entry is not a curve, or a number is not above 0.
    """
    found = curve(entry, 0, math.inf)
    if min(found.values) <= 0:
        raise entry.error("numbers above 0", f"{min(found.values):g}")
    return found


def risk_curve(entry: Entry) -> Curve:
    """Read a cumulative risk. It starts at 0 and rises, so that each risk belongs to one age.

    Args:
        entry: A mapping from age in years to risk.

    Returns:
        The curve.

    Raises:
        InputError: The entry is not a mapping, or its risks do not start at 0 and rise.
    """
    if not isinstance(entry.value, dict):
        raise entry.error("cumulative risks by age, such as {30: 0, 80: 0.12}")
    risk = curve(entry, 0, 1)
    steps = zip(risk.values, risk.values[1:], strict=False)
    if risk.values[0] != 0 or len(risk.values) < 2 or any(b <= a for a, b in steps):
        points = ", ".join(
            f"{age:g}: {value:g}" for age, value in zip(risk.ages, risk.values, strict=True)
        )
        expected = "risks that start at 0 and rise with age, such as {30: 0, 80: 0.12}"
        raise entry.error(expected, f"{{{points}}}")
    return risk


def bounds(entry: Entry) -> tuple[float, float]:
    """Read a number or ``[lowest, highest]``, none of them below 0.

    Args:
        entry: The number or list.

    Returns:
        The lowest and the highest number, both included.

    Raises:
        InputError: The entry is neither a number nor two numbers in order, or a number is below 0.
    """
    if not isinstance(entry.value, list):
        return (entry.number(0), entry.number(0))
    found = [item.number(0) for item in entry.items()]
    if len(found) != 2 or found[0] > found[1]:
        raise entry.error("a number or [lowest, highest]")
    return found[0], found[1]


def year(entry: Entry | None) -> int | None:
    """Read a calendar year.

    Args:
        entry: The year, or None if the file does not give it.

    Returns:
        The year, or None.
    """
    return None if entry is None else entry.whole_number(1800, 2100)


def curie(entry: Entry) -> str:
    """Read a code with its prefix.

    Args:
        entry: The code.

    Returns:
        The code, for example ``LOINC:22748-8``.
    """
    return entry.text(r"[A-Za-z][A-Za-z0-9.]*:\S+", "LOINC:22748-8")


def hpo(entry: Entry) -> str:
    """Read a code of the Human Phenotype Ontology.

    Args:
        entry: The code.

    Returns:
        The code, for example ``HP:0003124``.
    """
    return entry.text(r"HP:\d{7}", "HP:0003124")


def share_curve(entry: Entry) -> Curve:
    """Read a curve between 0 and 1.

    Args:
        entry: The number or mapping.

    Returns:
        The curve.
    """
    return curve(entry, 0, 1)
