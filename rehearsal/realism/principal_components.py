"""Principal components of people: of the whole cohort, and of the panel of the realism table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import tskit
from numpy.typing import NDArray
from scipy.linalg import eigh
from scipy.sparse.linalg import eigsh

from rehearsal.logs import in_progress
from rehearsal.realism.block_structure import (
    MAX_PEOPLE,
    BlockStructure,
    SampledPeople,
    block_of_file,
    is_autosomal,
)
from rehearsal.realism.genotypes import sample_nodes

COMPONENTS = 4
AXES = tuple(f"PC{number + 1}" for number in range(COMPONENTS))
SMALLEST = 1e-12  # eigenvalue; the matrix is divided by the number of sites
CHUNK = 1024  # sites standardised at once: 23 MB at 2,800 people

Matrix = NDArray[np.float64]


def cohort_components(
    trees: Sequence[Path | str],
    blocks: Sequence[BlockStructure],
    people: pd.DataFrame,
    *,
    seed: int,
    max_sites: int = 20_000,
    max_people: int = MAX_PEOPLE,
) -> pd.DataFrame:
    """Compute four principal components of common autosomal variants.

    Sites have two alleles, the rarer at ``minimum_frequency`` or more. Genotypes are standardised
    by sqrt(2p(1 - p)) (Patterson, Price and Reich 2006). The axes are the leading eigenvectors of
    the relationship matrix of one person per family. The others are projected onto them; otherwise
    families would form axes of their own. Each axis points so that its largest score is positive.
    Scores are rounded to 6 decimals: beyond that they depend on how a machine sums.

    Args:
        trees: Block files.
        blocks: The structure within each of them, measured with the same seed.
        people: ``people.parquet``.
        seed: Root seed.
        max_sites: Largest number of sites, chosen at random.
        max_people: Largest number of people, sampled evenly over the countries.

    Returns:
        Columns ``id``, ``country``, ``related`` (projected), ``PC1`` to ``PC4``. The table's
        attributes, which Parquet keeps, are ``shares`` (of the variance of unrelated people's
        genotypes, one per axis), ``sites`` and ``megabases`` (autosomal sequence from which sites
        were chosen). There are no rows if there are too few unrelated people or sites.
    """
    sampled = SampledPeople.of(people, seed, max_people)
    rows, unrelated = sampled.rows, sampled.unrelated
    paths = [Path(path) for path in trees]
    sites = _choose_sites([block.common for block in blocks], max_sites, sampled.rng)
    number = sum(len(ids) for ids in sites)
    if min(number, int(unrelated.sum()) - 1) < COMPONENTS:
        print(
            f"no principal components: they need {COMPONENTS} common sites and {COMPONENTS + 1} "
            f"unrelated people; there are {number} and {unrelated.sum()}"
        )
        rows, unrelated = rows[:0], unrelated[:0]
        scores, shares = np.empty((0, COMPONENTS)), np.zeros(COMPONENTS)
    else:
        relationship = _relationship(paths, sites, rows, unrelated) / number
        scores, shares = _decompose(relationship, unrelated)
    table = pd.DataFrame(scores, columns=AXES)
    table.insert(0, "related", ~unrelated)
    chosen = people.iloc[rows].reset_index(drop=True)
    table.insert(0, "country", chosen["country"])
    table.insert(0, "id", chosen["id"])
    table.attrs = {
        "shares": shares.tolist(),
        "sites": number,
        "megabases": sum(block_of_file(path).length for path in paths if is_autosomal(path)) / 1e6,
    }
    return table


def leading_components(relationship: Matrix, axes: int = 2) -> tuple[Matrix, Matrix]:
    """Compute leading scores and the axes' shares of the variance.

    The matrix is centred, so a part of a larger one can be used. Each axis points so that its
    largest score is positive.

    Args:
        relationship: A sum of z z', shape (n, n).
        axes: Number of axes.

    Returns:
        Scores, shape (n, axes), and shares, shape (axes,).
    """
    centred = relationship - relationship.mean(axis=0)
    centred = centred - centred.mean(axis=1, keepdims=True)
    n = len(centred)
    values, vectors = eigh((centred + centred.T) / 2, subset_by_index=[n - axes, n - 1])
    values, vectors = np.maximum(values[::-1], 0), _pointing_up(vectors[:, ::-1])
    return vectors * np.sqrt(values), values / np.trace(centred)


def _choose_sites(
    common: Sequence[np.ndarray], max_sites: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Return the ids of the sites to use by block, ascending, chosen uniformly over all blocks."""
    block = np.repeat(np.arange(len(common)), [len(ids) for ids in common])
    pooled = np.concatenate([*common, np.empty(0, int)]).astype(int)
    if len(pooled) > max_sites:
        kept = np.sort(rng.choice(len(pooled), max_sites, replace=False))
        block, pooled = block[kept], pooled[kept]
    return [pooled[block == number] for number in range(len(common))]


def _relationship(
    paths: Sequence[Path], sites: Sequence[np.ndarray], rows: np.ndarray, unrelated: np.ndarray
) -> np.ndarray:
    """Sum z z' over sites, shape (people, people), with z standardised in the unrelated people."""
    total = np.zeros((len(rows), len(rows)))
    blocks = list(zip(paths, sites, strict=True))
    for path, ids in in_progress(blocks, "blocks"):
        if not len(ids):
            continue
        ts = tskit.load(path)
        nodes = sample_nodes(ts, rows).ravel()
        variant = tskit.Variant(ts, samples=nodes)
        for start in range(0, len(ids), CHUNK):
            dosages = np.empty((len(ids[start : start + CHUNK]), len(rows)))
            for row, site in enumerate(ids[start : start + CHUNK]):
                variant.decode(int(site))
                dosages[row] = (variant.genotypes > 0).reshape(-1, 2).sum(axis=1)
            frequency = dosages[:, unrelated].mean(axis=1, keepdims=True) / 2
            dosages = (dosages - 2 * frequency) / np.sqrt(2 * frequency * (1 - frequency))
            total += dosages.T @ dosages
    return total


def _decompose(relationship: np.ndarray, unrelated: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return scores, shape (people, components), and the axes' shares of the variance.

    With G = UΛU' among the unrelated, their scores are U√Λ. A projected person with relationships c
    to them gets cU/√Λ.
    """
    own = relationship[np.ix_(unrelated, unrelated)]
    start = np.ones(len(own)) + np.arange(len(own)) / len(own)
    values, vectors = eigsh(own, k=COMPONENTS, which="LA", v0=start)
    order = np.argsort(values)[::-1]
    values, vectors = values[order], vectors[:, order]
    values = np.maximum(values, SMALLEST)  # few sites span fewer axes than there are
    scores = _pointing_up(relationship[:, unrelated] @ vectors / np.sqrt(values))
    return np.round(scores, 6) + 0.0, np.round(values / np.trace(own), 6)


def _pointing_up(axes: Matrix) -> Matrix:
    """Turn each column so that its largest value is positive."""
    largest = np.abs(axes).argmax(axis=0)
    return axes * np.sign(axes[largest, np.arange(axes.shape[1])])
