"""Reads and checks ``config/traits.yaml``; what it says is in ``trait_types``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeVar, get_args

from rehearsal.model import SEXES, InputError, Sex
from rehearsal.phenotypes.entries import Entry, read_entries
from rehearsal.phenotypes.trait_types import (
    Curve,
    DerivedMeasurement,
    Disease,
    Distribution,
    Feature,
    GeneRisk,
    Genetics,
    Measurement,
    ThresholdFeature,
    Traits,
)

OLDEST = 130  # years: an age beyond it is a slip
COMMON = ("code", "label")
T = TypeVar("T")


def read_traits(path: Path | str) -> Traits:
    """The traits of a YAML file; the comments of ``config/traits.yaml`` explain every key.

    Raises InputError naming the file, the key and what was expected.
    """
    top = read_entries(path)
    parts = top.fields(["measurements", "diseases"], ["derived_measurements"])
    traits = Traits(
        source=str(path),
        measurements=_named(parts["measurements"], _measurement),
        derived=_named(parts.get("derived_measurements"), _derived),
        diseases=_named(parts["diseases"], _disease),
    )
    _check_names(traits)
    _check_references(traits)
    return traits


def _named(part: Entry | None, read: Callable[[str, Entry], T]) -> tuple[T, ...]:
    """Each entry of a mapping from short names, read."""
    traits = []
    for name, entry in part.children().items() if part else ():
        named = Entry(entry.source, entry.key, name)
        named.text(r"[a-z][a-z0-9_]*", "a_short_name of small letters, digits and _")
        traits.append(read(name, entry))
    return tuple(traits)


def _measurement(name: str, entry: Entry) -> Measurement:
    part = entry.fields(
        [*COMMON, "unit", "decimals", "distribution", "mean", "sd"], ["genetics", "features"]
    )
    return Measurement(
        name=name,
        code=_curie(part["code"]),
        label=part["label"].text(),
        unit=part["unit"].text(),
        decimals=part["decimals"].whole_number(0, 6),
        distribution=part["distribution"].choice(*get_args(Distribution)),
        mean=_by_sex(part["mean"], _positive_curve, need_both=True),
        sd=_by_sex(part["sd"], _positive_curve, need_both=True),
        genetics=_genetics(part.get("genetics")),
        features=_threshold_features(part.get("features")),
    )


def _derived(name: str, entry: Entry) -> DerivedMeasurement:
    part = entry.fields([*COMMON, "unit", "decimals", "factor", "powers"], ["features"])
    return DerivedMeasurement(
        name=name,
        code=_curie(part["code"]),
        label=part["label"].text(),
        unit=part["unit"].text(),
        decimals=part["decimals"].whole_number(0, 6),
        factor=part["factor"].number(),
        powers={of: power.number() for of, power in part["powers"].children().items()},
        features=_threshold_features(part.get("features")),
    )


def _disease(name: str, entry: Entry) -> Disease:
    part = entry.fields(
        [*COMMON, "mondo"], ["cumulative_risk", "genetics", "causes", "genes", "features"]
    )
    risk, causes, genes = (part.get(key) for key in ("cumulative_risk", "causes", "genes"))
    return Disease(
        name=name,
        code=_curie(part["code"]),
        label=part["label"].text(),
        mondo=part["mondo"].text(r"MONDO:\d{7}", "MONDO:0007254"),
        cumulative_risk=_by_sex(risk, _risk_curve) if risk else {},
        genetics=_genetics(part.get("genetics")),
        causes={of: weight.number(-1, 1) for of, weight in causes.children().items()}
        if causes
        else {},
        genes=tuple(_gene(gene, risk) for gene, risk in genes.children().items()) if genes else (),
        features=tuple(_feature(item) for item in part["features"].items())
        if "features" in part
        else (),
    )


def _gene(gene: str, entry: Entry) -> GeneRisk:
    part = entry.fields(["cumulative_risk"], ["copies"])
    if "copies" in part:
        copies = _by_sex(part["copies"], lambda number: number.whole_number(1, 2), need_both=True)
    else:
        copies = dict.fromkeys(SEXES, 1)
    return GeneRisk(str(gene), copies, _by_sex(part["cumulative_risk"], _risk_curve))


def _genetics(entry: Entry | None) -> Genetics | None:
    if entry is None:
        return None
    part = entry.fields(
        ["heritability", "causal_sites"], ["minimum_frequency", "frequency_dependence"]
    )
    frequency, dependence = (part.get(key) for key in ("minimum_frequency", "frequency_dependence"))
    return Genetics(
        heritability=part["heritability"].number(0, 1),
        causal_sites=part["causal_sites"].whole_number(1),
        minimum_frequency=frequency.number(0, 0.5) if frequency else 0.01,
        frequency_dependence=dependence.number(-2, 2) if dependence else 0.0,
    )


def _feature(entry: Entry) -> Feature:
    part = entry.fields(COMMON)
    return Feature(_hpo(part["code"]), part["label"].text())


def _threshold_features(entry: Entry | None) -> tuple[ThresholdFeature, ...]:
    features = []
    for item in entry.items() if entry else ():
        part = item.fields([*COMMON, "at_least"])
        features.append(
            ThresholdFeature(_hpo(part["code"]), part["label"].text(), part["at_least"].number())
        )
    return tuple(features)


def _by_sex(
    entry: Entry, read: Callable[[Entry], T], *, need_both: bool = False
) -> Mapping[Sex, T]:
    """One value for both sexes, or a mapping from sex; a sex may be left out if allowed."""
    if isinstance(entry.value, dict) and set(entry.value) & set(SEXES):
        part = entry.fields(SEXES if need_both else (), SEXES)
        return {sex: read(part[sex]) for sex in SEXES if sex in part}
    return dict.fromkeys(SEXES, read(entry))


def _curve(entry: Entry, lowest: float, highest: float) -> Curve:
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


def _positive_curve(entry: Entry) -> Curve:
    curve = _curve(entry, 0, 1e9)
    if min(curve.values) <= 0:
        raise entry.error("numbers above 0")
    return curve


def _risk_curve(entry: Entry) -> Curve:
    """A cumulative risk: it starts at 0 and rises, so that every risk has its age."""
    if not isinstance(entry.value, dict):
        raise entry.error("cumulative risks by age, e.g. {30: 0, 80: 0.12}")
    curve = _curve(entry, 0, 1)
    steps = zip(curve.values, curve.values[1:], strict=False)
    if curve.values[0] != 0 or len(curve.values) < 2 or any(b <= a for a, b in steps):
        raise entry.error("risks that start at 0 and rise with age, e.g. {30: 0, 80: 0.12}")
    return curve


def _curie(entry: Entry) -> str:
    return entry.text(r"[A-Za-z][A-Za-z0-9.]*:\S+", "LOINC:13457-7")


def _hpo(entry: Entry) -> str:
    return entry.text(r"HP:\d{7}", "HP:0003124")


def _check_names(traits: Traits) -> None:
    everything = (*traits.measurements, *traits.derived, *traits.diseases)
    for what in ("name", "code"):
        for value, times in Counter(getattr(trait, what) for trait in everything).items():
            if times > 1:
                raise InputError(traits.source, value, f"expected one trait of this {what}")


def _check_references(traits: Traits) -> None:
    known = {measurement.name for measurement in traits.measurements}
    uses = [
        (f"{part}.{trait.name}.{key}", of)
        for part, key, some in (
            ("derived_measurements", "powers", traits.derived),
            ("diseases", "causes", traits.diseases),
        )
        for trait in some
        for of in getattr(trait, key)
    ]
    for key, of in uses:
        if of not in known:
            names = " ".join(sorted(known))
            raise InputError(traits.source, f"{key}.{of}", f"expected one of {names}")
    for disease in traits.diseases:
        explained = sum(weight**2 for weight in disease.causes.values())
        explained += disease.genetics.heritability if disease.genetics else 0
        if explained > 1:
            raise InputError(
                traits.source,
                f"diseases.{disease.name}",
                "expected heritability + sum of causes squared to be at most 1, "
                f"found {explained:g}",
            )
