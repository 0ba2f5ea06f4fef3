"""Compiled code for the walk along the trees that :mod:`rehearsal.genomes.carriers` drives.

The forest is kept as in tskit (parent, child and sibling links; Kelleher et al. 2016,
doi:10.1371/journal.pcbi.1004842), with sample lists: each node knows the first and the last sample
below it, and each sample knows the next one. So the samples below a node are one linked list.
Nodes and samples are numbered by a preorder of a tree in the middle of the block. This makes such
a list run through memory almost in order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part

SHORT_LIST = 24  # below this an insertion sort is faster than the bitmap


class Edges(NamedTuple):
    """The edge table with relabelled nodes, and tskit's two orders of its rows."""

    left: NDArray[np.float64]  # (n_edges,) 0-based, inclusive
    right: NDArray[np.float64]  # (n_edges,) exclusive
    parent: NDArray[np.int32]  # (n_edges,) relabelled node
    child: NDArray[np.int32]  # (n_edges,)
    insertion: NDArray[np.int32]  # (n_edges,) edges by left end
    removal: NDArray[np.int32]  # (n_edges,) edges by right end
    cursor: NDArray[np.int64]  # (2,) number of edges inserted and removed so far


class Forest(NamedTuple):
    """The links of the current tree. -1 stands for none."""

    parent: NDArray[np.int32]  # (n_nodes,)
    left_child: NDArray[np.int32]  # (n_nodes,)
    right_child: NDArray[np.int32]  # (n_nodes,)
    left_sibling: NDArray[np.int32]  # (n_nodes,)
    right_sibling: NDArray[np.int32]  # (n_nodes,)
    own: NDArray[np.int32]  # (n_nodes,) sample number of the node, if it is a sample
    first: NDArray[np.int32]  # (n_nodes,) first sample at or below the node
    last: NDArray[np.int32]  # (n_nodes,) last sample at or below the node
    following: NDArray[np.int32]  # (n_samples, 2) the next sample, and this one's haplotype


class Mutations(NamedTuple):
    """The mutations of all sites, in tskit's order: a parent stands before its children."""

    offset: NDArray[np.int64]  # (n_sites + 1,) first mutation of each site
    node: NDArray[np.int32]  # (n_mutations,) relabelled node
    allele: NDArray[np.uint8]  # (n_mutations,) index into the site's alleles, 0 = ancestral


class Scratch(NamedTuple):
    """Working memory, reset after each site."""

    state: NDArray[np.int16]  # (n_haplotypes,) allele at the site, -1 = untouched
    bits: NDArray[np.uint64]  # bitmap of haplotypes, 64 to a word
    words: NDArray[np.uint64]  # bitmap of the words of ``bits`` that are not zero
    pages: NDArray[np.uint64]  # bitmap of the words of ``words`` that are not zero


@part
def _refresh(u: int, forest: Forest) -> None:
    """Relink the sample lists of u's children, and go up while an end of a list has moved."""
    while u != -1:
        first = forest.own[u]
        last = first
        v = forest.left_child[u]
        while v != -1:
            if forest.first[v] != -1:
                if first == -1:
                    first = forest.first[v]
                else:
                    forest.following[last, 0] = forest.first[v]
                last = forest.last[v]
            v = forest.right_sibling[v]
        if first == forest.first[u] and last == forest.last[u]:
            return
        forest.first[u] = first
        forest.last[u] = last
        u = forest.parent[u]


@part
def _detach(c: int, forest: Forest) -> None:
    p = forest.parent[c]
    left = forest.left_sibling[c]
    right = forest.right_sibling[c]
    if left == -1:
        forest.left_child[p] = right
    else:
        forest.right_sibling[left] = right
    if right == -1:
        forest.right_child[p] = left
    else:
        forest.left_sibling[right] = left
    forest.parent[c] = -1
    forest.left_sibling[c] = -1
    forest.right_sibling[c] = -1
    _refresh(p, forest)


@part
def _attach(p: int, c: int, forest: Forest) -> None:
    last = forest.right_child[p]
    if last == -1:
        forest.left_child[p] = c
    else:
        forest.right_sibling[last] = c
    forest.left_sibling[c] = last
    forest.right_child[p] = c
    forest.parent[c] = p
    _refresh(p, forest)


@part
def _advance(position: float, edges: Edges, forest: Forest) -> None:
    """Move to the tree that covers the position: at each breakpoint removals, then insertions."""
    j, k = edges.cursor
    n = edges.left.size
    while True:
        at = np.inf
        if k < n:
            at = edges.right[edges.removal[k]]
        if j < n:
            at = min(at, edges.left[edges.insertion[j]])
        if at > position or at == np.inf:
            break
        while k < n and edges.right[edges.removal[k]] == at:
            _detach(edges.child[edges.removal[k]], forest)
            k += 1
        while j < n and edges.left[edges.insertion[j]] == at:
            e = edges.insertion[j]
            _attach(edges.parent[e], edges.child[e], forest)
            j += 1
    edges.cursor[0] = j
    edges.cursor[1] = k


@part
def _sort_by_bitmap(values: NDArray[np.int32], scratch: Scratch) -> None:
    """Sort distinct haplotypes in place: set their bits, then read the bits back in order."""
    bits, words, pages = scratch.bits, scratch.words, scratch.pages
    one = np.uint64(1)
    for i in range(values.size):
        v = np.uint64(values[i])
        w = v >> np.uint64(6)
        p = v >> np.uint64(12)
        bits[w] |= one << (v & np.uint64(63))
        words[p] |= one << (w & np.uint64(63))
        pages[p >> np.uint64(6)] |= one << (p & np.uint64(63))
    n = 0
    for q in range(pages.size):
        page = pages[q]
        pages[q] = 0
        while page:
            p = np.uint64(q * 64) + trailing_zeros(page)  # type: ignore[call-arg]  # numba adds one
            page &= page - one
            word = words[p]
            words[p] = 0
            while word:
                w = (p << np.uint64(6)) + trailing_zeros(word)
                word &= word - one
                left = bits[w]
                bits[w] = 0
                base = w << np.uint64(6)
                while left:
                    values[n] = np.int32(base + trailing_zeros(left))
                    n += 1
                    left &= left - one


@part
def _sort(values: NDArray[np.int32], scratch: Scratch) -> None:
    if values.size > SHORT_LIST:
        _sort_by_bitmap(values, scratch)
        return
    for i in range(1, values.size):
        v = values[i]
        j = i
        while j > 0 and values[j - 1] > v:
            values[j] = values[j - 1]
            j -= 1
        values[j] = v


@part
def _one_mutation(
    node: int, allele: int, w: int, haplotype: NDArray[np.int32], out: NDArray[np.uint8], f: Forest
) -> int:
    """Write the haplotypes below the node and return the end of what was written."""
    sample = f.first[node]
    if sample == -1 or allele == 0:
        return w
    last = f.last[node]
    while True:
        haplotype[w] = f.following[sample, 1]
        out[w] = allele
        w += 1
        if sample == last:
            return w
        sample = f.following[sample, 0]


@part
def _all_mutations(
    m0: int, m1: int, w: int, haplotype: NDArray[np.int32], m: Mutations, f: Forest, s: Scratch
) -> int:
    """Write each haplotype below any mutation of the site, and leave its allele in ``s.state``."""
    for i in range(m0, m1):
        sample = f.first[m.node[i]]
        if sample == -1:
            continue
        last = f.last[m.node[i]]
        while True:
            h = f.following[sample, 1]
            if s.state[h] == -1:
                haplotype[w] = h
                w += 1
            s.state[h] = m.allele[i]
            if sample == last:
                break
            sample = f.following[sample, 0]
    return w


@part
def _keep_carriers(
    w0: int, w1: int, haplotype: NDArray[np.int32], out: NDArray[np.uint8], scratch: Scratch
) -> int:
    """Drop haplotypes that mutated back to the ancestral allele, and reset their states."""
    w = w0
    for q in range(w0, w1):
        h = haplotype[q]
        if scratch.state[h] > 0:
            haplotype[w] = h
            out[w] = scratch.state[h]
            w += 1
        scratch.state[h] = -1
    return w


@kernel()
def walk_sites(
    site: int,
    stop: int,
    position: NDArray[np.float64],
    mutations: Mutations,
    edges: Edges,
    forest: Forest,
    scratch: Scratch,
    indptr: NDArray[np.int64],
    haplotype: NDArray[np.int32],
    allele: NDArray[np.uint8],
) -> int:
    """Fill in the carriers of consecutive sites.

    Stops at ``stop``, or earlier where the next site might not fit into ``haplotype``. Changes
    ``edges.cursor``, ``forest`` and ``scratch`` and fills the last three arrays.

    Args:
        site: First site to do.
        stop: One past the last site to do.
        position: Positions of all sites, shape (n_sites,), 0-based, ascending.
        mutations: The mutations of all sites.
        edges: The edges and how far the walk has come.
        forest: The tree at the walk's position.
        scratch: Working memory.
        indptr: Filled with the first entry of each site done and the end of the last one. Shape
            (at least ``stop - site + 1``,).
        haplotype: Filled with the carrying haplotypes, ascending within a site. Its size is at
            least the number of haplotypes.
        allele: Filled with each entry's index into the site's alleles, at least 1. Shape as
            ``haplotype``.

    Returns:
        The first site that was not done.
    """
    w = 0
    start = site
    indptr[0] = 0
    while site < stop and w + scratch.state.size <= haplotype.size:
        _advance(position[site], edges, forest)
        m0, m1 = mutations.offset[site], mutations.offset[site + 1]
        w0 = w
        if m1 - m0 == 1:
            node = mutations.node[m0]
            w = _one_mutation(node, mutations.allele[m0], w, haplotype, allele, forest)
            _sort(haplotype[w0:w], scratch)
        else:
            w = _all_mutations(m0, m1, w, haplotype, mutations, forest, scratch)
            _sort(haplotype[w0:w], scratch)
            w = _keep_carriers(w0, w, haplotype, allele, scratch)
        site += 1
        indptr[site - start] = w
    return site


@kernel()
def count_rows(
    indptr: NDArray[np.int64],
    haplotype: NDArray[np.int32],
    allele: NDArray[np.uint8],
    row_offset: NDArray[np.int64],
    individual: NDArray[np.int32],
    ploidy: NDArray[np.int8],
    group: NDArray[np.int32],
    hom: NDArray[np.int32],
    het: NDArray[np.int32],
    hemi: NDArray[np.int32],
) -> None:
    """Count PEOPLE by row (site and alternate allele) and group.

    The last three arrays, of shape (n_rows, n_groups), must be zero at first and are filled.

    Args:
        indptr: First entry of each site, shape (n_sites + 1,).
        haplotype: Carrying haplotypes, ascending within a site, shape (n_entries,).
        allele: Index of each entry's allele within its site, at least 1, shape (n_entries,).
        row_offset: First row of each site, shape (n_sites + 1,).
        individual: Person of each haplotype, shape (n_haplotypes,).
        ploidy: Copies of the contig of each person, shape (n_people,).
        group: Group of each person, from 0, shape (n_people,).
        hom: Filled with people who have two copies.
        het: Filled with people who have one copy of two.
        hemi: Filled with people who have one copy of one.
    """
    for site in range(indptr.size - 1):
        q, end = indptr[site], indptr[site + 1]
        base = row_offset[site] - 1
        while q < end:
            who = individual[haplotype[q]]
            g = group[who]
            row = base + allele[q]
            if ploidy[who] == 1:
                hemi[row, g] += 1
            elif q + 1 < end and individual[haplotype[q + 1]] == who:
                q += 1
                other = base + allele[q]
                if other == row:
                    hom[row, g] += 1
                else:
                    het[row, g] += 1
                    het[other, g] += 1
            else:
                het[row, g] += 1
            q += 1
