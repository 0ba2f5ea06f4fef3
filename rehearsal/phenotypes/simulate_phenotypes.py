"""Simulate the phenotypes of a cohort, as the tables of nodes and truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from rehearsal.errors import mismatch, shown
from rehearsal.model import Patient
from rehearsal.phenotypes import trait_model
from rehearsal.phenotypes.exposures import exposures_table
from rehearsal.phenotypes.genetic_truth import effects_in_units, genetic_values_table
from rehearsal.phenotypes.genetic_values import GeneticValues, target_values
from rehearsal.phenotypes.missing import missing_table
from rehearsal.phenotypes.null_flavours import FieldFlavours, draw_missing, rows_on_record
from rehearsal.phenotypes.outcomes import ages_of_outcome
from rehearsal.phenotypes.path_coefficients import explained_by_causes
from rehearsal.phenotypes.patient_overrides import PatientOverrides
from rehearsal.phenotypes.polygenic_background import draw_backgrounds
from rehearsal.phenotypes.standard_values import standardise
from rehearsal.phenotypes.subjects import Subjects, standard_noise, subjects
from rehearsal.phenotypes.tables import join_parts
from rehearsal.phenotypes.terms import Coded
from rehearsal.phenotypes.trait_types import Disease, Feature, ThresholdFeature, Traits
from rehearsal.phenotypes.treatment_effects import treated_values, untreated_table
from rehearsal.phenotypes.treatments import Course, draw_course, treatments_table

TERM = {"code": "str", "label": "str"}


@dataclass(frozen=True)
class Phenotypes:
    """Tables with the columns of docs/reference/files.md, with rows in the order of the people."""

    diseases: pd.DataFrame  # individual, code, label, mondo, mondo_label, age_of_onset
    measurements: pd.DataFrame  # individual, code, label, value, unit, age
    features: pd.DataFrame  # individual, code, label, age_of_onset
    exposures: pd.DataFrame  # individual, code, label, value, value_label, age
    treatments: pd.DataFrame  # individual, code, label, ... (treatments.COLUMNS)
    missing: pd.DataFrame  # individual, table, code, label, null_flavour
    excluded_features: pd.DataFrame  # individual, code, label
    candidate_genes: pd.DataFrame  # individual, gene
    tumour_variants: pd.DataFrame  # individual, contig, start, ref, alt
    effects: pd.DataFrame  # truth: trait, contig, start, ref, alt, effect, frequency, and in units
    genetic_values: pd.DataFrame  # truth: individual, trait, genetic_value, background, liability
    untreated_values: pd.DataFrame  # truth: individual, code, label, untreated, measured, unit

    def tables(self) -> dict[str, pd.DataFrame]:
        """Return all tables by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


@dataclass(frozen=True)
class _Simulated:
    """What was drawn for everybody. Arrays have shape (n_people,), by the name of a trait."""

    scores: Mapping[str, np.ndarray]  # standard deviations
    untreated: Mapping[str, np.ndarray]  # values without treatment, in the measurement's unit
    values: Mapping[str, np.ndarray]  # as measured, in the same unit
    onsets: Mapping[str, np.ndarray]  # ages in years, inf for never
    courses: Sequence[Course]
    flavours: Mapping[str, FieldFlavours]
    known: Mapping[str, np.ndarray]  # rows of people whose measurement or exposure is on record
    measured_at: Mapping[str, np.ndarray]  # ages in years


def simulate_phenotypes(
    people: pd.DataFrame,
    genetic_values: GeneticValues,
    damaged: pd.DataFrame,
    traits: Traits,
    seed: int,
    reference_year: int = 2026,
    patients: Sequence[Patient] = (),
    individuals: pd.DataFrame | None = None,
) -> Phenotypes:
    """Simulate what is on record about everybody, with the truth behind it.

    Args:
        people: One row per person: id, country, sex, birth_year; and father, mother, inbreeding for
            traits with a background.
        genetic_values: Sums over all blocks, one row per person. They are standardised here, over
            all countries.
        damaged: Damaged copies of genes (``count_damaged_copies``): gene, individual, copies.
        traits: The traits.
        seed: The run's root seed.
        reference_year: The year in which ages are given, in whole years.
        patients: Patients of stories. Their records follow the stories.
        individuals: Their ids, ``cohort/patients.parquet``.

    Returns:
        The tables.

    Raises:
        InputError: The people of a table do not fit, or a trait has no causal site.
        ValueError: The number of genetic values is not the number of people.
    """
    cohort = subjects(people, reference_year)
    overrides = PatientOverrides({}, seed)
    if patients and individuals is not None:
        overrides = PatientOverrides.of(patients, individuals, cohort, seed)
    if len(genetic_values.values) != len(cohort):
        where, found = "genetic values", shown(len(genetic_values.values))
        raise ValueError(mismatch(where, f"{len(cohort)}, one per person", found))
    required = {}
    if individuals is not None:
        required = target_values(patients, individuals, people)
    backgrounds = draw_backgrounds(traits, people, cohort, required, genetic_values, seed)
    genetic = standardise(genetic_values, traits, backgrounds)
    own = genetic.values
    copies = trait_model.damaged_copies(damaged, cohort)
    simulated = _simulate(traits, own, copies, overrides, cohort, seed)
    features = _features(traits, simulated, cohort)
    return Phenotypes(
        diseases=_diseases(traits.diseases, simulated.onsets, cohort),
        measurements=_measurements(traits, simulated, cohort),
        features=overrides.replace_features(features, cohort),
        exposures=exposures_table(traits.exposures, simulated.scores, simulated.known, cohort),
        treatments=treatments_table(traits, simulated.courses, simulated.flavours, cohort, seed),
        missing=missing_table(traits, simulated.courses, simulated.flavours, cohort),
        excluded_features=overrides.excluded_features(cohort),
        candidate_genes=overrides.candidate_genes(cohort),
        tumour_variants=overrides.tumour_variants(cohort),
        effects=effects_in_units(genetic.effects, traits, cohort),
        genetic_values=genetic_values_table(traits, genetic, simulated.scores, cohort),
        untreated_values=untreated_table(
            traits, simulated.untreated, simulated.values, simulated.known, cohort
        ),
    )


def _simulate(
    traits: Traits,
    own: Mapping[str, np.ndarray],
    copies: Mapping[str, np.ndarray],
    overrides: PatientOverrides,
    cohort: Subjects,
    seed: int,
) -> _Simulated:
    """Draw all traits, given genetic values by trait and damaged copies by gene."""
    scores = _scores(traits, own, cohort, seed)
    untreated = {
        trait.name: trait_model.measured(trait, scores[trait.name], cohort)
        for trait in traits.measurements
    }
    overrides.set_values(untreated, traits)
    onsets = {
        disease.name: trait_model.ages_of_onset(disease, scores[disease.name], copies, cohort)
        for disease in traits.diseases
    }
    overrides.set_onsets(onsets, traits.diseases, cohort)
    flavours = overrides.put_on_record(draw_missing(traits.missing, cohort, seed))
    courses = [
        draw_course(treatment, onsets, copies, cohort, seed, overrides.treated_rows(treatment.name))
        for treatment in traits.treatments
    ]
    values = treated_values(traits, untreated, courses, overrides.measured_rows())
    values |= {trait.name: trait_model.derived(trait, values) for trait in traits.derived}
    overrides.set_values(values, traits)
    for outcome in traits.outcomes:
        ages = ages_of_outcome(outcome, onsets, values, courses, cohort, seed)
        of_story = onsets[outcome.disease]  # finite where a story sets it
        onsets[outcome.disease] = np.where(np.isfinite(of_story), of_story, ages)
    known = {name: rows_on_record(flavours, name, cohort) for name in (*values, *scores)}
    measured_at = _ages_measured(traits, onsets, known, cohort)
    return _Simulated(scores, untreated, values, onsets, courses, flavours, known, measured_at)


def _scores(
    traits: Traits, own: Mapping[str, np.ndarray], cohort: Subjects, seed: int
) -> dict[str, np.ndarray]:
    """Draw scores of exposures, measurements and diseases, each after what it depends on."""
    explained = explained_by_causes(traits)
    scores = {trait.name: standard_noise(cohort, seed, trait.name) for trait in traits.exposures}
    for trait in traits.scored:
        scores[trait.name] = trait_model.standard_score(
            trait, own.get(trait.name), scores, explained[trait.name], cohort, seed
        )
    return scores


def _diseases(
    diseases: Sequence[Disease], onsets: Mapping[str, np.ndarray], cohort: Subjects
) -> pd.DataFrame:
    found = [(disease, onsets[disease.name] <= cohort.age) for disease in diseases]
    return join_parts(
        [
            (
                np.flatnonzero(ill),
                {
                    "code": disease.code,
                    "label": disease.label,
                    "mondo": disease.mondo,
                    "mondo_label": disease.mondo_label,
                    "age_of_onset": np.floor(onsets[disease.name][ill]),
                },
            )
            for disease, ill in found
        ],
        {**TERM, "mondo": "str", "mondo_label": "str", "age_of_onset": "int16"},
        cohort,
    )


def _ages_measured(
    traits: Traits,
    onsets: Mapping[str, np.ndarray],
    known: dict[str, np.ndarray],
    cohort: Subjects,
) -> dict[str, np.ndarray]:
    """Compute the age (years) at which everybody was measured.

    This is the present age. Where only people with a disease are measured, it is the age at onset,
    and all others are removed from ``known``.
    """
    ages = dict.fromkeys((trait.name for trait in traits.measurable), cohort.age)
    for trait in traits.measurements:
        if trait.only_with is not None:
            onset = onsets[trait.only_with]
            known[trait.name] = np.intersect1d(
                known[trait.name], np.flatnonzero(onset <= cohort.age)
            )
            ages[trait.name] = np.where(np.isfinite(onset), onset, 0)
    return ages


def _measurements(traits: Traits, simulated: _Simulated, cohort: Subjects) -> pd.DataFrame:
    values, known, measured_at = simulated.values, simulated.known, simulated.measured_at
    return join_parts(
        [
            (
                known[trait.name],
                {
                    "code": trait.code,
                    "label": trait.label,
                    "value": values[trait.name][known[trait.name]],
                    "unit": trait.unit,
                    "age": measured_at[trait.name][known[trait.name]],
                },
            )
            for trait in traits.measurable
        ],
        {**TERM, "value": "float64", "unit": "str", "age": "int16"},
        cohort,
    )


def _features(traits: Traits, simulated: _Simulated, cohort: Subjects) -> pd.DataFrame:
    """List features of diseases, measured values and treatments, each with its age.

    Those of diseases begin at onset, those of measured values at the measurement, and those of
    treatments when they ended the treatment.
    """
    values, known, onsets = simulated.values, simulated.known, simulated.onsets
    found: list[tuple[Feature | ThresholdFeature | Coded, np.ndarray, np.ndarray]] = []
    for trait in traits.measurable:
        rows = known[trait.name]
        for feature in trait.features:
            high = rows[values[trait.name][rows] >= feature.at_least]
            found.append((feature, high, simulated.measured_at[trait.name][high]))
    for disease in traits.diseases:
        ill = np.flatnonzero(onsets[disease.name] <= cohort.age)
        found += [(feature, ill, onsets[disease.name][ill]) for feature in disease.features]
    for course in simulated.courses:
        found += course.events()
    table = join_parts(
        [
            (rows, {"code": term.code, "label": term.label, "age_of_onset": np.floor(age)})
            for term, rows, age in found
        ],
        {**TERM, "age_of_onset": "int16"},
        cohort,
    )
    # Two causes may share a term: keep it once, with the earliest age.
    by_term = table.groupby(["individual", "code"], sort=False)
    table["age_of_onset"] = by_term["age_of_onset"].transform("min")
    return table.drop_duplicates(["individual", "code"], ignore_index=True)
