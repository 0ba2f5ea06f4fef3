"""What one block tells of the people's structure: common sites, spectra of alleles.

Each block is looked at by itself; ``principal_components`` and ``frequency_spectrum`` join them.
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
MAX_PEOPLE = 3_000  # whose principal components are found


@dataclass(frozen=True, slots=True)
class BlockStructure:
    """What one block tells.

    ``common``: ids of the sites that are frequent enough for principal components; ``spectra``: of
    each group, by copies, how many alleles have so many; both empty where the block is not
    autosomal. ``variants``: derived alleles that vary in the cohort.
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
    """Look at the block file ``{contig}-{start}-{end}.trees``.

    ``people`` is people.parquet: row i is individual i of every block. For the other arguments see
    ``cohort_components``, which wants the same ones.
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
    """Keep what was found in a block, as a NumPy archive."""
    arrays: dict[str, Any] = {"common": found.common, "variants": found.variants}
    with atomic_path(path) as aside, aside.open("wb") as file:
        np.savez_compressed(file, **arrays, **found.spectra)


def read_block_structure(path: Path | str) -> BlockStructure:
    with np.load(path) as archive:
        arrays = dict(archive)
    return BlockStructure(arrays.pop("common"), arrays, float(arrays.pop("variants")))


def is_autosomal(path: Path) -> bool:
    return block_of_file(path).contig.removeprefix("chr").isdecimal()


def block_of_file(path: Path) -> Block:
    return Block.from_id(path.name.removesuffix(".trees"))


@dataclass(frozen=True, slots=True)
class SampledPeople:
    """The people whose components are found, by row, those who make the axes, and what draws on."""

    rows: np.ndarray
    unrelated: np.ndarray
    rng: np.random.Generator

    @classmethod
    def of(cls, people: pd.DataFrame, seed: int, most: int) -> SampledPeople:
        rng = np.random.default_rng(derive_seed(seed, "principal_components"))
        rows = _sampled_rows(people["country"], most, rng)
        return cls(rows, _one_per_family(people.iloc[rows].reset_index(drop=True)), rng)


def _sampled_rows(country: pd.Series, most: int, rng: np.random.Generator) -> np.ndarray:
    """Row numbers of at most about ``most`` people, as even over the countries as can be."""
    if len(country) <= most:
        return np.arange(len(country))
    shuffled = rng.permutation(len(country))
    rank = country.iloc[shuffled].groupby(country.iloc[shuffled]).cumcount().to_numpy()
    return np.sort(shuffled[np.argsort(rank, kind="stable")[:most]])


def _one_per_family(people: pd.DataFrame) -> np.ndarray:
    """True for the first of each family and for everybody without one."""
    return (people["family"].isna() | ~people["family"].duplicated()).to_numpy()


def _common_sites(ts: tskit.TreeSequence, rows: np.ndarray, minimum_frequency: float) -> np.ndarray:
    """Ids of sites with one mutation whose rarer allele is frequent enough in these people."""
    nodes = sample_nodes(ts, rows).ravel()
    copies = ts.sample_count_stat(
        [nodes], lambda x: x, 1, windows="sites", mode="site", polarised=True,
        span_normalise=False, strict=False,
    )[:, 0]  # fmt: skip
    frequency = copies / len(nodes)
    single = np.bincount(ts.mutations_site, minlength=ts.num_sites) == 1
    return np.flatnonzero(single & (np.minimum(frequency, 1 - frequency) >= minimum_frequency))


def groups_of_people(people: pd.DataFrame) -> dict[str, np.ndarray]:
    """Row numbers of everybody, and of the people of each country."""
    codes = people["country"]
    return {
        ALL: np.arange(len(people)),
        **{code: np.flatnonzero(codes == code) for code in codes.unique()},
    }


def _spectrum(ts: tskit.TreeSequence, nodes: np.ndarray) -> np.ndarray:
    return ts.allele_frequency_spectrum([nodes], polarised=True, span_normalise=False)
