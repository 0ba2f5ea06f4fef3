"""Exposures such as smoking: a latent score that is divided into values by sex and age.

The score acts as a cause: people who are more exposed have higher scores. Whatever it acts on keeps
its distribution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr

from rehearsal.errors import mismatch
from rehearsal.phenotypes.clinical_types import Exposure
from rehearsal.phenotypes.subjects import Subjects, by_sex_and_age
from rehearsal.phenotypes.tables import join_parts, pick_texts


def exposure_values(exposure: Exposure, score: np.ndarray, subjects: Subjects) -> np.ndarray:
    """Find the value that each person has.

    Among people of a sex and age, those with the highest scores have the last value, in its share.

    Args:
        exposure: The exposure.
        score: Standard normal scores, shape (n_people,).
        subjects: The people.

    Returns:
        Indices into ``exposure.values``, shape (n_people,), int64.

    Raises:
        ValueError: A value other than the first has no share.
    """
    tail = ndtr(-score)
    value = np.zeros(len(subjects), dtype=np.int64)
    reached = np.zeros(len(subjects))
    for number in range(len(exposure.values) - 1, 0, -1):
        curves = exposure.values[number].share
        if curves is None:
            expected = "a share of each value but the first"
            raise ValueError(mismatch(f"exposures.{exposure.name}", expected, "none"))
        share = by_sex_and_age(curves, subjects)
        value[(tail >= reached) & (tail < reached + share)] = number
        reached += share
    return value


def exposures_table(
    exposures: Sequence[Exposure],
    scores: Mapping[str, np.ndarray],
    known: Mapping[str, np.ndarray],
    cohort: Subjects,
) -> pd.DataFrame:
    """Build the table of exposures.

    Args:
        exposures: The exposures.
        scores: Standard normal scores by exposure, shape (n_people,).
        known: Rows of the people whose exposure is on record, ascending, by exposure.
        cohort: The people.

    Returns:
        One row per person and exposure on record: individual, code, label, value, value_label, age
        (years).
    """
    parts = []
    for exposure in exposures:
        rows = known[exposure.name]
        value = exposure_values(exposure, scores[exposure.name], cohort)[rows]
        terms = [one.term for one in exposure.values]
        columns = {
            "code": exposure.code,
            "label": exposure.label,
            "value": pick_texts([term.code for term in terms], value),
            "value_label": pick_texts([term.label for term in terms], value),
            "age": cohort.age[rows],
        }
        parts.append((rows, columns))
    types = dict.fromkeys(("code", "label", "value", "value_label"), "str")
    return join_parts(parts, {**types, "age": "int16"}, cohort)
