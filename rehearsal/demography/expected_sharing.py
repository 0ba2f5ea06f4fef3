"""Expected number of shared segments (identity by descent) of two people, without simulation.

A segment of two haplotypes that descends from one ancestor t generations ago ends, on each side, at
the nearest crossover of 2 t meioses. If the haplotypes have met t generations ago with probability
density p(t), a genome of G Morgans has

    integral p(t) 2 t G exp(-2 t l) dt

segments of at least l Morgans (Palamara et al. 2012, Am J Hum Genet 91:809, equation 6, for long
genomes; Ralph and Coop 2013, PLoS Biol 11:e1001555). Neighbouring segments with different
ancestors count as two. p(t) comes from the same two-lineage equations as the expected
coalescence times.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import demes
import numpy as np
from scipy.linalg import expm

from rehearsal.demography.periods import Matrix, Period, meeting_hazards, periods, step_count

GENOME_MORGANS = 35.0  # autosomes, both sexes: 35.2 in Kong et al. 2002 is usual, rounded
LONGEST_STEP = 2.0  # generations; with 0.5 the numbers of the Europe model differ by under 1 %
OLDEST = 1_000.0  # generations; a segment of 1 cM is older with a probability of 2e-9


def expected_segments(
    graph: demes.Graph,
    names: Sequence[str],
    least_morgans: float,
    genome_morgans: float = GENOME_MORGANS,
) -> Matrix:
    """Compute the expected number of segments that two people share.

    Args:
        graph: The model.
        names: The k demes to compare, which must live at time 0.
        least_morgans: Least length of a segment, at least 0.01.
        genome_morgans: Genetic length of the genome.

    Returns:
        Segments per pair of people (four pairs of haplotypes), shape (k, k). The diagonal is for
        two people of one deme.
    """
    labels = [deme.name for deme in graph.demes]
    order = [labels.index(name) for name in names]
    shared = np.zeros((len(labels), len(labels)))
    for period in periods(graph.in_generations()):
        if period.end < OLDEST and math.isfinite(period.start):
            shared = _through(period, shared, least_morgans)
        shared = period.move @ shared @ period.move.T
    return 4 * genome_morgans * shared[np.ix_(order, order)]


def _through(period: Period, shared: Matrix, least: float) -> Matrix:
    """Carry the expected number per Morgan from the older end of a period to its younger end."""
    span = period.start - period.end
    steps = max(step_count(period), math.ceil(min(span, OLDEST) / LONGEST_STEP))
    length = span / steps
    met = -np.expm1(-meeting_hazards(period, length, steps))
    half = expm(period.generator * length / 2)
    whole = half @ half
    diagonal = np.diag_indices_from(shared)
    shared = half @ shared @ half.T
    for k in range(steps):
        age = period.start - (k + 0.5) * length
        found = 2 * age * math.exp(-2 * age * least)
        shared[diagonal] = shared[diagonal] * (1 - met[k]) + found * met[k]
        spread = half if k == steps - 1 else whole
        shared = spread @ shared @ spread.T
    return shared
