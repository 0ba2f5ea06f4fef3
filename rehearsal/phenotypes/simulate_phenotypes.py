"""The phenotypes of a cohort, as the tables that nodes and truth hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from rehearsal.model import Patient
from rehearsal.phenotypes import trait_model
from rehearsal.phenotypes.exposures import exposures_table
from rehearsal.phenotypes.genetic import GeneticValues, standardise
from rehearsal.phenotypes.missing import draw_missing, kept, missing_table
from rehearsal.phenotypes.outcomes import ages_of_outcome
from rehearsal.phenotypes.path_coefficients import explained_by_causes
from rehearsal.phenotypes.patient_overrides import Told
from rehearsal.phenotypes.subjects import Subjects, standard_noise, subjects
from rehearsal.phenotypes.tables import by_person
from rehearsal.phenotypes.trait_types import Disease, Traits
from rehearsal.phenotypes.treatments import Course, draw_course, treatments_table

TERM = {"code": "str", "label": "str"}


@dataclass(frozen=True)
class Phenotypes:
    """Tables with the columns of docs/architecture.md, rows in the order of the people."""

    diseases: pd.DataFrame  # individual, code, label, mondo, mondo_label, age_of_onset
    measurements: pd.DataFrame  # individual, code, label, value, unit, age
    features: pd.DataFrame  # individual, code, label, age_of_onset
    exposures: pd.DataFrame  # individual, code, label, value, value_label, age
    treatments: pd.DataFrame  # individual, code, label, ... (treatments.COLUMNS)
    missing: pd.DataFrame  # individual, table, code, label, null_flavour
    excluded_features: pd.DataFrame  # individual, code, label
    candidate_genes: pd.DataFrame  # individual, gene
    tumour_variants: pd.DataFrame  # individual, contig, start, ref, alt
    effects: pd.DataFrame  # truth: trait, contig, start, ref, alt, effect, frequency
    genetic_values: pd.DataFrame  # truth: individual, trait, genetic_value, liability

    def tables(self) -> dict[str, pd.DataFrame]:
        """All of them by name."""
        return {one.name: getattr(self, one.name) for one in fields(self)}


def phenotypes(
    people: pd.DataFrame,
    genetic_values: GeneticValues,
    carriers: pd.DataFrame,
    traits: Traits,
    seed: int,
    reference_year: int = 2026,
    patients: Sequence[Patient] = (),
    individuals: pd.DataFrame | None = None,
) -> Phenotypes:
    """What is on record of everybody, with the truth behind it.

    ``people``: id, country, sex, birth_year. ``genetic_values``: sums over all blocks, a row a
    person; they are standardised here, over all countries. ``carriers``: gene, individual,
    copies of planted variants. ``seed``: the root seed. Ages are whole years at
    ``reference_year``. ``patients`` of stories are the ``individuals`` of
    ``cohort/patients.parquet``; their records are written as the stories say. Raises InputError.
    """
    cohort = subjects(people, reference_year)
    told = Told.of(patients, individuals, cohort, seed) if patients else Told({}, seed)
    if len(genetic_values.values) != len(cohort):
        raise ValueError(f"{len(genetic_values.values)} genetic values, {len(cohort)} people")
    genetic = standardise(genetic_values, traits)
    own = {name: genetic.values[name].to_numpy() for name in genetic.values}

    explained = explained_by_causes(traits)
    scores = {trait.name: standard_noise(cohort, seed, trait.name) for trait in traits.exposures}
    for trait in (*traits.measurements, *traits.diseases):
        scores[trait.name] = trait_model.standard_score(
            trait, own.get(trait.name), scores, explained[trait.name], cohort, seed
        )
    values = {
        trait.name: trait_model.measured(trait, scores[trait.name], cohort)
        for trait in traits.measurements
    }
    values |= {trait.name: trait_model.derived(trait, values) for trait in traits.derived}
    told.set_values(values, traits)

    copies = trait_model.carried_copies(carriers, cohort)
    onsets = {
        disease.name: trait_model.ages_of_onset(disease, scores[disease.name], copies, cohort)
        for disease in traits.diseases
    }
    told.set_onsets(onsets, cohort)
    flavours = told.nothing_missing(draw_missing(traits.missing, cohort, seed))
    courses = [
        draw_course(treatment, onsets, copies, cohort, seed, told.treated(treatment.name))
        for treatment in traits.treatments
    ]
    for outcome in traits.outcomes:
        ages = ages_of_outcome(outcome, onsets, values, courses, cohort, seed)
        told_of = onsets[outcome.disease]  # what a story says, if anything
        onsets[outcome.disease] = np.where(np.isfinite(told_of), told_of, ages)
    known = {name: kept(flavours, name, cohort) for name in (*values, *scores)}
    measured_at = _ages_measured(traits, onsets, known, cohort)
    return Phenotypes(
        _diseases(traits.diseases, onsets, cohort),
        _measurements(traits, values, known, measured_at, cohort),
        told.with_features(
            _features(traits, values, known, measured_at, onsets, courses, cohort), cohort
        ),
        exposures_table(traits.exposures, scores, known, cohort),
        treatments_table(traits, courses, flavours, cohort),
        missing_table(traits, courses, flavours, cohort),
        told.excluded(cohort),
        told.candidate_genes(cohort),
        told.tumour_variants(cohort),
        genetic.effects,
        _genetic_values(traits, own, scores, cohort),
    )


def _diseases(
    diseases: Sequence[Disease], onsets: Mapping[str, np.ndarray], cohort: Subjects
) -> pd.DataFrame:
    found = [(disease, onsets[disease.name] <= cohort.age) for disease in diseases]
    return by_person(
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
    """The age (years) at which everybody was measured: now; where only the ill are, at the onset,
    and the others are taken out of ``known``."""
    ages = dict.fromkeys((trait.name for trait in traits.measurable), cohort.age)
    for trait in traits.measurements:
        if trait.only_with is not None:
            onset = onsets[trait.only_with]
            known[trait.name] = np.intersect1d(
                known[trait.name], np.flatnonzero(onset <= cohort.age)
            )
            ages[trait.name] = np.where(np.isfinite(onset), onset, 0)
    return ages


def _measurements(
    traits: Traits,
    values: Mapping[str, np.ndarray],
    known: Mapping[str, np.ndarray],
    measured_at: Mapping[str, np.ndarray],
    cohort: Subjects,
) -> pd.DataFrame:
    return by_person(
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


def _features(
    traits: Traits,
    values: Mapping[str, np.ndarray],
    known: Mapping[str, np.ndarray],
    measured_at: Mapping[str, np.ndarray],
    onsets: Mapping[str, np.ndarray],
    courses: Sequence[Course],
    cohort: Subjects,
) -> pd.DataFrame:
    """Features of diseases begin with them, those of measured values when they were measured,
    those of treatments when they ended them."""
    found = []
    for trait in traits.measurable:
        rows = known[trait.name]
        for feature in trait.features:
            high = rows[values[trait.name][rows] >= feature.at_least]
            found.append((feature, high, measured_at[trait.name][high]))
    for disease in traits.diseases:
        ill = np.flatnonzero(onsets[disease.name] <= cohort.age)
        found += [(feature, ill, onsets[disease.name][ill]) for feature in disease.features]
    for course in courses:
        found += course.events()
    table = by_person(
        [
            (rows, {"code": term.code, "label": term.label, "age_of_onset": np.floor(age)})
            for term, rows, age in found
        ],
        {**TERM, "age_of_onset": "int16"},
        cohort,
    )
    # Two causes may share a term: it is noted once, from its first year on.
    by_term = table.groupby(["individual", "code"], sort=False)
    table["age_of_onset"] = by_term["age_of_onset"].transform("min")
    return table.drop_duplicates(["individual", "code"], ignore_index=True)


def _genetic_values(
    traits: Traits,
    own: Mapping[str, np.ndarray],
    scores: Mapping[str, np.ndarray],
    cohort: Subjects,
) -> pd.DataFrame:
    """A trait without a polygenic part has genetic value 0, a measurement no liability."""
    everybody = np.arange(len(cohort))
    nobody = np.full(len(cohort), np.nan)
    return by_person(
        [
            (
                everybody,
                {
                    "trait": trait.name,
                    "genetic_value": own.get(trait.name, np.zeros(len(cohort))),
                    "liability": scores[trait.name] if trait in traits.diseases else nobody,
                },
            )
            for trait in (*traits.measurements, *traits.diseases)
        ],
        {"trait": "str", "genetic_value": "float64", "liability": "float64"},
        cohort,
    )
