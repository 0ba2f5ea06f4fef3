"""Some of the configured traits, with all that they depend on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from rehearsal.model import InputError
from rehearsal.phenotypes.clinical_types import Outcome
from rehearsal.phenotypes.trait_types import Traits


def choose_traits(traits: Traits, names: Collection[str]) -> Traits:
    """Only the traits of these names, their causes, and the treatments of the diseases among them.

    Raises InputError for a name that is neither a measurement nor a disease.
    """
    known = [trait.name for trait in (*traits.measurable, *traits.diseases)]
    for name in names:
        if name not in known:
            expected = f"expected some of {' '.join(known)}, found {name!r}"
            raise InputError(traits.source, "traits", expected)
    wanted = _with_causes(traits, names)
    treatments = tuple(
        replace(one, indications=tuple(name for name in one.indications if name in wanted))
        for one in traits.treatments
        if wanted & set(one.indications)
    )
    kept = wanted | {one.name for one in treatments}
    rules = (
        replace(rule, fields=tuple(field for field in rule.fields if field in kept))
        for rule in traits.missing
    )
    return replace(
        traits,
        measurements=tuple(one for one in traits.measurements if one.name in wanted),
        derived=tuple(one for one in traits.derived if one.name in wanted),
        diseases=tuple(one for one in traits.diseases if one.name in wanted),
        exposures=tuple(one for one in traits.exposures if one.name in wanted),
        treatments=treatments,
        missing=tuple(rule for rule in rules if rule.fields),
        outcomes=tuple(_among(one, kept) for one in traits.outcomes if one.disease in wanted),
    )


def _among(outcome: Outcome, kept: Collection[str]) -> Outcome:
    """The outcome, its treatments those that are kept."""
    groups = (
        replace(group, treated={name: risk for name, risk in group.treated.items() if name in kept})
        for group in outcome.groups
    )
    return replace(outcome, groups=tuple(groups))


def _with_causes(traits: Traits, names: Collection[str]) -> set[str]:
    causes = {one.name: set(one.causes) for one in (*traits.measurements, *traits.diseases)}
    causes |= {one.name: set(one.powers) for one in traits.derived}
    for measurement in traits.measurements:
        causes[measurement.name] |= {measurement.only_with} - {None}
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
