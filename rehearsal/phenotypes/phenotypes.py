"""The phenotypes of a cohort, as the tables that nodes and truth hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rehearsal.phenotypes import causes
from rehearsal.phenotypes.genetic import GeneticValues, standardise
from rehearsal.phenotypes.subjects import Subjects, subjects
from rehearsal.phenotypes.trait_types import Disease, Traits


@dataclass(frozen=True)
class Phenotypes:
    """Tables with the columns of docs/architecture.md, rows in the order of the people."""

    diseases: pd.DataFrame  # individual, code, label, mondo, age_of_onset
    measurements: pd.DataFrame  # individual, code, label, value, unit, age
    features: pd.DataFrame  # individual, code, label, age_of_onset
    effects: pd.DataFrame  # truth: trait, contig, start, ref, alt, effect
    genetic_values: pd.DataFrame  # truth: individual, trait, genetic_value, liability


def phenotypes(
    people: pd.DataFrame,
    genetic_values: GeneticValues,
    carriers: pd.DataFrame,
    traits: Traits,
    seed: int,
    reference_year: int = 2026,
) -> Phenotypes:
    """Measurements, diseases and features of everybody, with the truth behind them.

    ``people``: id, country, sex, birth_year. ``genetic_values``: sums over all blocks, a row a
    person; they are standardised here, over all countries. ``carriers``: gene, individual,
    copies of planted variants. ``seed``: the root seed. Ages are whole years at
    ``reference_year``. Raises InputError.
    """
    cohort = subjects(people, reference_year)
    if len(genetic_values.values) != len(cohort):
        raise ValueError(f"{len(genetic_values.values)} genetic values, {len(cohort)} people")
    genetic = standardise(genetic_values, traits)
    own = {name: genetic.values[name].to_numpy() for name in genetic.values}

    scores = {
        trait.name: causes.standard_score(trait, own.get(trait.name), cohort, seed)
        for trait in traits.measurements
    }
    values = {
        trait.name: causes.measured(trait, scores[trait.name], cohort)
        for trait in traits.measurements
    }
    values |= {trait.name: causes.derived(trait, values) for trait in traits.derived}

    liabilities = {
        disease.name: causes.liability(disease, own.get(disease.name), scores, cohort, seed)
        for disease in traits.diseases
    }
    copies = causes.carried_copies(carriers, cohort)
    onsets = {
        disease.name: causes.ages_of_onset(disease, liabilities[disease.name], copies, cohort)
        for disease in traits.diseases
    }
    return Phenotypes(
        _diseases(traits.diseases, onsets, cohort),
        _measurements(traits, values, cohort),
        _features(traits, values, onsets, cohort),
        genetic.effects,
        _genetic_values(traits, own, liabilities, cohort),
    )


def _diseases(
    diseases: Sequence[Disease], onsets: Mapping[str, np.ndarray], cohort: Subjects
) -> pd.DataFrame:
    found = [(disease, onsets[disease.name] <= cohort.age) for disease in diseases]
    return _by_person(
        [
            (
                np.flatnonzero(ill),
                {
                    "code": disease.code,
                    "label": disease.label,
                    "mondo": disease.mondo,
                    "age_of_onset": np.floor(onsets[disease.name][ill]),
                },
            )
            for disease, ill in found
        ],
        {"code": "str", "label": "str", "mondo": "str", "age_of_onset": "int16"},
        cohort,
    )


def _measurements(
    traits: Traits, values: Mapping[str, np.ndarray], cohort: Subjects
) -> pd.DataFrame:
    return _by_person(
        [
            (
                np.arange(len(cohort)),
                {
                    "code": trait.code,
                    "label": trait.label,
                    "value": values[trait.name],
                    "unit": trait.unit,
                    "age": cohort.age,
                },
            )
            for trait in (*traits.measurements, *traits.derived)
        ],
        {"code": "str", "label": "str", "value": "float64", "unit": "str", "age": "int16"},
        cohort,
    )


def _features(
    traits: Traits,
    values: Mapping[str, np.ndarray],
    onsets: Mapping[str, np.ndarray],
    cohort: Subjects,
) -> pd.DataFrame:
    """Features of diseases begin with them; those of measured values when they were measured."""
    found = [
        (feature, values[trait.name] >= feature.at_least, cohort.age)
        for trait in (*traits.measurements, *traits.derived)
        for feature in trait.features
    ]
    found += [
        (feature, onsets[disease.name] <= cohort.age, onsets[disease.name])
        for disease in traits.diseases
        for feature in disease.features
    ]
    table = _by_person(
        [
            (
                np.flatnonzero(has),
                {
                    "code": feature.code,
                    "label": feature.label,
                    "age_of_onset": np.floor(age[has]),
                },
            )
            for feature, has, age in found
        ],
        {"code": "str", "label": "str", "age_of_onset": "int16"},
        cohort,
    )
    # Two causes may share a term: it is noted once, from its first year on.
    by_term = table.groupby(["individual", "code"], sort=False)
    table["age_of_onset"] = by_term["age_of_onset"].transform("min")
    return table.drop_duplicates(["individual", "code"], ignore_index=True)


def _genetic_values(
    traits: Traits,
    own: Mapping[str, np.ndarray],
    liabilities: Mapping[str, np.ndarray],
    cohort: Subjects,
) -> pd.DataFrame:
    """A trait without a polygenic part has genetic value 0, a measurement no liability."""
    everybody = np.arange(len(cohort))
    nobody = np.full(len(cohort), np.nan)
    return _by_person(
        [
            (
                everybody,
                {
                    "trait": trait.name,
                    "genetic_value": own.get(trait.name, np.zeros(len(cohort))),
                    "liability": liabilities.get(trait.name, nobody),
                },
            )
            for trait in (*traits.measurements, *traits.diseases)
        ],
        {"trait": "str", "genetic_value": "float64", "liability": "float64"},
        cohort,
    )


def _by_person(
    parts: Sequence[tuple[np.ndarray, Mapping[str, object]]],
    types: Mapping[str, str],
    cohort: Subjects,
) -> pd.DataFrame:
    """A long table: parts are rows of people and their columns; sorted by person, then part."""
    rows = np.concatenate([np.empty(0, dtype=np.int64), *(rows for rows, _ in parts)])
    order = np.argsort(rows, kind="stable")
    part_of = np.repeat(np.arange(len(parts)), [len(part_rows) for part_rows, _ in parts])[order]
    table = {"individual": cohort.id.take(rows[order]).array}
    for column, kind in types.items():
        cells = [columns[column] for _, columns in parts]
        if kind == "str":
            table[column] = pd.array(cells, dtype="str").take(part_of)
        else:
            joined = np.concatenate([np.empty(0), *cells])
            table[column] = joined[order].astype(kind)
    return pd.DataFrame(table)
