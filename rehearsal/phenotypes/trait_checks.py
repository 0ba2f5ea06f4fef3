"""Checks of traits that are read: names, what refers to what, what is explained of the variance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rehearsal.errors import InputError
from rehearsal.phenotypes.clinical_types import Outcome
from rehearsal.phenotypes.path_coefficients import explained_by_causes
from rehearsal.phenotypes.trait_types import Measurement, Traits


def check_traits(traits: Traits) -> None:
    """Raises InputError naming the key and what was expected."""
    _check_names(traits)
    _check_causes(traits)
    _check_diseases(traits)
    _check_outcomes(traits)
    _check_missing(traits)
    _check_explained(traits)


def _check_names(traits: Traits) -> None:
    everything = (*traits.measurements, *traits.derived, *traits.exposures, *traits.diseases)
    for what in ("name", "code"):
        for value, times in Counter(getattr(trait, what) for trait in everything).items():
            if times > 1:
                raise InputError(traits.source, value, f"expected one trait of this {what}")


def _check_causes(traits: Traits) -> None:
    """Derived measurements, and the causes of measurements and of diseases."""
    measured = [trait.name for trait in traits.measurements]
    exposures = [trait.name for trait in traits.exposures]
    for derived in traits.derived:
        key = f"derived_measurements.{derived.name}.powers"
        _check_known(traits, key, derived.powers, measured)
    for number, trait in enumerate(traits.measurements):
        # those that stand before it, so that none is its own cause
        causes = [*measured[:number], *exposures]
        _check_known(traits, f"measurements.{trait.name}.causes", trait.causes, causes)
    for disease in traits.diseases:
        causes = [*measured, *exposures]
        _check_known(traits, f"diseases.{disease.name}.causes", disease.causes, causes)


def _check_diseases(traits: Traits) -> None:
    """The diseases that treatments are for, and those that measurements are made with."""
    diseases = [disease.name for disease in traits.diseases]
    for treatment in traits.treatments:
        key = f"treatments.{treatment.name}.for"
        _check_known(traits, key, treatment.indications, diseases)
    for trait in traits.measurements:
        key = f"measurements.{trait.name}.only_with"
        _check_known(traits, key, [trait.only_with] if trait.only_with else [], diseases)


def _check_outcomes(traits: Traits) -> None:
    """An outcome is a disease without a risk of its own; its groups name what the traits have."""
    diseases = [disease.name for disease in traits.diseases]
    own_risk = {one.name for one in traits.diseases if one.cumulative_risk or one.genes}
    outcomes = {outcome.disease for outcome in traits.outcomes}
    free = [name for name in diseases if name not in own_risk]
    for outcome in traits.outcomes:
        key = f"outcomes.{outcome.disease}"
        _check_known(traits, key, [outcome.disease], free)
        _check_known(traits, f"{key}.after", [outcome.after], set(diseases) - outcomes)
        _check_groups(traits, key, outcome)


def _check_groups(traits: Traits, key: str, outcome: Outcome) -> None:
    treatments = [treatment.name for treatment in traits.treatments]
    measured = [trait.name for trait in traits.measurable]
    for number, group in enumerate(outcome.groups):
        place = f"{key}.groups[{number}]"
        _check_known(traits, f"{place}.measurements", group.measurements, measured)
        _check_known(traits, f"{place}.treated", group.treated, treatments)


def _check_missing(traits: Traits) -> None:
    """Rules of what is missing name measurements of everybody, exposures and treatments."""
    fields = [trait.name for trait in traits.measurements if trait.only_with is None]
    fields += [trait.name for trait in traits.derived]
    fields += [trait.name for trait in traits.exposures]
    fields += [treatment.name for treatment in traits.treatments]
    for number, rule in enumerate(traits.missing):
        _check_known(traits, f"missing[{number}].fields", rule.fields, fields)


def _check_known(traits: Traits, key: str, used: Iterable[str], known: Iterable[str]) -> None:
    names = sorted(known)
    for name in used:
        if name not in names:
            raise InputError(
                traits.source, f"{key}.{name}", f"expected one of {' '.join(names) or '(none)'}"
            )


def _check_explained(traits: Traits) -> None:
    """Heritability and causes cannot explain more than all of the variance."""
    explained = explained_by_causes(traits)
    for trait in traits.scored:
        total = explained[trait.name] + (trait.genetics.heritability if trait.genetics else 0)
        if total > 1 + 1e-9:
            part = "measurements" if isinstance(trait, Measurement) else "diseases"
            raise InputError(
                traits.source,
                f"{part}.{trait.name}",
                f"expected heritability + what its causes explain to be at most 1, found {total:g}",
            )
