"""The sums of one block, which add up over blocks, and their files."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from functools import reduce
from operator import add
from pathlib import Path

import msprime
import numpy as np
import tskit
from numpy.typing import NDArray

from rehearsal.errors import mismatch
from rehearsal.files import atomic_path
from rehearsal.genomes.assembly import pseudo_autosomal
from rehearsal.model import Block
from rehearsal.realism.crossovers import count_crossovers
from rehearsal.realism.genotypes import (
    Haplotypes,
    common_frequency,
    read_chunks,
    restrict,
    single_base_sites,
    transition_counts,
)
from rehearsal.realism.linkage import LINKAGE_DISTANCES, LINKAGE_PEOPLE, linkage_sums
from rehearsal.realism.panel import MeasuredPeople
from rehearsal.realism.recent_kin import (
    LENGTHS_CM,
    LONG_BLOCK,
    shared_doubletons,
    shared_segments,
)
from rehearsal.realism.sample_size import sample_sizes, sites_by_sample_size, varying_alleles
from rehearsal.realism.variant_classes import (
    SMALL,
    STRUCTURAL,
    count_small,
    count_structural,
)

Array = NDArray[np.float64]


@dataclass(frozen=True)
class BlockMeasures:
    """Sums over the bases of one block, or of several after ``join``. All are float arrays.

    k countries, n people of the panel, P pairs, S sample sizes, L distances. Measures of autosomes
    are 0 in a block of chrX, and the other way round. Other contigs give zeros only.
    """

    bases: Array  # autosomal bases, shape ()
    bases_x: Array  # bases of chrX, ()
    sites: Array  # sites that vary in the panel, ()
    transitions: Array  # of these, A<->G and C<->T, ()
    transversions: Array  # (); sites with several mutations are in neither
    differences: Array  # pairwise differences summed over sites, within and between, (k, k)
    differences_x: Array  # within each country on chrX, (k,)
    heterozygous: Array  # sites per person, (n,)
    homozygous: Array  # derived homozygous sites per person, (n,)
    homozygous_other: Array  # homozygous sites that differ from a neighbour's haplotype, (n,)
    spectrum: Array  # sites by copies of the derived allele in the panel, (2 n + 1,)
    # z z' over common sites, z the standardised genotypes, weighted by block (weigh_relationship),
    # (n, n)
    relationship: Array
    common_sites: Array  # number of common sites, ()
    pair_both_heterozygous: Array  # sites per pair, (P,)
    pair_opposite: Array  # sites where both are homozygous for different alleles, (P,)
    pair_heterozygous: Array  # sites of the first and of the second person, (P, 2)
    linkage: Array  # squared correlations summed over pairs of common sites, (L,)
    linkage_pairs: Array  # number of these pairs, (L,)
    sites_by_size: Array  # alleles that vary among the first founders, by their number, (S,)
    singletons_by_size: Array  # of these, alleles seen once, (S,)
    doubletons_by_size: Array  # of these, alleles seen twice, (S,)
    shared_doubletons: Array  # sites with two copies in two people of the panel, (k, k)
    kin_bases: Array  # autosomal bases in blocks of LONG_BLOCK and more, ()
    kin_morgans: Array  # genetic length of these, ()
    shared_segments: Array  # in these, by LENGTHS_CM and the countries of two people, (2, k, k)
    homozygous_bases: Array  # in these, in runs of homozygosity by country, (k,)
    sites_of_all: Array  # alleles that vary in the whole cohort, including relatives, ()
    singletons_of_all: Array  # of these, alleles seen once, ()
    small: Array  # alleles of the whole cohort by class, in the order of SMALL, (8,)
    structural: (
        Array  # structural variants by type and person against a neighbour's haplotype, (5, n)
    )
    crossovers: Array  # in gametes between two people of the cohort, ()
    gametes: Array  # from parents with two copies, summed over blocks, ()

    def __add__(self, other: BlockMeasures) -> BlockMeasures:
        """Add two sums. Raises ValueError if they are of different panels."""
        mine, others = ([getattr(x, f.name) for f in fields(x)] for x in (self, other))
        if any(a.shape != b.shape for a, b in zip(mine, others, strict=True)):
            expected = "the same shapes in all measures"
            raise ValueError(mismatch("measures", expected, "measures of different panels"))
        return BlockMeasures(*(a + b for a, b in zip(mine, others, strict=True)))


def no_measures(panel: MeasuredPeople) -> BlockMeasures:
    """Return zeros in the shapes of a panel.

    Args:
        panel: The measured people.
    """
    k, n, pairs = len(panel.codes), len(panel.members), len(panel.pairs)
    sizes, distances = len(sample_sizes(len(panel.founders))), len(LINKAGE_DISTANCES)
    shapes = {
        "differences": (k, k),
        "differences_x": (k,),
        "heterozygous": (n,),
        "homozygous": (n,),
        "homozygous_other": (n,),
        "spectrum": (2 * n + 1,),
        "relationship": (n, n),
        "pair_both_heterozygous": (pairs,),
        "pair_opposite": (pairs,),
        "pair_heterozygous": (pairs, 2),
        "linkage": (distances,),
        "linkage_pairs": (distances,),
        "sites_by_size": (sizes,),
        "singletons_by_size": (sizes,),
        "doubletons_by_size": (sizes,),
        "shared_doubletons": (k, k),
        "shared_segments": (len(LENGTHS_CM), k, k),
        "homozygous_bases": (k,),
        "small": (len(SMALL),),
        "structural": (len(STRUCTURAL), n),
    }
    return BlockMeasures(
        **{f.name: np.zeros(shapes.get(f.name, ())) for f in fields(BlockMeasures)}
    )


def block_measures(
    ts: tskit.TreeSequence,
    block: Block,
    panel: MeasuredPeople,
    reference: str,
    recombination: msprime.RateMap,
    planted: Collection[int] = (),
) -> BlockMeasures:
    """Compute the sums of one block.

    Only single-nucleotide variants count in most measures: the published figures are theirs.
    Alleles are only derived or not there, so a third allele counts as the second.

    Args:
        ts: The tree sequence of the whole cohort; individual *i* is row *i* of the people.
        block: The block.
        panel: The measured people.
        reference: The block's bases.
        recombination: The map of the whole contig, in Morgans per base.
        planted: 0-based positions of planted variants, which do not count among small variants.
    """
    sums = no_measures(panel)
    if pseudo_autosomal(block.contig, block.start):
        return sums  # men's crossovers are 10 times denser there than elsewhere: not judged
    whole, ts = ts, single_base_sites(ts)
    if block.contig == "chrX":
        sums.bases_x[...] = block.length
        sums.differences_x[...] = _differences_on_x(ts, panel)
    elif block.contig.removeprefix("chr").isdecimal():
        sums.bases[...] = block.length
        _add_autosome(sums, ts, panel)
        by_size = sites_by_sample_size(ts, panel.founders)
        sums.sites_by_size[...], sums.singletons_by_size[...], sums.doubletons_by_size[...] = (
            by_size
        )
        sums.sites_of_all[...], sums.singletons_of_all[...], _ = varying_alleles(ts)
        if block.length >= LONG_BLOCK:
            segments = shared_segments(ts, panel, recombination)
            sums.kin_bases[...] = block.length
            sums.kin_morgans[...] = np.ptp(
                recombination.get_cumulative_mass([block.start, block.end])
            )
            sums.shared_segments[...] = segments.numbers
            sums.homozygous_bases[...] = segments.homozygous
        sums.small[...] = count_small(whole, block, reference, planted)
        sums.structural[...] = count_structural(whole, panel.members)
    else:
        return sums
    sums.crossovers[...], sums.gametes[...] = count_crossovers(ts)
    return sums


def join(parts: Iterable[BlockMeasures]) -> BlockMeasures:
    """Add the sums of one or more blocks.

    Args:
        parts: The sums of each block.
    """
    return reduce(add, parts)


def write_measures(measures: BlockMeasures, path: Path | str) -> None:
    """Write sums as a compressed ``.npz`` file. The same sums give the same bytes.

    Args:
        measures: The sums.
        path: The file.
    """
    with atomic_path(path) as aside, aside.open("wb") as stream:
        np.savez_compressed(
            stream, **{f.name: getattr(measures, f.name) for f in fields(BlockMeasures)}
        )


def read_measures(path: Path | str) -> BlockMeasures:
    """Read what ``write_measures`` wrote.

    Args:
        path: The file.
    """
    with np.load(path, allow_pickle=False) as stored:
        return BlockMeasures(**{f.name: stored[f.name] for f in fields(BlockMeasures)})


def _add_autosome(sums: BlockMeasures, ts: tskit.TreeSequence, panel: MeasuredPeople) -> None:
    pairs = panel.pairs[["first", "second"]].to_numpy(dtype=np.int64)
    people = np.unique(np.concatenate([panel.members, pairs.ravel()]))
    small, _ = restrict(ts, people, copies=2)
    members = np.searchsorted(people, panel.members)
    first, second = np.searchsorted(people, pairs).T
    dense = np.zeros((len(panel.members), len(panel.codes)), dtype=np.float32)
    dense[np.arange(len(panel.members)), panel.country] = 1
    every = max(1, len(members) // LINKAGE_PEOPLE)
    linked: list[NDArray[np.int8]] = []
    places: list[Array] = []
    for chunk in read_chunks(small):
        genotypes = chunk.genotypes()
        own = chunk.of(members)
        genotypes_own = own.genotypes()
        copies = genotypes_own.astype(np.float32) @ dense
        sums.differences[...] += differences(copies, 2 * dense.sum(axis=0))
        total = copies.sum(axis=1).astype(np.int64)
        varies = (total > 0) & (total < 2 * len(members))
        sums.sites[...] += varies.sum()
        sums.spectrum[...] += np.bincount(total, minlength=2 * len(members) + 1)
        changes = transition_counts(small, chunk.first_site + np.flatnonzero(varies))
        sums.transitions[...] += changes[0]
        sums.transversions[...] += changes[1]
        sums.shared_doubletons[...] += shared_doubletons(genotypes_own, dense)
        _add_people(sums, own, genotypes_own)
        _add_pairs(sums, genotypes[:, first], genotypes[:, second])
        common, frequency = common_frequency(total / (2 * len(members)))
        _add_relationship(sums, genotypes_own[common], frequency)
        linked.append(genotypes_own[common][:, ::every])
        places.append(chunk.positions[common])
    sums.relationship[...] = weigh_relationship(sums.relationship)
    if places:
        linkage = linkage_sums(np.concatenate(linked), np.concatenate(places))
        sums.linkage[...], sums.linkage_pairs[...] = linkage


def differences(copies: NDArray[np.floating], haplotypes: NDArray[np.floating]) -> Array:
    """Sum mean pairwise differences of haplotypes over sites, within and between groups.

    Args:
        copies: Derived alleles by site and group, shape (m, k).
        haplotypes: Number of haplotypes of each group, shape (k,).

    Returns:
        Differences, shape (k, k). The diagonal compares different haplotypes of one group; it is
        NaN if the group has only one.
    """
    n = haplotypes.astype(np.float64)
    p = copies.astype(np.float64) / n
    sums = p.sum(axis=0)
    between = sums[:, None] + sums - 2 * p.T @ p
    with np.errstate(invalid="ignore", divide="ignore"):
        np.fill_diagonal(between, (2 * p * (1 - p)).sum(axis=0) * n / (n - 1))
    return between


def weigh_relationship(relationship: Array) -> Array:
    """Weigh a block's relationships by what they say: the inverse of their variance.

    Where little recombines, many sites have one genealogy and say as much as one. Without weights
    such blocks outweigh the others in principal components. Published components come from sites
    pruned by linkage disequilibrium (Novembre et al. 2008) for this reason.

    Args:
        relationship: Sums of a block, shape (n, n).

    Returns:
        The sums divided by the variance between different people, with the mean of one person's
        relationship to itself as unit. Zeros if there is no variance.
    """
    unit = np.diag(relationship).mean() if len(relationship) else 0.0
    if len(relationship) < 3 or unit == 0:
        return np.zeros_like(relationship)
    scaled = relationship / unit
    variance = float(scaled[np.triu_indices(len(scaled), 1)].var())
    return scaled / variance if variance > 0 else np.zeros_like(scaled)


def _differences_on_x(ts: tskit.TreeSequence, panel: MeasuredPeople) -> Array:
    """Compute pairwise differences within each country, shape (k,). A man has one X."""
    small, owner = restrict(ts, panel.members)
    dense = np.zeros((len(owner), len(panel.codes)), dtype=np.float32)
    dense[np.arange(len(owner)), panel.country[owner]] = 1
    total = np.zeros(len(panel.codes))
    for chunk in read_chunks(small):
        copies = chunk.derived.astype(np.float32) @ dense
        total += np.diag(differences(copies, dense.sum(axis=0)))
    return total


def _add_people(sums: BlockMeasures, own: Haplotypes, genotypes: NDArray[np.int8]) -> None:
    sums.heterozygous[...] += (genotypes == 1).sum(axis=0)
    sums.homozygous[...] += (genotypes == 2).sum(axis=0)
    # A haplotype of the next person serves as the reference genome.
    reference = np.roll(own.derived[:, 0::2], -1, axis=1)
    sums.homozygous_other[...] += (genotypes == 2 - 2 * reference).sum(axis=0)


def _add_pairs(sums: BlockMeasures, first: NDArray[np.int8], second: NDArray[np.int8]) -> None:
    sums.pair_both_heterozygous[...] += ((first == 1) & (second == 1)).sum(axis=0)
    sums.pair_opposite[...] += (np.abs(first - second) == 2).sum(axis=0)
    sums.pair_heterozygous[:, 0] += (first == 1).sum(axis=0)
    sums.pair_heterozygous[:, 1] += (second == 1).sum(axis=0)


def _add_relationship(sums: BlockMeasures, genotypes: NDArray[np.int8], frequency: Array) -> None:
    """Add genotypes standardised by sqrt(2p(1 - p)) (Patterson, Price and Reich 2006)."""
    p = frequency[:, None].astype(np.float32)
    z = (genotypes - 2 * p) / np.sqrt(2 * p * (1 - p))
    sums.relationship[...] += z.T @ z
    sums.common_sites[...] += len(genotypes)
