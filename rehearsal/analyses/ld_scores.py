"""LD scores: for each common variant, the sum of r^2 with the variants around it.

Nodes send sums of products of standardised genotypes of pairs of variants within a window. With
C_jk their total over n people, r_jk = C_jk / sqrt(C_jj C_kk), and the score is the sum over k, the
variant itself included, of ``r^2 - (1 - r^2) / (n - 2)``, which is nearly unbiased (Bulik-Sullivan
and others 2015, doi:10.1038/ng.3211).
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.alleles import AlleleList, rows_of
from rehearsal.analyses.common_variants import common_variants, standardisation, standardised
from rehearsal.analyses.genotype_sums import hidden_blocks
from rehearsal.analyses.protocol import (
    AnalysisError,
    Arrays,
    Disclosure,
    Parameters,
    State,
    no_bounds,
    smallest_count,
)
from rehearsal.analyses.view import View

Numbers = NDArray[np.float64]

ADDITIVE = True
NEEDS: tuple[str, ...] = ("alleles", "frequencies")
DISCLOSURE: Mapping[str, Disclosure] = {
    "people": Disclosure("count"),
    "pair_products": Disclosure("sum"),
}
sum_bounds = no_bounds
LEAST_FREQUENCY, WINDOW = 0.01, 200_000
MOST_PAIRS = 30_000_000  # 240 MB of sums, below the largest_mb of the algorithm that sends them
LEAST_VARIANCE = 1e-8  # of standardised genotypes: less is none
BLOCK = 256  # variants whose pairs are multiplied at once


def start(parameters: Parameters, earlier: Mapping[str, Arrays]) -> State:
    """List the pairs of variants.

    Args:
        parameters: ``least_frequency`` of the rarer allele (0.01), ``window``: the largest
            distance of a pair in bases (200,000).
        earlier: Results of earlier steps: ``alleles`` and ``frequencies``.

    Raises:
        AnalysisError: There are more pairs than a node sends in a round.
    """
    least = float(parameters.get("least_frequency", LEAST_FREQUENCY))
    chosen = common_variants(earlier, least, 0)
    alleles = AlleleList.of(earlier["alleles"])
    place = (alleles.contig[chosen].astype(np.int64) << 33) + alleles.position[chosen]
    reach = int(parameters.get("window", WINDOW))
    end = np.searchsorted(place, place + reach, side="right").astype(np.int32)
    if (pairs := int((end - np.arange(end.size)).sum())) > MOST_PAIRS:
        expected = f"at most {MOST_PAIRS:,} pairs: a smaller window or a larger least_frequency"
        raise AnalysisError("bad_parameters", "ld_scores", "window", expected, f"{pairs:,}")
    return State(standardisation(earlier, chosen) | {"end": end})


def node_sums(view: View, parameters: Parameters, state: Arrays) -> Arrays:
    """Multiply the standardised genotypes of pairs.

    Args:
        view: The node's view.
        parameters: ``smallest_count``.
        state: ``chosen``, ``mean``, ``scale`` and ``end``: the pairs of variant j are j up to
            ``end[j]``.
    """
    rows, end = rows_of(view, state)[state["chosen"]], state["end"].astype(np.int64)
    least, parts = smallest_count(parameters), [np.zeros(0)]
    for first in range(0, rows.size, BLOCK):
        last = min(first + BLOCK, rows.size)
        right = _read(view, rows, state, slice(first, int(end[last - 1])), least)
        products = right[: last - first] @ right.T
        parts.append(products[_in_band(first, last, end)])
    return {"people": np.array(view.n_people), "pair_products": np.concatenate(parts)}


def advance(parameters: Parameters, state: State, totals: Arrays) -> State:
    """Compute the scores.

    Args:
        parameters: Parameters of the step.
        state: The state before.
        totals: The sums over nodes.

    Returns:
        The end of the step. Its results have one entry per common variant that varies (one that
        everybody is heterozygous for does not): ``chosen`` (its number in the list of alleles),
        ``score`` and ``pairs`` (variants in the window).
    """
    end = state.shared["end"].astype(np.int64)
    size, people = end.size, int(totals["people"])
    left = np.repeat(np.arange(size), end - np.arange(size))
    starts = np.cumsum(end - np.arange(size)) - (end - np.arange(size))
    right = np.arange(left.size) - starts[left] + left
    products = totals["pair_products"]
    variance = products[starts]
    varies = variance > LEAST_VARIANCE * people
    kept = varies[left] & varies[right]
    left, right, products = left[kept], right[kept], products[kept]
    squared = products**2 / (variance[left] * variance[right])
    squared -= (1 - squared) / (people - 2)
    apart = left != right
    score = np.bincount(left, squared, size)
    score += np.bincount(right[apart], squared[apart], size)
    pairs = np.bincount(left, minlength=size) + np.bincount(right[apart], minlength=size)
    found = {"chosen": state.shared["chosen"], "score": score, "pairs": pairs}
    return State({}, results={name: array[varies] for name, array in found.items()})


def _in_band(first: int, last: int, end: NDArray[np.int64]) -> NDArray[np.bool_]:
    left = np.arange(first, last)[:, None]
    right = np.arange(first, end[last - 1])[None]
    return (right >= left) & (right < end[first:last, None])


def _read(
    view: View, rows: NDArray[np.int64], state: Arrays, stretch: slice, least: int
) -> Numbers:
    """Read standardised genotypes of a stretch of the chosen variants, without few people."""
    places = np.arange(stretch.start, stretch.stop)
    found = np.empty((places.size, view.n_people))
    for part, genotypes in hidden_blocks(view, rows[stretch], view.everyone, least):
        found[part] = standardised(genotypes, state, places[part])
    return found
