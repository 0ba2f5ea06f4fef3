"""Expected coalescence times and F_ST of any demes model, without simulation.

Two lineages are followed back through the model's history. With E[i, j] the expected time until
lineages in demes i and j coalesce,

    -dE/dt = 1 + G E + E G' - diag(E[i, i] / (2 N_i(t)))

where t runs backwards, G is the generator of backward migration and N_i the diploid size. The
equations are integrated from the oldest epoch, where they have a closed solution, to the present.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

import demes
import numpy as np
from numpy.typing import NDArray

from rehearsal.demography.periods import Period, meeting_hazards, periods, step_count
from rehearsal.errors import mismatch

Matrix = NDArray[np.float64]
SLOWEST_MOVE = 1e-7  # per generation


def expected_coalescence_times(graph: demes.Graph, names: Sequence[str]) -> Matrix:
    """Compute the expected coalescence times of pairs of present-day genomes.

    Args:
        graph: The model.
        names: The k demes to compare, which must live at time 0.

    Returns:
        Times in generations, shape (k, k). The diagonal is for two genomes of one deme.

    Raises:
        ValueError: Some of the demes share no ancestors.
    """
    labels = [deme.name for deme in graph.demes]
    order = [labels.index(name) for name in names]
    stretches = list(periods(graph.in_generations()))
    reached = _reached(stretches, order)
    roots = _root_sets(stretches[0], reached)
    if len(set(roots)) != 1 or len(roots[0]) != 1:
        expected = f"common ancestors of {', '.join(names)}"
        raise ValueError(mismatch("demographic model", expected, "demes without any"))
    first, *later = stretches
    times = first.move @ _equilibrium(first, reached) @ first.move.T
    for stretch in later:
        times = stretch.move @ _through(stretch, times) @ stretch.move.T
    return times[np.ix_(order, order)]


def hudson_fst(times: Matrix) -> Matrix:
    """Compute Hudson's F_ST of all pairs of demes, as a ratio of averages.

    F_ST = 1 - (within_i + within_j) / (2 between_ij)
    (Hudson, Slatkin & Maddison 1992; Bhatia et al. 2013).

    Args:
        times: Expected coalescence times, or mean pairwise differences, shape (k, k).

    Returns:
        F_ST, shape (k, k), with zeros on the diagonal.
    """
    within = np.diag(times)
    return 1 - (within[:, None] + within) / (2 * times)


def root_sets(graph: demes.Graph, names: Sequence[str]) -> list[frozenset[frozenset[str]]]:
    """Find the root demes in which the ancestry of demes ends.

    Roots that exchange migrants for ever form one group, unless a lineage waits more than 10
    million generations for a move. Lineages of two demes are certain to coalesce when both demes
    have the same single group.

    Args:
        graph: The model.
        names: The demes.

    Returns:
        For each deme, its groups of roots; a group is the set of its members' names.
    """
    labels = [deme.name for deme in graph.demes]
    stretches = list(periods(graph.in_generations()))
    moves = stretches[0].generator
    stretches[0] = replace(stretches[0], generator=np.where(moves < SLOWEST_MOVE, 0.0, moves))
    reached = _reached(stretches, [labels.index(name) for name in names])
    return [
        frozenset(frozenset(labels[i] for i in group) for group in groups)
        for groups in _root_sets(stretches[0], reached)
    ]


def _root_sets(first: Period, reached: NDArray[np.bool_]) -> list[frozenset[frozenset[int]]]:
    """Find, for each row of ``reached``, the groups of demes that no lineage ever leaves."""
    reach = _reachable(first.generator)
    groups = {
        i: frozenset(np.flatnonzero(reach[i]).tolist())
        for i in range(len(reach))
        if reach[reach[i], i].all()
    }
    return [
        frozenset(groups[i] for i in np.flatnonzero(row).tolist() if i in groups) for row in reached
    ]


def _reached(stretches: Sequence[Period], order: Sequence[int]) -> NDArray[np.bool_]:
    """Find which demes of the oldest period each present deme's ancestry can reach, (k, D)."""
    first, *later = stretches
    reached = np.eye(len(first.move), dtype=bool)[list(order)]
    for stretch in reversed(later):
        reached = (reached @ (stretch.move > 0)) @ _reachable(stretch.generator)
    return (reached @ (first.move > 0)) @ _reachable(first.generator)


def _reachable(generator: Matrix) -> NDArray[np.bool_]:
    """Compute the reflexive, transitive closure of "a lineage in i can move to j"."""
    reach = (generator > 0) | np.eye(len(generator), dtype=bool)
    for _ in range(max(1, math.ceil(math.log2(len(generator))))):
        reach = reach @ reach
    return reach


def _equilibrium(first: Period, reached: NDArray[np.bool_]) -> Matrix:
    """Expected times in the oldest epoch, which is infinite; zeros where no ancestry ends."""
    roots = np.flatnonzero(reached.any(axis=0))
    count = len(roots)
    generator = first.generator[np.ix_(roots, roots)]
    one = np.eye(count)
    system = np.kron(generator, one) + np.kron(one, generator)
    pairs = np.arange(count) * (count + 1)
    system[pairs, pairs] -= 1 / (2 * first.start_sizes[roots])
    times = np.zeros_like(first.generator)
    times[np.ix_(roots, roots)] = np.linalg.solve(system, -np.ones(count**2)).reshape(count, count)
    return times


def _through(stretch: Period, times: Matrix) -> Matrix:
    """Compute expected times at the younger end of a period from those at its older end.

    Strang splitting: half a step of migration, a step of coalescence within demes, half a step of
    migration. Each part is exact by itself. Without migration and growth one step is enough.
    """
    from scipy.linalg import expm  # imported here: the check of a configuration expects nothing

    span = stretch.start - stretch.end
    steps = step_count(stretch)
    length = span / steps
    hazards = meeting_hazards(stretch, length, steps)
    half = expm(stretch.generator * length / 2)
    whole = half @ half
    diagonal = np.diag_indices_from(times)
    times = half @ times @ half.T
    for k in range(steps):
        within = times[diagonal]
        met = -np.expm1(-hazards[k])
        times = times + length
        times[diagonal] = within * (1 - met) + length * met / hazards[k]
        spread = half if k == steps - 1 else whole
        times = spread @ times @ spread.T
    return times
