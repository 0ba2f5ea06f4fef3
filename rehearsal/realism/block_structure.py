"""Population structure within one block: common sites and allele-frequency spectra.

Each block is measured by itself; ``principal_components`` and ``frequency_spectrum`` join them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import tskit

from rehearsal.files import atomic_path
from rehearsal.model import Block
from rehearsal.realism.genotypes import sample_nodes
from rehearsal.seeds import derive_seed

ALL = "all"  # the group of the whole cohort
MAX_PEOPLE = 3_000  # with principal components


@dataclass(frozen=True, slots=True)
class BlockStructure:
    """The structure within one block.

    ``common`` holds the ids of sites frequent enough for principal components. ``spectra`` holds
    the number of alleles by copies for each group. Both are empty if the block is not autosomal.
    ``variants`` is the number of derived alleles that vary in the cohort.
    """

    common: np.ndarray
    spectra: dict[str, Any]
    variants: float


def measure_block_structure(
    path: Path | str,
    people: pd.DataFrame,
    *,
    seed: int,
    minimum_frequency: float = 0.05,
    max_people: int = MAX_PEOPLE,
) -> BlockStructure:
    """Measure the block file ``{contig}-{start}-{end}.trees``.

    ``seed`` and ``max_people`` must be those of ``cohort_components``.

    Args:
        path: The block file.
        people: ``people.parquet``; row *i* is individual *i* of every block.
        seed: Seed of the sampled people.
        minimum_frequency: Smallest frequency of the rarer allele at a common site.
        max_people: Largest number of people with principal components.
    """
    ts = tskit.load(path)
    variants = float(_spectrum(ts, ts.samples())[1:-1].sum())
    if not is_autosomal(Path(path)):
        return BlockStructure(np.empty(0, np.int64), {}, variants)
    sampled = SampledPeople.of(people, seed, max_people)
    common = _common_sites(ts, sampled.rows[sampled.unrelated], minimum_frequency)
    spectra = {
        group: _spectrum(ts, sample_nodes(ts, members).ravel())
        for group, members in groups_of_people(people).items()
    }
    return BlockStructure(common, spectra, variants)


def write_block_structure(found: BlockStructure, path: Path | str) -> None:
    """Write the structure of a block as a NumPy archive.

    Args:
        found: The structure.
        path: The ``.npz`` file.
    """
    arrays: dict[str, Any] = {"common": found.common, "variants": found.variants}
    with atomic_path(path) as aside, aside.open("wb") as file:
        np.savez_compressed(file, **arrays, **found.spectra)


def read_block_structure(path: Path | str) -> BlockStructure:
    """Read what :func:`write_block_structure` wrote.

    Args:
        path: The ``.npz`` file.
    """
    with np.load(path) as archive:
        arrays = dict(archive)
    return BlockStructure(arrays.pop("common"), arrays, float(arrays.pop("variants")))


def is_autosomal(path: Path) -> bool:
    """Say whether a block file is of an autosome.

    Args:
        path: A file named after its block.
    """
    return block_of_file(path).contig.removeprefix("chr").isdecimal()


def block_of_file(path: Path) -> Block:
    """Return the block that a file is named after.

    Args:
        path: ``{contig}-{start}-{end}.trees``.
    """
    return Block.from_id(path.name.removesuffix(".trees"))


@dataclass(frozen=True, slots=True)
class SampledPeople:
    """The people with principal components, by row, and which of them define the axes.

    ``unrelated`` marks those, one per family. ``rng`` is the generator for further draws.
    """

    rows: np.ndarray
    unrelated: np.ndarray
    rng: np.random.Generator

    @classmethod
    def of(cls, people: pd.DataFrame, seed: int, most: int) -> SampledPeople:
        """Sample people evenly over the countries.

        Args:
            people: ``people.parquet``.
            seed: Root seed.
            most: Largest number of people.
        """
        rng = np.random.default_rng(derive_seed(seed, "principal_components"))
        rows = _sampled_rows(people["country"], most, rng)
        return cls(rows, _one_per_family(people.iloc[rows].reset_index(drop=True)), rng)


def _sampled_rows(country: pd.Series, most: int, rng: np.random.Generator) -> np.ndarray:
    """Return about ``most`` row numbers or fewer, spread evenly over the countries."""
    if len(country) <= most:
        return np.arange(len(country))
    shuffled = rng.permutation(len(country))
    rank = country.iloc[shuffled].groupby(country.iloc[shuffled]).cumcount().to_numpy()
    return np.sort(shuffled[np.argsort(rank, kind="stable")[:most]])


def _one_per_family(people: pd.DataFrame) -> np.ndarray:
    """Mark the first person of each family and everyone without a family."""
    return (people["family"].isna() | ~people["family"].duplicated()).to_numpy()


def _common_sites(ts: tskit.TreeSequence, rows: np.ndarray, minimum_frequency: float) -> np.ndarray:
    """Return ids of sites with one mutation and a rarer allele that is frequent enough."""
    nodes = sample_nodes(ts, rows).ravel()
    copies = ts.sample_count_stat(
        [nodes], lambda x: x, 1, windows="sites", mode="site", polarised=True,
        span_normalise=False, strict=False,
    )[:, 0]  # fmt: skip
    frequency = copies / len(nodes)
    single = np.bincount(ts.mutations_site, minlength=ts.num_sites) == 1
    return np.flatnonzero(single & (np.minimum(frequency, 1 - frequency) >= minimum_frequency))


def groups_of_people(people: pd.DataFrame) -> dict[str, np.ndarray]:
    """Return the row numbers of all people and of each country's people.

    Args:
        people: ``people.parquet``.
    """
    codes = people["country"]
    return {
        ALL: np.arange(len(people)),
        **{code: np.flatnonzero(codes == code) for code in codes.unique()},
    }


def _spectrum(ts: tskit.TreeSequence, nodes: np.ndarray) -> np.ndarray:
    return ts.allele_frequency_spectrum([nodes], polarised=True, span_normalise=False)
