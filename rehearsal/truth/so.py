"""The Sequence Ontology for the truth: from a term downwards, level by level.

The relations are a copy of its own, taken from another file of the ontology than the table that
nodes read.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pandas as pd

# The Sequence Ontology (CC BY-SA 4.0); columns: subject, object (more general), source
EDGES = Path(__file__).parent / "data" / "so_edges.tsv"


@cache
def at_or_below(term: str) -> frozenset[str]:
    """Return a term and all more specific terms.

    Args:
        term: A term like ``SO:0001818``. One that the edges do not have is returned alone.
    """
    edges = _edges()
    found, level = set[str](), {term}
    while level:
        found |= level
        level = set(edges.loc[edges["object"].isin(level), "subject"]) - found
    return frozenset(found)


@cache
def _edges() -> pd.DataFrame:
    return pd.read_csv(EDGES, sep="\t")
