"""Who has two alleles at a site of chrM, from the tree sequences."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import tskit

COLUMNS = ["individual", "country", "position", "ref", "alt", "level"]


def list_mixtures(trees: Iterable[Path], people: pd.DataFrame) -> pd.DataFrame:
    """List the mixtures of two alleles.

    Args:
        trees: Files of the blocks of chrM.
        people: The people table; row i is individual i of the tree sequences.

    Returns:
        One row per person and site with ``COLUMNS``: 0-based position, the reference and alternate
        allele, and the fraction of the person's mitochondrial genomes that have the alternate one.
        The genotype in all files is the alternate allele where the fraction is over 0.5.
    """
    rows = []
    for path in trees:
        ts = tskit.load(path)
        for individual, position, alt, level in ts.metadata.get("heteroplasmy", []):
            person = people.iloc[individual]
            ref = ts.site(position=position).ancestral_state
            rows.append((person["id"], person["country"], position, ref, alt, level))
    return pd.DataFrame(rows, columns=COLUMNS)
