"""Mondo for the truth: from a disease upwards or downwards, level by level."""

from __future__ import annotations

import pandas as pd

from rehearsal.phenotypes.mondo import IS_A


def at_or_above(disease: str) -> list[str]:
    """Return a disease and all more general diseases.

    Args:
        disease: A Mondo term. One that the table does not have is returned alone.
    """
    table = pd.read_csv(IS_A, sep="\t")
    found, level = [], {disease}
    while level:
        found += sorted(level)
        level = set(table.loc[table["term"].isin(level), "parent"]) - set(found)
    return found


def at_or_below(disease: str) -> list[str]:
    """Return a disease and all more specific diseases.

    Args:
        disease: A Mondo term. One that the table does not have is returned alone.
    """
    table = pd.read_csv(IS_A, sep="\t")
    found, level = [], {disease}
    while level:
        found += sorted(level)
        level = set(table.loc[table["parent"].isin(level), "term"]) - set(found)
    return found
