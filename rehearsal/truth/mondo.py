"""Mondo for the truth: from a disease upwards or downwards, level by level.

The relations are a copy of its own, taken from Mondo's edges and not from the table that nodes
read. A wrong relation in one of them is then an answer that contradicts the truth.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache
from pathlib import Path

# The Mondo Disease Ontology (CC BY 4.0); columns: subject, object (more general), source
EDGES = Path(__file__).parent / "data" / "mondo_edges.tsv"


def at_or_above(disease: str) -> list[str]:
    """Return a disease and all more general diseases.

    Args:
        disease: A Mondo term. One that the edges do not have is returned alone.
    """
    return _reached(disease, _edges())


def at_or_below(disease: str) -> list[str]:
    """Return a disease and all more specific diseases.

    Args:
        disease: A Mondo term. One that the edges do not have is returned alone.
    """
    return _reached(disease, [(above, below) for below, above in _edges()])


@cache
def _edges() -> Sequence[tuple[str, str]]:
    """Read the edges: a disease and one above it."""
    with EDGES.open(encoding="utf-8", newline="") as table:
        return [(row["subject"], row["object"]) for row in csv.DictReader(table, delimiter="\t")]


def _reached(disease: str, edges: Sequence[tuple[str, str]]) -> list[str]:
    """Walk from the first end of the edges to the other until nothing is new."""
    found: list[str] = []
    level = {disease}
    while level:
        found += sorted(level)
        level = {there for here, there in edges if here in level} - set(found)
    return found
