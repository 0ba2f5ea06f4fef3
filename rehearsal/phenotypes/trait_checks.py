"""Checks of traits as a whole: names, references between them, and explained variance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rehearsal.errors import InputError, shown
from rehearsal.phenotypes.clinical_types import Outcome
from rehearsal.phenotypes.path_coefficients import explained_by_causes
from rehearsal.phenotypes.trait_types import Measurement, Traits


def check_traits(traits: Traits) -> None:
    """Check that names are unique, references lead somewhere and no variance is above 1.

    Args:
        traits: The traits of a file.

    Raises:
        InputError: Names the key, what was expected and what was found.
    """
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
                expected = f"one trait with this {what}"
                raise InputError(traits.source, f"{what} {value}", expected, shown(times))


def _check_causes(traits: Traits) -> None:
    """Check the powers of derived measurements, and the causes of measurements and diseases."""
    measured = [trait.name for trait in traits.measurements]
    exposures = [trait.name for trait in traits.exposures]
    for derived in traits.derived:
        key = f"derived_measurements.{derived.name}.powers"
        _check_known(traits, key, derived.powers, measured, "a measurement")
    for number, trait in enumerate(traits.measurements):
        # earlier ones only, so that no trait is its own cause
        causes = [*measured[:number], *exposures]
        key, what = f"measurements.{trait.name}.causes", "an exposure or an earlier measurement"
        _check_known(traits, key, trait.causes, causes, what)
    for disease in traits.diseases:
        causes = [*measured, *exposures]
        key, what = f"diseases.{disease.name}.causes", "a measurement or an exposure"
        _check_known(traits, key, disease.causes, causes, what)


def _check_diseases(traits: Traits) -> None:
    """Check the diseases that treatments are for, and those that measurements are made with."""
    diseases = [disease.name for disease in traits.diseases]
    everybody = [one.name for one in traits.measurements if one.only_with is None]
    for treatment in traits.treatments:
        key = f"treatments.{treatment.name}.for"
        _check_known(traits, key, treatment.indications, diseases, "a disease")
        for number, drug in enumerate(treatment.drugs):
            key = f"treatments.{treatment.name}.drugs[{number}].eligible.for"
            named, what = drug.eligible.indications or (), "a disease that the treatment is for"
            _check_known(traits, key, named, treatment.indications, what)
            key, what = key.replace("eligible.for", "effects"), "a measurement of everybody"
            _check_known(traits, key, drug.effects, everybody, what)
    for trait in traits.measurements:
        key = f"measurements.{trait.name}.only_with"
        only_with = [trait.only_with] if trait.only_with else []
        _check_known(traits, key, only_with, diseases, "a disease")


def _check_outcomes(traits: Traits) -> None:
    """Check that an outcome is a disease without a risk of its own, and the names in its groups."""
    diseases = [disease.name for disease in traits.diseases]
    own_risk = {one.name for one in traits.diseases if one.cumulative_risk or one.genes}
    outcomes = {outcome.disease for outcome in traits.outcomes}
    free = [name for name in diseases if name not in own_risk]
    for outcome in traits.outcomes:
        key = f"outcomes.{outcome.disease}"
        what = "a disease without a risk of its own"
        _check_known(traits, "outcomes", [outcome.disease], free, what)
        what, before = "a disease that is not an outcome", set(diseases) - outcomes
        _check_known(traits, f"{key}.after", [outcome.after], before, what)
        _check_groups(traits, key, outcome)


def _check_groups(traits: Traits, key: str, outcome: Outcome) -> None:
    treatments = [treatment.name for treatment in traits.treatments]
    measured = [trait.name for trait in traits.measurable]
    for number, group in enumerate(outcome.groups):
        place = f"{key}.groups[{number}]"
        values = f"{place}.measurements"
        _check_known(traits, values, group.measurements, measured, "a measurement")
        _check_known(traits, f"{place}.treated", group.treated, treatments, "a treatment")


def _check_missing(traits: Traits) -> None:
    """Check that rules of missing data name measurements of everybody, exposures and treatments."""
    fields = [trait.name for trait in traits.measurements if trait.only_with is None]
    fields += [trait.name for trait in traits.derived]
    fields += [trait.name for trait in traits.exposures]
    fields += [treatment.name for treatment in traits.treatments]
    for number, rule in enumerate(traits.missing):
        what = "a measurement of everybody, an exposure or a treatment"
        _check_known(traits, f"missing[{number}].fields", rule.fields, fields, what)


def _check_known(
    traits: Traits, key: str, used: Iterable[str], known: Iterable[str], what: str
) -> None:
    names = sorted(known)
    for name in used:
        if name not in names:
            choices = ", ".join(names) or "the file has none"
            raise InputError(traits.source, key, f"the name of {what} ({choices})", shown(name))


def _check_explained(traits: Traits) -> None:
    """Check that heritability and causes explain at most all of the variance."""
    explained = explained_by_causes(traits)
    for trait in traits.scored:
        total = explained[trait.name] + (trait.genetics.heritability if trait.genetics else 0)
        if total > 1 + 1e-9:
            part = "measurements" if isinstance(trait, Measurement) else "diseases"
            expected = "at most 1 as the sum of heritability and the variance that causes explain"
            raise InputError(traits.source, f"{part}.{trait.name}", expected, f"{total:g}")
