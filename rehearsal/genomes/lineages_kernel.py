"""Compiled code of ``recent_generations``: lineages, and the nodes and edges that they leave.

A lineage is a list of segments, which are the parts of one ancestor's haplotype that people of the
sample have. Lists are chains of rows in flat arrays. ``recent_generations`` sees to it that
there is room.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.compiled_code import kernel, part

NONE = -1
Row = int | np.int64  # of an array
LEFT, RIGHT, NODE, NEXT = range(4)  # columns of segments
DEME, EDGE = range(2)  # columns of nodes: where the ancestor lived, and its last edge
PARENT, CHILD, NEXT_EDGE = range(2, 5)  # columns of edges after LEFT and RIGHT
HEAD, PLACE = range(2)  # columns of lineages: the first segment, and the deme
FREE, SEGMENTS, NODES, EDGES, BASES = range(5)  # what is counted


class Record(NamedTuple):
    """All that is written while lineages are followed back in time. Bases are 0-based half-open."""

    segments: NDArray[np.int32]  # (capacity, 4) in use, or free (a chain from counts[FREE])
    nodes: NDArray[np.int32]  # (capacity, 2)
    time: NDArray[np.float64]  # (capacity,) of the nodes, in generations ago
    edges: NDArray[np.int32]  # (capacity, 5)
    # (5,) the first free segment; numbers of segments, nodes, edges; bases of all lineages
    counts: NDArray[np.int64]
    random: NDArray[np.uint64]  # (1,) state of the source of random numbers
    position: NDArray[np.float64]  # (n,) bases of the recombination map, ascending
    morgans: NDArray[np.float64]  # (n,) from base 0 to each position


@part
def uniform(state: NDArray[np.uint64]) -> float:
    """Draw a number from [0, 1) by SplitMix64 (Steele et al. 2014, doi:10.1145/2660193.2660195).

    Args:
        state: The state, shape (1,). Changed.
    """
    z = state[0] + np.uint64(0x9E3779B97F4A7C15)
    state[0] = z
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    z = z ^ (z >> np.uint64(31))
    return np.float64(z >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@part
def waiting(state: NDArray[np.uint64]) -> float:
    """Draw from the exponential distribution of mean 1.

    Args:
        state: The state of the source of random numbers, shape (1,). Changed.
    """
    return -np.log(1.0 - uniform(state))


@part
def between(x: float, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> float:
    """Interpolate along a map, from bases to Morgans or back. A crossover at x is just before x.

    Args:
        x: Where.
        xs: Ascending places, shape (n,).
        ys: What is there, shape (n,).
    """
    low, high = 0, len(xs) - 1
    while high - low > 1:
        middle = (low + high) // 2
        if xs[middle] <= x:
            low = middle
        else:
            high = middle
    width = xs[high] - xs[low]
    if width > 0.0:
        return ys[low] + (x - xs[low]) * (ys[high] - ys[low]) / width
    return ys[low]


@part
def length_of(head: int, record: Record) -> float:
    """Return the Morgans along which a crossover divides a lineage.

    Args:
        head: The lineage's first segment.
        record: Where its segments are.
    """
    last = head
    while record.segments[last, NEXT] != NONE:
        last = record.segments[last, NEXT]
    begin = between(record.segments[head, LEFT] + 1.0, record.position, record.morgans)
    end = between(np.float64(record.segments[last, RIGHT]), record.position, record.morgans)
    return max(0.0, end - begin)


@part
def new_segment(left: Row, right: int, node: int, record: Record) -> int:
    """Take a free segment.

    Args:
        left: Its first base.
        right: The first base after it.
        node: Its node.
        record: Where it is written.

    Returns:
        The segment.
    """
    counts = record.counts
    s = counts[FREE]
    if s != NONE:
        counts[FREE] = record.segments[s, NEXT]
    else:
        s = counts[SEGMENTS]
        counts[SEGMENTS] = s + 1
    segment = record.segments[s]
    segment[LEFT], segment[RIGHT], segment[NODE], segment[NEXT] = left, right, node, NONE
    return s


@part
def free_segment(s: Row, record: Record) -> None:
    """Give a segment back.

    Args:
        s: The segment.
        record: Where it was written.
    """
    record.segments[s, NEXT] = record.counts[FREE]
    record.counts[FREE] = s


@part
def add_edge(left: int, right: int, parent: Row, child: int, record: Record) -> None:
    """Write an edge. It is joined with one of the last two below the parent where they touch.

    Args:
        left: Its first base.
        right: The first base after it.
        parent: The older node.
        child: The younger node.
        record: Where it is written.
    """
    edges, last = record.edges, record.nodes[parent, EDGE]
    e = last
    for _ in range(2):
        if e != NONE:
            if edges[e, CHILD] == child and edges[e, RIGHT] == left:
                edges[e, RIGHT] = right
                return
            e = edges[e, NEXT_EDGE]
    e = record.counts[EDGES]
    record.counts[EDGES] = e + 1
    edges[e, LEFT], edges[e, RIGHT], edges[e, PARENT], edges[e, CHILD] = left, right, parent, child
    edges[e, NEXT_EDGE] = last
    record.nodes[parent, EDGE] = e


@part
def cut(head: Row, base: Row, record: Record) -> Row:
    """Cut a lineage before a base after its first one.

    Args:
        head: The lineage's first segment, which stays so for the part before the cut.
        base: The base.
        record: Where segments are written.

    Returns:
        The first segment behind the cut, ``NONE`` if there is none.
    """
    segments = record.segments
    s = head
    while segments[s, RIGHT] <= base:
        following = segments[s, NEXT]
        if following == NONE:
            return NONE
        if base <= segments[following, LEFT]:
            segments[s, NEXT] = NONE
            return following
        s = following
    tail = new_segment(base, segments[s, RIGHT], segments[s, NODE], record)
    segments[tail, NEXT] = segments[s, NEXT]
    segments[s, RIGHT], segments[s, NEXT] = base, NONE
    return tail


@part
def meet(one: Row, other: Row, node: int, time: float, deme: Row, record: Record) -> int:
    """Write a node if two lineages that come to the same haplotype have a base in common.

    Args:
        one: The first segment of a lineage.
        other: That of another one.
        node: The haplotype's node, if it has one already, else ``NONE``.
        time: Generations ago.
        deme: Where the ancestor lived.
        record: What is written.

    Returns:
        The haplotype's node, ``NONE`` if it has none.
    """
    segments, counts = record.segments, record.counts
    while node == NONE and one != NONE and other != NONE:
        if segments[one, RIGHT] <= segments[other, LEFT]:
            one = segments[one, NEXT]
        elif segments[other, RIGHT] <= segments[one, LEFT]:
            other = segments[other, NEXT]
        else:
            node = counts[NODES]
            record.time[node] = time
            record.nodes[node, DEME], record.nodes[node, EDGE] = deme, NONE
            counts[NODES] = node + 1
    return node


@part
def merge(one: Row, other: Row, node: Row, record: Record) -> Row:
    """Join two lineages that came to the same haplotype.

    Args:
        one: The first segment of a lineage.
        other: That of another one.
        node: The haplotype's node, which gets edges to all segments that are not its own; or
            ``NONE``, then segments keep theirs.
        record: Where edges and segments are written.

    Returns:
        The first segment of the joined lineage.
    """
    segments = record.segments
    head = last = np.int64(NONE)
    while one != NONE or other != NONE:
        if other == NONE or (one != NONE and segments[one, LEFT] <= segments[other, LEFT]):
            s = np.int64(one)
            one = segments[one, NEXT]
        else:
            s = np.int64(other)
            other = segments[other, NEXT]
        left, right, own = segments[s, LEFT], segments[s, RIGHT], segments[s, NODE]
        if node != NONE and node != own:
            add_edge(left, right, node, own, record)
            segments[s, NODE] = own = node
        if last != NONE and left <= segments[last, RIGHT] and own == segments[last, NODE]:
            record.counts[BASES] -= min(segments[last, RIGHT], right) - left
            segments[last, RIGHT] = max(segments[last, RIGHT], right)
            free_segment(s, record)
            continue
        segments[s, NEXT] = NONE
        if last == NONE:
            head = s
        else:
            segments[last, NEXT] = s
        last = s
    return head


@kernel()
def end_lineages(
    n: int, lineages: NDArray[np.int32], time: float, record: Record
) -> NDArray[np.int32]:
    """Write a node above each lineage whose segments belong to several nodes.

    Args:
        n: Number of lineages.
        lineages: The lineages, shape (capacity, 2).
        time: Generations ago.
        record: What is written, with room for a node per lineage and an edge per segment.

    Returns:
        The node above all that each lineage carries, shape (n,).
    """
    segments, counts = record.segments, record.counts
    above = np.empty(n, np.int32)
    for k in range(n):
        head = lineages[k, HEAD]
        above[k] = segments[head, NODE]
        s = segments[head, NEXT]
        while s != NONE and segments[s, NODE] == above[k]:
            s = segments[s, NEXT]
        if s == NONE:
            continue
        node = counts[NODES]
        counts[NODES] = node + 1
        record.time[node] = time
        record.nodes[node, DEME], record.nodes[node, EDGE] = lineages[k, PLACE], NONE
        above[k] = node
        s = head
        while s != NONE:
            add_edge(segments[s, LEFT], segments[s, RIGHT], node, segments[s, NODE], record)
            s = segments[s, NEXT]
    return above


@kernel()
def list_segments(n: int, lineages: NDArray[np.int32], record: Record) -> NDArray[np.int32]:
    """List the segments of lineages: first base, the first base after it, and the lineage's index.

    Args:
        n: Number of lineages.
        lineages: The lineages, shape (capacity, 2).
        record: Where segments are.

    Returns:
        The segments, those that touch as one, shape (n_segments, 3).
    """
    segments = record.segments
    listed = np.empty((record.counts[SEGMENTS], 3), np.int32)
    number = 0
    for k in range(n):
        s = lineages[k, HEAD]
        begin = number
        while s != NONE:
            if number > begin and listed[number - 1, 1] == segments[s, LEFT]:
                listed[number - 1, 1] = segments[s, RIGHT]
            else:
                listed[number, 0], listed[number, 1] = segments[s, LEFT], segments[s, RIGHT]
                listed[number, 2] = k
                number += 1
            s = segments[s, NEXT]
    return listed[:number].copy()


@kernel()
def grouped_edges(record: Record) -> NDArray[np.int32]:
    """List the edges by parent: left, right, parent, child.

    Args:
        record: Where edges are.

    Returns:
        The edges, shape (n_edges, 4).
    """
    listed = np.empty((record.counts[EDGES], 4), np.int32)
    number = 0
    for node in range(record.counts[NODES]):
        e = record.nodes[node, EDGE]
        while e != NONE:
            for column in range(4):
                listed[number, column] = record.edges[e, column]
            number += 1
            e = record.edges[e, NEXT_EDGE]
    return listed[:number]
