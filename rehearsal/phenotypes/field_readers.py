"""Readers that the parts of ``config/traits.yaml`` share: names, codes, curves by sex and age."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from rehearsal.model import SEXES, Sex
from rehearsal.phenotypes.age_curves import Curve
from rehearsal.phenotypes.terms import Coded
from rehearsal.phenotypes.yaml_reader import Entry

OLDEST = 130  # years: an age beyond it is a slip
T = TypeVar("T")


def named(part: Entry | None, read: Callable[[str, Entry], T]) -> tuple[T, ...]:
    """Each entry of a mapping from short names, read."""
    traits = []
    for name, entry in part.children().items() if part else ():
        short = Entry(entry.source, entry.key, name)
        short.text(r"[a-z][a-z0-9_]*", "a_short_name of small letters, digits and _")
        traits.append(read(name, entry))
    return tuple(traits)


def coded(entry: Entry) -> Coded:
    """A mapping of ``code`` and ``label``."""
    part = entry.fields(["code", "label"])
    return Coded(curie(part["code"]), part["label"].text())


def by_sex(entry: Entry, read: Callable[[Entry], T], *, need_both: bool = False) -> Mapping[Sex, T]:
    """One value for both sexes, or a mapping from sex; a sex may be left out if allowed."""
    if isinstance(entry.value, dict) and set(entry.value) & set(SEXES):
        part = entry.fields(SEXES if need_both else (), SEXES)
        return {sex: read(part[sex]) for sex in SEXES if sex in part}
    return dict.fromkeys(SEXES, read(entry))


def curve(entry: Entry, lowest: float, highest: float) -> Curve:
    """One number for all ages, or a mapping from age in years."""
    if not isinstance(entry.value, dict):
        return Curve((0.0,), (entry.number(lowest, highest),))
    if not entry.value:
        raise entry.error("a mapping from age in years, or a number")
    points = {}
    for age, value in entry.children().items():
        years = Entry(entry.source, value.key, age).number(0, OLDEST)
        points[years] = value.number(lowest, highest)
    return Curve(tuple(sorted(points)), tuple(points[years] for years in sorted(points)))


def positive_curve(entry: Entry) -> Curve:
    """A curve above 0 at every age."""
    found = curve(entry, 0, 1e9)
    if min(found.values) <= 0:
        raise entry.error("numbers above 0")
    return found


def risk_curve(entry: Entry) -> Curve:
    """A cumulative risk: it starts at 0 and rises, so that every risk has its age."""
    if not isinstance(entry.value, dict):
        raise entry.error("cumulative risks by age, e.g. {30: 0, 80: 0.12}")
    risk = curve(entry, 0, 1)
    steps = zip(risk.values, risk.values[1:], strict=False)
    if risk.values[0] != 0 or len(risk.values) < 2 or any(b <= a for a, b in steps):
        raise entry.error("risks that start at 0 and rise with age, e.g. {30: 0, 80: 0.12}")
    return risk


def bounds(entry: Entry) -> tuple[float, float]:
    """A number, or [lowest, highest]; none below 0."""
    if not isinstance(entry.value, list):
        return (entry.number(0), entry.number(0))
    found = [item.number(0) for item in entry.items()]
    if len(found) != 2 or found[0] > found[1]:
        raise entry.error("a number, or [lowest, highest]")
    return found[0], found[1]


def curie(entry: Entry) -> str:
    """A code with its prefix."""
    return entry.text(r"[A-Za-z][A-Za-z0-9.]*:\S+", "LOINC:13457-7")


def hpo(entry: Entry) -> str:
    """A code of the Human Phenotype Ontology."""
    return entry.text(r"HP:\d{7}", "HP:0003124")


def share_curve(entry: Entry) -> Curve:
    """A curve between 0 and 1."""
    return curve(entry, 0, 1)
