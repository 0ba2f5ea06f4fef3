"""The truth about the genetics of traits, as tables."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd

from rehearsal.phenotypes import trait_model
from rehearsal.phenotypes.standard_values import StandardValues
from rehearsal.phenotypes.subjects import Subjects
from rehearsal.phenotypes.trait_types import Measurement, Traits


def effects_in_units(effects: pd.DataFrame, traits: Traits, cohort: Subjects) -> pd.DataFrame:
    """Add what one copy does to the trait: a value, a liability or a logarithm of the hazard.

    Args:
        effects: One row per causal site and trait, with ``effect`` on the genetic value.
        traits: The traits.
        cohort: The people, over whom the effect on a value is averaged.

    Returns:
        The table with the columns effect_in_unit and unit.
    """
    per_sd, units = {}, {}
    for trait in traits.polygenic:
        if trait.genetics is None:
            continue
        on_score = np.sqrt(trait.genetics.heritability)
        if isinstance(trait, Measurement):
            on_score *= trait_model.slope(trait, cohort)
            units[trait.name] = trait.unit
        elif trait.genetics.hazard_ratio_per_sd is not None:
            on_score, units[trait.name] = np.log(trait.genetics.hazard_ratio_per_sd), "log hazard"
        else:
            units[trait.name] = "liability"
        per_sd[trait.name] = float(on_score)
    in_unit = effects["effect"] * effects["trait"].map(per_sd).astype("float64")
    unit = effects["trait"].map(units).astype("str")
    return effects.assign(effect_in_unit=in_unit, unit=unit)


def genetic_values_table(
    traits: Traits,
    genetic: StandardValues,
    scores: Mapping[str, np.ndarray],
    cohort: Subjects,
) -> pd.DataFrame:
    """Build the table of genetic values.

    A trait without a polygenic part has genetic value 0. A measurement has no liability.

    Args:
        traits: The traits.
        genetic: Genetic values and backgrounds.
        scores: Scores by trait, shape (n_people,): the liabilities of diseases.
        cohort: The people.

    Returns:
        One row per person and trait: individual, trait, genetic_value, background, liability.
    """
    scored, people = traits.scored, len(cohort)
    zero, nobody = np.zeros(people), np.full(people, np.nan)
    liabilities = {trait.name: scores[trait.name] for trait in traits.diseases}
    columns = {
        "genetic_value": [genetic.values.get(trait.name, zero) for trait in scored],
        "background": [genetic.backgrounds.get(trait.name, zero) for trait in scored],
        "liability": [liabilities.get(trait.name, nobody) for trait in scored],
    }
    names = pd.array([trait.name for trait in scored], dtype="str")
    return pd.DataFrame(
        {
            "individual": cohort.id.take(np.repeat(np.arange(people), len(scored))).array,
            "trait": names.take(np.tile(np.arange(len(scored)), people)),
            **{name: _by_person(values, people) for name, values in columns.items()},
        }
    )


def _by_person(values: Sequence[np.ndarray], people: int) -> np.ndarray:
    """Arrange values of everybody by trait as values of all traits by person."""
    return np.array(values, dtype=np.float64).reshape(len(values), people).T.ravel()
