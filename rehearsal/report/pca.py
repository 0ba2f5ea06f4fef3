"""The people as population geneticists look at them: principal components, frequency spectrum.

Each block is looked at by itself, then what was found is joined (:class:`BlockStructure`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import tskit
from scipy.sparse.linalg import eigsh

from rehearsal.files import written_aside
from rehearsal.model import Block
from rehearsal.seeds import derive_seed

ALL = "all"  # the group of the whole cohort
COMPONENTS = 4
AXES = tuple(f"PC{number + 1}" for number in range(COMPONENTS))
CHUNK = 1024  # sites standardised at once: 23 MB at 2,800 people
MAX_PEOPLE = 3_000  # whose principal components are found


@dataclass(frozen=True, slots=True)
class BlockStructure:
    """What one block tells.

    ``common``: ids of the sites that are frequent enough for principal components; ``spectra``: of
    each group, by copies, how many alleles have so many; both empty where the block is not
    autosomal. ``variants``: derived alleles that vary in the cohort.
    """

    common: np.ndarray
    spectra: dict[str, np.ndarray]
    variants: float


def block_structure(
    path: Path | str,
    people: pd.DataFrame,
    *,
    seed: int,
    minimum_frequency: float = 0.05,
    max_people: int = MAX_PEOPLE,
) -> BlockStructure:
    """Look at the block file ``{contig}-{start}-{end}.trees``.

    ``people`` is people.parquet: row i is individual i of every block. For the other arguments see
    ``principal_components``, which wants the same ones.
    """
    ts = tskit.load(path)
    variants = float(_spectrum(ts, ts.samples())[1:-1].sum())
    if not _is_autosomal(Path(path)):
        return BlockStructure(np.empty(0, np.int64), {}, variants)
    sampled = _Sampled.of(people, seed, max_people)
    common = _common_sites(ts, sampled.rows[sampled.unrelated], minimum_frequency)
    spectra = {
        group: _spectrum(ts, sample_nodes(ts, members).ravel())
        for group, members in _groups(people).items()
    }
    return BlockStructure(common, spectra, variants)


def write_structure(found: BlockStructure, path: Path | str) -> None:
    """Keep what a block told, as a NumPy archive."""
    with written_aside(path) as aside, aside.open("wb") as file:
        np.savez_compressed(file, common=found.common, variants=found.variants, **found.spectra)


def read_structure(path: Path | str) -> BlockStructure:
    with np.load(path) as archive:
        arrays = dict(archive)
    return BlockStructure(arrays.pop("common"), arrays, float(arrays.pop("variants")))


def _is_autosomal(path: Path) -> bool:
    return _block(path).contig.removeprefix("chr").isdecimal()


def _block(path: Path) -> Block:
    return Block.from_id(path.name.removesuffix(".trees"))


def sample_nodes(ts: tskit.TreeSequence, rows: np.ndarray) -> np.ndarray:
    """The two sample nodes of each of these individuals, as an array of shape (people, 2).

    Raises ValueError when one does not have exactly two: the block is not autosomal.
    """
    nodes = ts.samples()
    owners = ts.nodes_individual[nodes]
    nodes = nodes[np.argsort(owners, kind="stable")]
    counts = np.bincount(owners, minlength=ts.num_individuals)
    if np.any(counts[rows] != 2):
        raise ValueError("expected two sample nodes for every individual, an autosome")
    first = np.concatenate([[0], np.cumsum(counts)])[rows]
    return np.column_stack([nodes[first], nodes[first + 1]])


def principal_components(
    trees: Sequence[Path | str],
    blocks: Sequence[BlockStructure],
    people: pd.DataFrame,
    *,
    seed: int,
    max_sites: int = 20_000,
    max_people: int = MAX_PEOPLE,
) -> pd.DataFrame:
    """Four principal components of common autosomal variants.

    ``blocks``: what each of the files ``trees`` told, of the same people and seed: sites with two
    alleles, the rarer at ``minimum_frequency`` or more. Of these ``max_sites`` are taken at
    random; genotypes standardised by sqrt(2p(1 - p)) (Patterson, Price and Reich 2006). The axes
    are those of one person a family, the leading eigenvectors of their relationship matrix; the
    others are projected onto them, else families would make axes of their own. More than
    ``max_people`` people are sampled evenly over the countries. Each axis points so that its
    largest score is positive. Scores are rounded to 6 decimals: beyond that they depend on how a
    machine sums.

    Columns: id, country, related (projected), PC1 to PC4. Attributes of the table, which Parquet
    keeps: ``shares`` (of the variance of the unrelated people's genotypes, an axis each),
    ``sites`` and ``megabases`` (autosomal sequence that they were chosen from).

    Raises ValueError when fewer unrelated people or sites than components are left.
    """
    sampled = _Sampled.of(people, seed, max_people)
    rows, unrelated = sampled.rows, sampled.unrelated
    paths = [Path(path) for path in trees]
    sites = _choose_sites([block.common for block in blocks], max_sites, sampled.rng)
    number = sum(len(ids) for ids in sites)
    if min(number, int(unrelated.sum()) - 1) < COMPONENTS:
        raise ValueError(
            f"{number} common sites and {unrelated.sum()} unrelated people "
            f"are too few for {COMPONENTS} components"
        )
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
        "megabases": sum(_block(path).length for path in paths if _is_autosomal(path)) / 1e6,
    }
    return table


@dataclass(frozen=True, slots=True)
class _Sampled:
    """The people whose components are found, by row, those who make the axes, and what draws on."""

    rows: np.ndarray
    unrelated: np.ndarray
    rng: np.random.Generator

    @classmethod
    def of(cls, people: pd.DataFrame, seed: int, most: int) -> _Sampled:
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


def _choose_sites(
    common: Sequence[np.ndarray], max_sites: int, rng: np.random.Generator
) -> list[np.ndarray]:
    """Per block the ids of the sites to use, ascending; a uniform choice over all blocks."""
    block = np.repeat(np.arange(len(common)), [len(ids) for ids in common])
    pooled = np.concatenate([*common, np.empty(0, int)]).astype(int)
    if len(pooled) > max_sites:
        kept = np.sort(rng.choice(len(pooled), max_sites, replace=False))
        block, pooled = block[kept], pooled[kept]
    return [pooled[block == number] for number in range(len(common))]


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


def _relationship(
    paths: Sequence[Path], sites: Sequence[np.ndarray], rows: np.ndarray, unrelated: np.ndarray
) -> np.ndarray:
    """The sum over sites of z z', shape (people, people), z standardised in the unrelated."""
    total = np.zeros((len(rows), len(rows)))
    for path, ids in zip(paths, sites, strict=True):
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
    """Scores of everybody, shape (people, components), and the axes' shares of the variance.

    With G = UΛU' among the unrelated, their scores are U√Λ; a projected person with
    relationships c to them gets cU/√Λ.
    """
    own = relationship[np.ix_(unrelated, unrelated)]
    start = np.ones(len(own)) + np.arange(len(own)) / len(own)
    values, vectors = eigsh(own, k=COMPONENTS, which="LA", v0=start)
    order = np.argsort(values)[::-1]
    values, vectors = values[order], vectors[:, order]
    scores = relationship[:, unrelated] @ vectors / np.sqrt(values)
    largest = np.abs(scores).argmax(axis=0)
    scores *= np.sign(scores[largest, np.arange(COMPONENTS)])
    return np.round(scores, 6) + 0.0, np.round(values / np.trace(own), 6)


def frequency_spectrum(blocks: Sequence[BlockStructure], people: pd.DataFrame) -> pd.DataFrame:
    """How many alleles have how many copies: the unfolded spectrum of the autosomes.

    Relatives are included, since they are in the data that nodes hold.

    Columns: group (``all`` or a country's code), haplotypes (sample size), copies (1 to
    haplotypes - 1), alleles. Copy numbers without any allele have no row. The attribute
    ``variants`` of the table counts the derived alleles that vary in the cohort, those of blocks
    that are not autosomal included.
    """
    totals = {group: np.zeros(2 * len(rows) + 1) for group, rows in _groups(people).items()}
    for block in blocks:
        for group, counts in block.spectra.items():
            totals[group] += counts
    table = pd.concat([_tidy(*item) for item in totals.items()], ignore_index=True)
    table.attrs["variants"] = round(sum(block.variants for block in blocks))
    return table


def _groups(people: pd.DataFrame) -> dict[str, np.ndarray]:
    """Row numbers of everybody, and of the people of each country."""
    codes = people["country"]
    return {
        ALL: np.arange(len(people)),
        **{code: np.flatnonzero(codes == code) for code in codes.unique()},
    }


def _spectrum(ts: tskit.TreeSequence, nodes: np.ndarray) -> np.ndarray:
    return ts.allele_frequency_spectrum([nodes], polarised=True, span_normalise=False)


def _tidy(group: str, counts: np.ndarray) -> pd.DataFrame:
    copies = np.arange(1, len(counts) - 1)
    kept = copies[counts[copies] > 0]
    return pd.DataFrame(
        {
            "group": group,
            "haplotypes": len(counts) - 1,
            "copies": kept,
            "alleles": np.rint(counts[kept]).astype(np.int64),
        }
    )


def spectrum_shares(spectrum: pd.DataFrame) -> pd.DataFrame:
    """Per group: haplotypes, alleles that vary in it, singletons, singleton_share.

    Indexed by group, in the order of ``frequency_spectrum``.
    """
    marked = spectrum.assign(singletons=spectrum["alleles"].where(spectrum["copies"] == 1, 0))
    sums = marked.groupby("group", sort=False).agg(
        haplotypes=("haplotypes", "first"),
        alleles=("alleles", "sum"),
        singletons=("singletons", "sum"),
    )
    return sums.assign(singleton_share=sums["singletons"] / sums["alleles"])
