"""A sample of a block's alleles, from which the queries of a large run are drawn.

The alleles of a whole genome of a million people are about two billion, too many for one table. A
block therefore keeps only some of each class, and all if they are few. An allele's class is what
templates ask for: how frequent it is and what shape it has.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from rehearsal.evaluation.allele_choice import classes_of

MOST_ALLELES = 1_000_000  # of a class, in all blocks of a run together
NEARBY = 1000  # bases behind an allele in which it is known what is there
ALLELES_PER_PLACE = 1000  # so many alleles of a class are kept for each place that is known whole


def sample_sites(sites: pd.DataFrame, most: int, seed: int) -> pd.DataFrame:
    """Keep at most so many alleles of each class, drawn at random, and the surroundings of some.

    Every allele gets a random number, and each class keeps the smallest ones. Those of several
    classes below the least of their limits are an even sample of these classes together.

    Args:
        sites: The alleles of one block, in the form of ``truth.pooled_sites``.
        most: How many alleles of a class stay.
        seed: Seed of the sample.

    Returns:
        The rows that stay, in their order, with three more columns. ``number``: the allele's, at
        least 0 and below 1. ``below``: all alleles of its class with a smaller number are here, 1
        if all are. ``surrounded``: all alleles that cover one of the ``NEARBY`` bases from its
        start are here.
    """
    number = np.random.default_rng(seed).random(len(sites))
    below = np.ones(len(sites))
    for rows in _classes(sites):
        if len(rows) > most:
            below[rows] = np.partition(number[rows], most)[most]
    kept = number < below
    surrounded = np.ones(len(sites), dtype=bool)
    if not kept.all():
        places = max(most // ALLELES_PER_PLACE, 1)
        chosen = np.argsort(np.where(kept, number, 1))[:places]
        surrounded[:] = False
        surrounded[chosen] = True
        kept |= _near(sites, chosen)
    sampled = sites.assign(number=number, below=below, surrounded=surrounded)
    return sampled[kept].reset_index(drop=True)


def _classes(sites: pd.DataFrame) -> list[np.ndarray]:
    """List the row numbers of each class."""
    label = np.zeros(len(sites), np.int64)
    for bit, belongs in enumerate(classes_of(sites).values()):
        label |= belongs.to_numpy(np.int64) << bit
    return [np.flatnonzero(label == one) for one in np.unique(label)]


def _near(sites: pd.DataFrame, chosen: np.ndarray) -> np.ndarray:
    """Mark the alleles that cover a base behind a chosen one, shape (n_sites,), bool."""
    starts = sites["start"].to_numpy()
    ends = starts + sites["ref"].str.len().to_numpy()
    near = np.zeros(len(sites), dtype=bool)
    for start in starts[chosen].tolist():
        near |= (starts < start + NEARBY) & (ends > start)
    return near
