"""Mondo for the truth: from a disease upwards or downwards, level by level.

The relations are a copy of its own, taken from Mondo's edges and not from the table that nodes
read. A wrong relation in one of them is then an answer that contradicts the truth.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

# The Mondo Disease Ontology (CC BY 4.0); columns: subject, object (more general), source
EDGES = Path(__file__).parent / "data" / "mondo_edges.tsv"


def at_or_above(disease: str) -> list[str]:
    """Return a disease and all more general diseases.

    Args:
        disease: A Mondo term. One that the edges do not have is returned alone.
    """
    return _reached(disease, "subject", "object")


def at_or_below(disease: str) -> list[str]:
    """Return a disease and all more specific diseases.

    Args:
        disease: A Mondo term. One that the edges do not have is returned alone.
    """
    return _reached(disease, "object", "subject")


@cache
def _edges() -> pd.DataFrame:
    return pd.read_csv(EDGES, sep="\t")


def _reached(disease: str, here: str, there: str) -> list[str]:
    """Walk from one end of the edges to the other until nothing is new."""
    edges = _edges()
    found, level = [], {disease}
    while level:
        found += sorted(level)
        level = set(edges.loc[edges[here].isin(level), there]) - set(found)
    return found
