"""Mondo for the truth: from a disease upwards or downwards, level by level."""

from __future__ import annotations

import pandas as pd

from rehearsal.phenotypes.mondo import IS_A


def at_or_above(disease: str) -> list[str]:
    """Return a disease and all more general diseases.

    Args:
        disease: A Mondo term. One that the table does not have is returned alone.
    """
    return _reached(disease, "term", "parent")


def at_or_below(disease: str) -> list[str]:
    """Return a disease and all more specific diseases.

    Args:
        disease: A Mondo term. One that the table does not have is returned alone.
    """
    return _reached(disease, "parent", "term")


def _reached(disease: str, here: str, there: str) -> list[str]:
    """Walk from one column of the table of parents to the other until nothing is new."""
    table = pd.read_csv(IS_A, sep="\t")
    found, level = [], {disease}
    while level:
        found += sorted(level)
        level = set(table.loc[table[here].isin(level), there]) - set(found)
    return found
