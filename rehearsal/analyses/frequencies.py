"""Frequencies of alleles, missing calls, and the exact test of Hardy-Weinberg proportions.

Nodes send the number of people with one and two alternate alleles and without a call.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from rehearsal.analyses.alleles import AlleleList, rows_of
from rehearsal.analyses.genotype_sums import count_genotypes
from rehearsal.analyses.hardy_weinberg import exact_test
from rehearsal.analyses.magnitudes import VARIABLES, kept_bounds, say_magnitudes
from rehearsal.analyses.protocol import (
    Arrays,
    Disclosure,
    Parameters,
    State,
    no_bounds,
    smallest_count,
)
from rehearsal.analyses.view import View

ADDITIVE = True
NEEDS: tuple[str, ...] = ("alleles",)
BOTH = ("carriers", "reference_carriers")
DISCLOSURE: Mapping[str, Disclosure] = {
    "people": Disclosure("count"),
    "carriers": Disclosure("count"),
    "reference_carriers": Disclosure("count"),
    "missing": Disclosure("count"),
    "alleles": Disclosure("sum", BOTH),
    "magnitudes": Disclosure("sum"),
}
sum_bounds = no_bounds  # all sums are whole numbers


def start(parameters: Parameters, earlier: Mapping[str, Arrays]) -> State:
    """Begin.

    Args:
        parameters: ``hardy_weinberg``: whether to test the proportions (true).
        earlier: Results of earlier steps: ``alleles``.
    """
    return State({}, private={"autosomal": AlleleList.of(earlier["alleles"]).autosomal})


def node_sums(view: View, parameters: Parameters, state: Arrays) -> Arrays:
    """Count people by genotype.

    Args:
        view: The node's view.
        parameters: ``smallest_count``, and the variables whose magnitudes are told.
        state: The joint list of alleles.
    """
    rows = rows_of(view, state)
    names, least = parameters.get(VARIABLES, ()), smallest_count(parameters)
    counts = count_genotypes(view, rows, view.everyone, least)
    return {
        "people": np.array(view.n_people),
        "carriers": counts.carriers.astype(np.int32),
        "reference_carriers": counts.reference_carriers.astype(np.int32),
        "missing": counts.missing.astype(np.int32),
        "alleles": counts.alleles.astype(np.int32),
        **({"magnitudes": say_magnitudes(view, names, least)} if VARIABLES in parameters else {}),
    }


def advance(parameters: Parameters, state: State, totals: Arrays) -> State:
    """Compute frequencies and test Hardy-Weinberg proportions of autosomal variants.

    Args:
        parameters: Parameters of the step.
        state: The state before.
        totals: The sums over nodes, or those of one node for its own table.

    Returns:
        The end of the step. Its results have one entry per allele: ``carriers``, ``homozygotes``,
        ``missing`` (people), ``alleles`` (alternate alleles), ``frequency`` (of the alternate
        allele, NaN without calls), ``missingness`` (share of people), ``hardy_weinberg_p`` (NaN
        for other contigs than autosomes, and without the test); and ``people``. Nodes keep bounds
        of the variables that were asked for.
    """
    carriers, alleles, missing = (
        totals[name].astype(np.int64) for name in ("carriers", "alleles", "missing")
    )
    two = alleles - carriers
    people = int(totals["people"])
    called = people - missing
    with np.errstate(invalid="ignore", divide="ignore"):
        frequency = alleles / (2 * called)
        missingness = missing / people
    p = np.full(carriers.size, np.nan)
    tested = state.private["autosomal"] & (called > 0)
    tested &= bool(parameters.get("hardy_weinberg", True))
    one = carriers - two
    p[tested] = exact_test((called - carriers)[tested], one[tested], two[tested])
    results = {
        "people": np.array(people),
        "carriers": carriers,
        "homozygotes": two,
        "missing": missing,
        "alleles": alleles,
        "frequency": frequency,
        "missingness": missingness,
        "hardy_weinberg_p": p,
    }
    kept = kept_bounds(people, totals["magnitudes"]) if VARIABLES in parameters else {}
    return State({}, kept=kept, results=results)
