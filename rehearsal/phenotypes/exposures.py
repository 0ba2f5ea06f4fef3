"""Exposures such as smoking: a latent score that is cut into values by sex and age.

The score is what acts as a cause: the more exposed have the higher ones, and whatever it acts on
keeps its distribution.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from scipy.special import ndtr

from rehearsal.phenotypes.clinical_types import Exposure
from rehearsal.phenotypes.subjects import Subjects, by_sex_and_age
from rehearsal.phenotypes.tables import join_parts, pick_texts


def exposure_values(exposure: Exposure, score: np.ndarray, subjects: Subjects) -> np.ndarray:
    """Which value each person has, n indices into ``exposure.values``.

    Of everybody of a sex and age, the highest scores have the last value, in its share.
    """
    tail = ndtr(-score)
    value = np.zeros(len(subjects), dtype=np.int64)
    reached = np.zeros(len(subjects))
    for number in range(len(exposure.values) - 1, 0, -1):
        curves = exposure.values[number].share
        if curves is None:
            raise ValueError(f"{exposure.name}: expected a share of each value but the first")
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
    """Rows of the people (``known``: by exposure) whose exposure is on record."""
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
