"""Select some of the configured traits, with everything that they depend on."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import replace
from typing import TypeVar

from rehearsal.errors import InputError, shown
from rehearsal.phenotypes.clinical_types import Drug, Exposure, MissingRule, Outcome, Treatment
from rehearsal.phenotypes.trait_types import DerivedMeasurement, Disease, Measurement, Traits

HasName = TypeVar("HasName", Measurement, DerivedMeasurement, Disease, Exposure)


def select_traits(traits: Traits, names: Collection[str]) -> Traits:
    """Select traits by name, with their causes and the treatments of the diseases among them.

    Args:
        traits: All traits.
        names: Names of measurements and diseases.

    Returns:
        The selected traits.

    Raises:
        InputError: A name is neither a measurement nor a disease.
    """
    _check_names(traits, names)
    wanted = _with_causes(traits, names)
    treatments = tuple(_kept_treatments(traits, wanted))
    kept = wanted | {one.name for one in treatments}
    return replace(
        traits,
        measurements=_named(traits.measurements, wanted),
        derived=_named(traits.derived, wanted),
        diseases=_named(traits.diseases, wanted),
        exposures=_named(traits.exposures, wanted),
        treatments=treatments,
        missing=tuple(_kept_rules(traits, kept)),
        outcomes=tuple(_among(one, kept) for one in traits.outcomes if one.disease in wanted),
    )


def _check_names(traits: Traits, names: Collection[str]) -> None:
    known = [trait.name for trait in (*traits.measurable, *traits.diseases)]
    for name in names:
        if name not in known:
            raise InputError(traits.source, "traits", f"some of {', '.join(known)}", shown(name))


def _kept_rules(traits: Traits, kept: Collection[str]) -> Iterator[MissingRule]:
    """Yield the rules of missing data, limited to the fields that are kept."""
    for rule in traits.missing:
        fields = tuple(field for field in rule.fields if field in kept)
        if fields:
            yield replace(rule, fields=fields)


def _named(items: Iterable[HasName], names: Collection[str]) -> tuple[HasName, ...]:
    return tuple(one for one in items if one.name in names)


def _kept_treatments(traits: Traits, wanted: Collection[str]) -> Iterator[Treatment]:
    """Yield the treatments of kept diseases, without their other indications."""
    for one in traits.treatments:
        indications = tuple(name for name in one.indications if name in wanted)
        if indications:
            drugs = tuple(_drug_among(drug, wanted) for drug in one.drugs)
            yield replace(one, indications=indications, drugs=drugs)


def _drug_among(drug: Drug, wanted: Collection[str]) -> Drug:
    """Limit a drug's effects to the measurements that are kept."""
    effects = {name: effect for name, effect in drug.effects.items() if name in wanted}
    return replace(drug, effects=effects)


def _among(outcome: Outcome, kept: Collection[str]) -> Outcome:
    """Limit an outcome to the treatments that are kept."""
    groups = (
        replace(group, treated={name: risk for name, risk in group.treated.items() if name in kept})
        for group in outcome.groups
    )
    return replace(outcome, groups=tuple(groups))


def _with_causes(traits: Traits, names: Collection[str]) -> set[str]:
    causes = {one.name: set(one.causes) for one in traits.scored}
    causes |= {one.name: set(one.powers) for one in traits.derived}
    for measurement in traits.measurements:
        if measurement.only_with is not None:
            causes[measurement.name].add(measurement.only_with)
    for outcome in traits.outcomes:
        measured = (name for group in outcome.groups for name in group.measurements)
        causes[outcome.disease] |= {outcome.after, *measured}
    wanted, waiting = set[str](), list(names)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting += causes.get(name, ())
    return wanted
