"""One sparse pass over a block: who carries what, and counts by group.

A dense genotype matrix is never made. Sites come in chunks. Within a site the carrying haplotypes
are in the order of people, whatever the order of nodes in the tree sequence.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import tskit
from numpy.typing import NDArray

from rehearsal.errors import InputError, shown
from rehearsal.genomes import allele_kernels, carrier_kernels
from rehearsal.genomes.structural import site_spans
from rehearsal.logs import Progress

MAX_ALLELES = 255  # an allele index is one byte


@dataclass(frozen=True, slots=True)
class Haplotypes:
    """The haplotypes of a block in the order of people.

    Individual *i* of the tree sequence is person *i*. A person's haplotypes follow each other in
    the order of node id. On chrX a man has one; on chrY a woman has none.
    """

    node: NDArray[np.int32]  # (n_haplotypes,) sample node
    individual: NDArray[np.int32]  # (n_haplotypes,) index of the person
    ploidy: NDArray[np.int8]  # (n_people,) 0, 1 or 2
    offset: NDArray[np.int64]  # (n_people + 1,) first haplotype of each person

    @classmethod
    def of(cls, ts: tskit.TreeSequence) -> Haplotypes:
        """Read the haplotypes of a tree sequence.

        Args:
            ts: A tree sequence whose sample nodes belong to individuals.

        Returns:
            Its haplotypes.

        Raises:
            InputError: A sample node has no individual, or an individual has more than two.
        """
        samples = ts.samples()
        owner = ts.nodes_individual[samples]
        if np.any(owner < 0):
            node = samples[np.argmin(owner)]
            expected = "an individual of each sample node"
            raise InputError("tree sequence", f"node {node}", expected, "none")
        order = np.lexsort((samples, owner))
        ploidy = np.bincount(owner, minlength=ts.num_individuals)
        if ploidy.max(initial=0) > 2:
            key = f"individual {np.argmax(ploidy)}"
            found = shown(int(ploidy.max()))
            raise InputError("tree sequence", key, "at most two sample nodes", found)
        return cls(
            node=samples[order],
            individual=owner[order].astype(np.int32),
            ploidy=ploidy.astype(np.int8),
            offset=np.concatenate(([0], np.cumsum(ploidy))),
        )

    @property
    def count(self) -> int:
        """Number of haplotypes."""
        return self.node.size


@dataclass(frozen=True, slots=True)
class Alleles:
    """The distinct alleles of all sites of a block, as one string of bytes."""

    site_offset: NDArray[np.int64]  # (n_sites + 1,) first allele of each site, the ancestral one
    text: NDArray[np.uint8]  # ASCII letters of all alleles
    text_offset: NDArray[np.int32]  # (n_alleles + 1,) first letter of each allele
    # (n_alleles,) last letters that an alternate allele shares with REF and that its own name lacks
    shared_end: NDArray[np.int32]

    def of_site(self, site: int) -> tuple[str, ...]:
        """List the alleles of a site.

        Args:
            site: Index of the site in the tree sequence.

        Returns:
            The ancestral allele, then the others in order of first appearance.
        """
        first, end = self.site_offset[site], self.site_offset[site + 1]
        ends = self.text_offset[first : end + 1].tolist()
        text = self.text[ends[0] : ends[-1]].tobytes().decode()
        return tuple(text[a - ends[0] : b - ends[0]] for a, b in pairwise(ends))

    def names_at(self, site: int) -> list[tuple[str, str]]:
        """List the alternate alleles of a site by their own names.

        Args:
            site: Index of the site in the tree sequence.

        Returns:
            REF and ALT of each, with the fewest bases (:mod:`rehearsal.genomes.allele_names`).
        """
        ref, *alts = self.of_site(site)
        first = int(self.site_offset[site]) + 1
        shared = self.shared_end[first : first + len(alts)].tolist()
        return [
            (ref[: len(ref) - cut], alt[: len(alt) - cut])
            for alt, cut in zip(alts, shared, strict=True)
        ]


@dataclass(frozen=True, slots=True)
class CarrierChunk:
    """Carriers of S consecutive sites, with E entries in all.

    The arrays are reused: they are valid until you ask for the next chunk.
    """

    first_site: int  # index of the chunk's first site in the tree sequence
    positions: NDArray[np.int64]  # (S,) 0-based
    table: Alleles  # of the whole block
    indptr: NDArray[np.int64]  # (S + 1,) entries of site s: indptr[s]:indptr[s + 1]
    haplotype: NDArray[np.int32]  # (E,) ascending within a site
    allele: NDArray[np.uint8]  # (E,) index into the site's alleles, at least 1
    affected_end: NDArray[np.int64]  # (S,) end of the affected bases of the reference, exclusive
    svlen: NDArray[np.int64]  # (S,) length of the structural variant, 0: the site has none

    @property
    def alleles(self) -> list[tuple[str, ...]]:
        """Alleles of each site, the ancestral one first."""
        return [self.table.of_site(self.first_site + s) for s in range(self.positions.size)]

    @property
    def row_offset(self) -> NDArray[np.int64]:
        """First row of each site, shape (S + 1,), int64.

        The alternate alleles of site s are the rows ``row_offset[s]:row_offset[s + 1]``.
        """
        sites = np.arange(self.positions.size + 1)
        offset = self.table.site_offset[self.first_site + sites]
        return offset - offset[0] - sites

    def cuts(self, present: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count the last bases that each site's record loses to be in normal form.

        Args:
            present: Which alternate alleles the records have, shape (rows,).

        Returns:
            The bases that REF and all present alleles share, shape (S,), int64.
        """
        cut = np.zeros(self.positions.size, np.int64)
        first = self.table.site_offset[self.first_site :]
        find_cuts = allele_kernels.find_cuts
        find_cuts(first, self.row_offset, self.table.shared_end, present, cut)
        return cut


@dataclass(frozen=True, slots=True)
class GroupCounts:
    """Counts of R alternate alleles in G groups of people."""

    site: NDArray[np.int64]  # (R,) index within the chunk
    allele: NDArray[np.int64]  # (R,) at least 1
    an: NDArray[np.int64]  # (G,) alleles called: there is no missing genotype
    hom: NDArray[np.int32]  # (R, G) PEOPLE with two copies
    het: NDArray[np.int32]  # (R, G) people with one copy of two
    hemi: NDArray[np.int32]  # (R, G) people with one copy of one

    @property
    def ac(self) -> NDArray[np.int32]:
        """Copies of each allele in each group, shape (R, G), int32."""
        return 2 * self.hom + self.het + self.hemi

    def by_zygosity(self, groups: slice = slice(None)) -> NDArray[np.int32]:
        """Stack the counts of people by zygosity.

        Args:
            groups: The groups to return; all by default.

        Returns:
            Homozygous, heterozygous and hemizygous people, shape (R, groups, 3), int32.
        """
        return np.stack([kind[:, groups] for kind in (self.hom, self.het, self.hemi)], axis=2)


def carrier_chunks(
    ts: tskit.TreeSequence,
    haplotypes: Haplotypes | None = None,
    *,
    max_sites: int = 8192,
    max_entries: int = 16_000_000,
) -> Iterator[CarrierChunk]:
    """Walk over all sites of a tree sequence, once.

    Every sample is taken to be called: an isolated one has the ancestral allele. Beside the tree
    sequence, memory is bounded by ``max_entries`` at 5 bytes each, plus 40 bytes per node and 8 per
    edge.

    Args:
        ts: The tree sequence of a block.
        haplotypes: Its haplotypes. By default :meth:`Haplotypes.of` reads them.
        max_sites: Largest number of sites in a chunk.
        max_entries: Largest number of entries in a chunk. Raised to the number of haplotypes where
            it is smaller.

    Yields:
        Chunks of consecutive sites. Their arrays are valid until the next chunk.

    Raises:
        InputError: An individual has three sample nodes, a sample has no individual, a site has
            more than 255 alternate alleles, or one whose first bases are not needed.
    """
    haplotypes = Haplotypes.of(ts) if haplotypes is None else haplotypes
    if ts.num_sites == 0:
        return
    label = _preorder_labels(ts)
    table, mutations = _alleles_and_mutations(ts, label)
    edges = _edges(ts, label)
    forest = _forest(ts, label, haplotypes)
    scratch = _scratch(haplotypes.count)
    entries = max(max_entries, haplotypes.count)
    haplotype, allele = np.empty(entries, np.int32), np.empty(entries, np.uint8)
    indptr = np.empty(max_sites + 1, np.int64)
    positions = ts.sites_position
    affected_end, svlen = site_spans(ts)
    site, progress = 0, Progress(ts.num_sites, "sites")
    while site < ts.num_sites:
        stop = min(site + max_sites, ts.num_sites)
        done = carrier_kernels.walk_sites(
            site, stop, positions, mutations, edges, forest, scratch, indptr, haplotype, allele
        )
        end = indptr[done - site]
        yield CarrierChunk(
            first_site=site,
            positions=positions[site:done].astype(np.int64),
            table=table,
            indptr=indptr[: done - site + 1],
            haplotype=haplotype[:end],
            allele=allele[:end],
            affected_end=affected_end[site:done],
            svlen=svlen[site:done],
        )
        progress.step(done - site)
        site = done


def count_groups(
    chunk: CarrierChunk, haplotypes: Haplotypes, group: NDArray[np.integer], groups: int
) -> GroupCounts:
    """Count each alternate allele of a chunk in each group of people.

    The counts are exact for multi-allelic sites: a person with two different alternate alleles is
    heterozygous for both.

    Args:
        chunk: Carriers of some sites.
        haplotypes: The haplotypes of the block.
        group: Group of each individual, in ``[0, groups)``, shape (n_people,).
        groups: Number of groups.

    Returns:
        The counts, one row per site and alternate allele.
    """
    offset = chunk.row_offset
    rows = int(offset[-1])
    hom, het, hemi = (np.zeros((rows, groups), np.int32) for _ in range(3))
    carrier_kernels.count_rows(
        chunk.indptr,
        chunk.haplotype,
        chunk.allele,
        offset,
        haplotypes.individual,
        haplotypes.ploidy,
        np.ascontiguousarray(group, np.int32),
        hom,
        het,
        hemi,
    )
    site = np.repeat(np.arange(chunk.positions.size), np.diff(offset))
    return GroupCounts(
        site=site,
        allele=np.arange(rows) - offset[site] + 1,
        an=np.bincount(group, weights=haplotypes.ploidy, minlength=groups).astype(np.int64),
        hom=hom,
        het=het,
        hemi=hemi,
    )


def _preorder_labels(ts: tskit.TreeSequence) -> NDArray[np.int32]:
    """Number the nodes anew: first those of the tree in the middle of the sites, in preorder."""
    middle = ts.at(ts.sites_position[ts.num_sites // 2]).preorder()
    label = np.full(ts.num_nodes, -1, np.int32)
    label[middle] = np.arange(middle.size, dtype=np.int32)
    rest = np.flatnonzero(label < 0)
    label[rest] = np.arange(middle.size, ts.num_nodes, dtype=np.int32)
    return label


def _edges(ts: tskit.TreeSequence, label: NDArray[np.int32]) -> carrier_kernels.Edges:
    return carrier_kernels.Edges(
        left=ts.edges_left,
        right=ts.edges_right,
        parent=label[ts.edges_parent],
        child=label[ts.edges_child],
        insertion=ts.indexes_edge_insertion_order,
        removal=ts.indexes_edge_removal_order,
        cursor=np.zeros(2, np.int64),
    )


def _forest(
    ts: tskit.TreeSequence, label: NDArray[np.int32], haplotypes: Haplotypes
) -> carrier_kernels.Forest:
    """Build the forest before the first edge: every sample alone."""
    by_label = np.argsort(label[haplotypes.node])
    own = np.full(ts.num_nodes, -1, np.int32)
    own[label[haplotypes.node[by_label]]] = np.arange(haplotypes.count, dtype=np.int32)
    following = np.empty((haplotypes.count, 2), np.int32)
    following[:, 0] = -1
    following[:, 1] = by_label
    nobody = np.full(ts.num_nodes, -1, np.int32)
    return carrier_kernels.Forest(
        parent=nobody,
        left_child=nobody.copy(),
        right_child=nobody.copy(),
        left_sibling=nobody.copy(),
        right_sibling=nobody.copy(),
        own=own,
        first=own.copy(),
        last=own.copy(),
        following=following,
    )


def _scratch(haplotypes: int) -> carrier_kernels.Scratch:
    sizes = [haplotypes // 64**level + 1 for level in (1, 2, 3)]
    return carrier_kernels.Scratch(
        np.full(haplotypes, -1, np.int16), *(np.zeros(size, np.uint64) for size in sizes)
    )


def _alleles_and_mutations(
    ts: tskit.TreeSequence, label: NDArray[np.int32]
) -> tuple[Alleles, carrier_kernels.Mutations]:
    sites, mutations = ts.tables.sites, ts.tables.mutations
    offset = np.searchsorted(mutations.site, np.arange(ts.num_sites + 1)).astype(np.int64)
    ancestral = sites.ancestral_state, sites.ancestral_state_offset.astype(np.int64)
    derived = mutations.derived_state, mutations.derived_state_offset.astype(np.int64)
    allele = np.empty(ts.num_mutations, np.int64)
    source = np.empty(ts.num_sites + ts.num_mutations, np.int64)
    site_offset = np.empty(ts.num_sites + 1, np.int64)
    allele_kernels.index_alleles(*ancestral, *derived, offset, allele, source, site_offset)
    if allele.max(initial=0) > MAX_ALLELES:
        position = ts.sites_position[mutations.site[np.argmax(allele)]]
        key, expected = f"position {position + 1:.0f}", f"at most {MAX_ALLELES} alternate alleles"
        raise InputError("tree sequence", key, expected, shown(int(allele.max())))
    text = np.empty(ancestral[0].size + derived[0].size, np.uint8)
    text_offset = np.empty(site_offset[-1] + 1, np.int32)
    allele_kernels.copy_alleles(*ancestral, *derived, source, site_offset, text, text_offset)
    return (
        Alleles(site_offset, text, text_offset, _shared_ends(ts, site_offset, text, text_offset)),
        carrier_kernels.Mutations(offset, label[mutations.node], allele.astype(np.uint8)),
    )


def _shared_ends(
    ts: tskit.TreeSequence,
    site_offset: NDArray[np.int64],
    text: NDArray[np.uint8],
    text_offset: NDArray[np.int32],
) -> NDArray[np.int32]:
    """Find the last letters that alleles lose. Cutting first ones would reorder records."""
    shared = np.empty(text_offset.size - 1, np.int32)
    wrong = allele_kernels.find_shared_ends(site_offset, text, text_offset, shared)
    if wrong >= 0:
        key = f"position {ts.sites_position[wrong] + 1:.0f}"
        expected = "alleles that differ in the first base or behind it"
        alleles = Alleles(site_offset, text, text_offset, shared).of_site(wrong)
        raise InputError("tree sequence", key, expected, ", ".join(alleles))
    return shared
