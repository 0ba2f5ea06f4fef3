"""Counts of the alternate alleles of a block by class, and structural variants by person."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np
import tskit
from numpy.typing import NDArray

from rehearsal.model import Block
from rehearsal.realism.genotypes import sample_nodes

# what ``count_small`` counts, in this order
SMALL = (
    "snv_sites",
    "multiallelic_snv_sites",
    "snvs",
    "cpg_transitions",
    "insertions",
    "deletions",
    "indels_of_one_base",
    "indels_in_repeats",
)
STRUCTURAL = ("DEL", "DUP", "INS", "INV", "CNV")
LEAST_RUN, LEAST_COPIES = 6, 3  # bases and copies of a unit that make a repeat


def count_small(
    ts: tskit.TreeSequence, block: Block, reference: str, planted: Collection[int]
) -> NDArray[np.float64]:
    """Count the different alleles of a block's sites that are written as bases.

    Args:
        ts: The tree sequence of the whole cohort.
        block: The block.
        reference: The block's bases.
        planted: 0-based positions that are not counted.

    Returns:
        Counts in the order of ``SMALL``, shape (8,).
    """
    site, derived = _alleles(ts, planted)
    ancestral = ts.sites_ancestral_state[site]
    before, after = np.strings.str_len(ancestral), np.strings.str_len(derived)
    snv = (before == 1) & (after == 1)
    indel = before != after
    sites, alleles = np.unique(site[snv], return_counts=True)
    start = ts.sites_position[site].astype(np.int64) - block.start
    in_repeats = sum(
        _in_repeat(reference, *row)
        for row in zip(start[indel], ancestral[indel], derived[indel], strict=True)
    )
    counts = {
        "snv_sites": sites.size,
        "multiallelic_snv_sites": (alleles > 1).sum(),
        "snvs": snv.sum(),
        "cpg_transitions": _cpg_transitions(reference, start[snv], derived[snv]),
        "insertions": (after > before).sum(),
        "deletions": (after < before).sum(),
        "indels_of_one_base": (np.abs(after - before) == 1).sum(),
        "indels_in_repeats": in_repeats,
    }
    return np.array([counts[name] for name in SMALL], np.float64)


def count_structural(ts: tskit.TreeSequence, people: NDArray[np.integer]) -> NDArray[np.float64]:
    """Count the structural variants of each person against a reference.

    A haplotype of the next person serves as the reference. A variant counts once, whether it is
    heterozygous or homozygous.

    Args:
        ts: The tree sequence of the whole cohort, of an autosome.
        people: Numbers of n individuals.

    Returns:
        Counts by type and person, shape (5, n).
    """
    types = structural_types(ts)
    ts = ts.delete_sites(np.flatnonzero(types < 0), record_provenance=False)
    types = types[types >= 0]
    counts = np.zeros((len(STRUCTURAL), len(people)))
    variant = tskit.Variant(ts, samples=sample_nodes(ts, people).ravel())
    for site, kind in enumerate(types.tolist()):
        variant.decode(site)
        own = variant.genotypes.reshape(-1, 2)
        reference = np.roll(own[:, 0], -1)
        counts[kind] += (own != reference[:, None]).any(axis=1)
    return counts


def structural_types(ts: tskit.TreeSequence) -> NDArray[np.int64]:
    """Return the index into ``STRUCTURAL`` of each site, -1 for sites without such alleles.

    Args:
        ts: A tree sequence.

    Returns:
        Shape (n_sites,).
    """
    types = np.full(ts.num_sites, -1, np.int64)
    states = ts.mutations_derived_state
    for mutation in np.flatnonzero(np.strings.startswith(states, "<")).tolist():
        kind = states[mutation][1:-1].split(":")[0]
        kind = "CNV" if kind.startswith("CN") else kind
        types[ts.mutations_site[mutation]] = STRUCTURAL.index(kind)
    return types


def _alleles(
    ts: tskit.TreeSequence, planted: Collection[int]
) -> tuple[NDArray[np.int64], NDArray[np.str_]]:
    """List the site and the text of each different alternate allele that is written as bases."""
    site = ts.mutations_site.astype(np.int64)
    derived = ts.mutations_derived_state
    kept = derived != ts.sites_ancestral_state[site]
    kept &= ~np.strings.startswith(derived, "<")
    kept &= ~np.isin(ts.sites_position[site], list(planted))
    seen: set[tuple[int, str]] = set()
    several = np.bincount(site, minlength=ts.num_sites)[site] > 1
    for mutation in np.flatnonzero(kept & several).tolist():
        allele = int(site[mutation]), str(derived[mutation])
        kept[mutation] = allele not in seen
        seen.add(allele)
    return site[kept], derived[kept]


def _cpg_transitions(reference: str, start: NDArray[np.int64], derived: NDArray[np.str_]) -> int:
    """Count changes of CG to TG or CA."""
    bases = np.frombuffer(f"N{reference}N".encode(), np.uint8)
    own, previous, following = bases[start + 1], bases[start], bases[start + 2]
    to_t = (own == ord("C")) & (following == ord("G")) & (derived == "T")
    to_a = (own == ord("G")) & (previous == ord("C")) & (derived == "A")
    return int((to_t | to_a).sum())


def _in_repeat(reference: str, start: int, ancestral: str, derived: str) -> bool:
    """Tell whether an indel adds or removes units of a repeat of the reference.

    The indel is left-aligned, so the repeat follows its first base.
    """
    longer, shorter = sorted((str(ancestral), str(derived)), key=len, reverse=True)
    bases = longer[1 : 1 + len(longer) - len(shorter)]
    period = next(p for p in range(1, len(bases) + 1) if bases[p:] == bases[:-p])
    unit, place = bases[:period], start + 1
    while reference.startswith(unit, place):
        place += period
    return place - start - 1 >= max(LEAST_RUN, LEAST_COPIES * period)
