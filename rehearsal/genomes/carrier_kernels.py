"""The compiled walk along the trees that :mod:`rehearsal.genomes.carriers` drives.

The forest is kept as tskit keeps it (parent, child and sibling links; Kelleher et al. 2016,
doi:10.1371/journal.pcbi.1004842), with its sample lists: every node knows the first and the last
sample below it and every sample the next, so that the samples below a node are one linked list.
Nodes and samples are numbered by a preorder of one tree in the middle, which makes such a list
run through memory almost in order.
"""

from __future__ import annotations

from typing import NamedTuple

import numba
import numpy as np
from numba.cpython.unsafe.numbers import trailing_zeros
from numpy.typing import NDArray

SHORT_LIST = 24  # below this an insertion sort is faster than the bitmap


class Edges(NamedTuple):
    """The edge table with relabelled nodes, and tskit's two orders of it."""

    left: NDArray[np.float64]
    right: NDArray[np.float64]
    parent: NDArray[np.int32]
    child: NDArray[np.int32]
    insertion: NDArray[np.int32]
    removal: NDArray[np.int32]
    cursor: NDArray[np.int64]  # [inserted, removed]: how far the walk has come


class Forest(NamedTuple):
    """The links of the current tree; -1 stands for none."""

    parent: NDArray[np.int32]
    left_child: NDArray[np.int32]
    right_child: NDArray[np.int32]
    left_sibling: NDArray[np.int32]
    right_sibling: NDArray[np.int32]
    own: NDArray[np.int32]  # the node's own sample, if it is one
    first: NDArray[np.int32]  # first sample at or below the node
    last: NDArray[np.int32]
    following: NDArray[np.int32]  # by sample: [the next one, its haplotype]


class Mutations(NamedTuple):
    """The mutations of all sites, in tskit's order (a parent before its children)."""

    offset: NDArray[np.int64]  # by site
    node: NDArray[np.int32]
    allele: NDArray[np.uint8]  # index into the site's alleles, 0 = ancestral


class Scratch(NamedTuple):
    """Working memory that is clean between sites."""

    state: NDArray[np.int16]  # by haplotype, -1 = untouched
    bits: NDArray[np.uint64]  # a bitmap of haplotypes
    words: NDArray[np.uint64]  # which words of ``bits`` are not zero
    pages: NDArray[np.uint64]  # which words of ``words`` are not zero


@numba.njit(cache=True)
def _refresh(u: int, forest: Forest) -> None:
    """Join the lists of u's children anew, and upward while an end of a list moved."""
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


@numba.njit(cache=True)
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


@numba.njit(cache=True)
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


@numba.njit(cache=True)
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


@numba.njit(cache=True)
def _sort_by_bitmap(values: NDArray[np.int32], scratch: Scratch) -> None:
    """Sort distinct haplotypes in place: set their bits, read the bits back in order."""
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


@numba.njit(cache=True)
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


@numba.njit(cache=True)
def _one_mutation(
    node: int, allele: int, w: int, haplotype: NDArray[np.int32], out: NDArray[np.uint8], f: Forest
) -> int:
    """Write the haplotypes below the node; returns the end of what was written."""
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


@numba.njit(cache=True)
def _all_mutations(
    m0: int, m1: int, w: int, haplotype: NDArray[np.int32], m: Mutations, f: Forest, s: Scratch
) -> int:
    """Write every haplotype that a mutation of the site touches; its state ends in scratch."""
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


@numba.njit(cache=True)
def _keep_carriers(
    w0: int, w1: int, haplotype: NDArray[np.int32], out: NDArray[np.uint8], scratch: Scratch
) -> int:
    """Drop haplotypes that mutated back to the ancestral allele, and clean their states."""
    w = w0
    for q in range(w0, w1):
        h = haplotype[q]
        if scratch.state[h] > 0:
            haplotype[w] = h
            out[w] = scratch.state[h]
            w += 1
        scratch.state[h] = -1
    return w


@numba.njit(cache=True)
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
    """Fill carriers of the sites from ``site`` on; returns the first site that was not done.

    It ends at ``stop`` or where the next site might not fit into ``haplotype``.
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


@numba.njit(cache=True)
def _same(a: NDArray[np.int8], a0: int, a1: int, b: NDArray[np.int8], b0: int, b1: int) -> bool:
    if a1 - a0 != b1 - b0:
        return False
    for i in range(a1 - a0):  # noqa: SIM110 (numba has no generator expressions)
        if a[a0 + i] != b[b0 + i]:
            return False
    return True


@numba.njit(cache=True)
def index_alleles(
    ancestral: NDArray[np.int8],
    ancestral_offset: NDArray[np.int64],
    derived: NDArray[np.int8],
    derived_offset: NDArray[np.int64],
    mutation_offset: NDArray[np.int64],
    allele: NDArray[np.int64],
    source: NDArray[np.int64],
    offset: NDArray[np.int64],
) -> None:
    """Number each site's distinct alleles in order of first appearance, the ancestral one 0.

    Fills ``allele`` (by mutation), ``offset`` (by site) into the list of all alleles and ``source``
    (by allele): the mutation that introduced it, or -1 for the ancestral allele.
    """
    n = 0
    for site in range(ancestral_offset.size - 1):
        offset[site] = n
        source[n] = -1
        n += 1
        a0, a1 = ancestral_offset[site], ancestral_offset[site + 1]
        for m in range(mutation_offset[site], mutation_offset[site + 1]):
            d0, d1 = derived_offset[m], derived_offset[m + 1]
            found = -1
            if _same(derived, d0, d1, ancestral, a0, a1):
                found = 0
            for k in range(offset[site] + 1, n):
                s = source[k]
                if _same(derived, d0, d1, derived, derived_offset[s], derived_offset[s + 1]):
                    found = k - offset[site]
            if found == -1:
                found = n - offset[site]
                source[n] = m
                n += 1
            allele[m] = found
    offset[ancestral_offset.size - 1] = n


@numba.njit(cache=True)
def copy_alleles(
    ancestral: NDArray[np.int8],
    ancestral_offset: NDArray[np.int64],
    derived: NDArray[np.int8],
    derived_offset: NDArray[np.int64],
    source: NDArray[np.int64],
    offset: NDArray[np.int64],
    text: NDArray[np.uint8],
    text_offset: NDArray[np.int32],
) -> None:
    """The letters of all alleles, one after the other; ``text`` must be large enough."""
    w = 0
    for site in range(offset.size - 1):
        for k in range(offset[site], offset[site + 1]):
            text_offset[k] = w
            if source[k] == -1:
                for i in range(ancestral_offset[site], ancestral_offset[site + 1]):
                    text[w] = ancestral[i]
                    w += 1
            else:
                for i in range(derived_offset[source[k]], derived_offset[source[k] + 1]):
                    text[w] = derived[i]
                    w += 1
    text_offset[offset[-1]] = w


@numba.njit(cache=True)
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
    """Count PEOPLE by row (site and alternate allele) and group."""
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
