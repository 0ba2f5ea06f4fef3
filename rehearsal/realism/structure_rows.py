"""Rows about differences between countries: F_ST and principal components."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rehearsal.demography.expected_fst import hudson_fst
from rehearsal.demography.procrustes import procrustes_correlation
from rehearsal.demography.targets import map_coordinates
from rehearsal.geography import country_distances_km
from rehearsal.model import Country
from rehearsal.realism.measures import BlockMeasures
from rehearsal.realism.panel import MeasuredPeople
from rehearsal.realism.principal_components import leading_components
from rehearsal.realism.published import PREDICTED, ReferenceFigures
from rehearsal.realism.requirements import (
    COMPONENTS_MB,
    LEAST_COUNTRIES,
    describe_sample,
    needs_countries,
    needs_megabases,
    needs_people_megabases,
)
from rehearsal.realism.rows import Row, informative_row, judged_row
from rehearsal.realism.statistics import Matrix, correlation, group_means, pair_values, slope

# Founder and island populations can form axes of their own, as Finland does in real data, and the
# published components have almost none of their people. Rows without them are shown as well.
OUTLIERS = ("FI", "CY", "MT")
LEAST_COMPONENT_PEOPLE = 3  # two axes of a centred matrix


def measured_fst(joined: BlockMeasures) -> Matrix:
    """Compute Hudson's F_ST between all countries, a ratio of sums over all sites, shape (k, k).

    Args:
        joined: Sums over all blocks.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        return hudson_fst(joined.differences)


def fst_rows(
    joined: BlockMeasures, panel: MeasuredPeople, known: ReferenceFigures
) -> Iterator[Row]:
    """Yield rows about F_ST.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
        known: Published and predicted figures.
    """
    bases = float(joined.bases)
    found, expected = measured_fst(joined), known.expected_fst
    sample, needs = describe_sample(panel, bases), needs_countries(len(panel.codes))
    needs = needs or needs_people_megabases(panel, bases)
    ours, theirs = pair_values(found), pair_values(expected)
    yield judged_row(
        "F_ST, correlation with the model's prediction",
        correlation(ours, theirs),
        0.98,
        None,
        source=PREDICTED,
        sample=sample,
        needs=needs,
    )
    yield judged_row(
        "F_ST, slope on the model's prediction",
        slope(ours, theirs),
        0.9,
        1.1,
        source=PREDICTED,
        sample=sample,
        needs=needs,
    )
    pairs = known.published
    index = {code: i for i, code in enumerate(panel.codes)}
    mine = [
        found[index[a], index[b]] for a, b in zip(pairs["country1"], pairs["country2"], strict=True)
    ]
    yield judged_row(
        "F_ST, correlation with published pairs",
        correlation(np.array(mine), pairs["fst"].to_numpy()),
        0.85,
        None,
        source=f"{len(pairs)} pairs of rehearsal/demography/data/fst_published.tsv",
        sample=sample,
        needs=needs or ("" if len(pairs) >= LEAST_COUNTRIES else "needs five published pairs"),
    )
    yield judged_row(
        "F_ST, highest of all pairs",
        float(np.nanmax(ours, initial=0.0)) if len(ours) else float("nan"),
        None,
        0.02,
        source="all published European pairs are below this (Nelis et al. 2009, from memory)",
        sample=sample,
        needs=needs,
    )
    distance = pair_values(country_distances_km(known.countries))
    predicted = correlation(theirs, distance)
    title = "isolation by distance, correlation of F_ST with km"
    if not np.isfinite(predicted):
        nothing, compared = float("nan"), "the correlation that the model predicts"
        yield informative_row(title, nothing, compared, source=PREDICTED, sample=sample, note=needs)
        return
    yield judged_row(
        title,
        correlation(ours, distance),
        round(predicted - 0.05, 3),
        round(predicted + 0.05, 3),
        source=PREDICTED,
        sample=sample,
        needs=needs,
    )


def component_rows(
    joined: BlockMeasures, panel: MeasuredPeople, known: ReferenceFigures
) -> Iterator[Row]:
    """Yield rows about principal components.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
        known: Published and predicted figures.
    """
    bases = float(joined.bases)
    needs = needs_megabases(bases, COMPONENTS_MB) or needs_countries(len(panel.codes))
    for outliers, label in (((), ""), (OUTLIERS, f" without {', '.join(OUTLIERS)}")):
        layout = component_layout(joined, panel, known.countries, outliers)
        if layout is None:
            yield _no_components(label, describe_sample(panel, bases))
            continue
        for name, mine, places, source in _targets(layout, known):
            enough = len(mine) >= LEAST_COUNTRIES
            title = f"principal components against {name}{label}"
            value = procrustes_correlation(mine, places) if enough else float("nan")
            sample = f"{len(mine)} countries, {describe_sample(panel, bases)}"
            if not outliers:
                yield judged_row(
                    title, value, 0.88, None, source=source, sample=sample, needs=needs
                )
            else:
                yield informative_row(
                    title,
                    value,
                    "nearly the same as with them",
                    source=source,
                    sample=sample,
                    note="the row with all countries is judged; this one shows whether founder "
                    "and island populations form an axis of their own",
                )


def _no_components(label: str, sample: str) -> Row:
    """Say that a panel without these countries is too small for principal components."""
    return informative_row(
        f"principal components{label}",
        float("nan"),
        "country centroids as on a map",
        source="",
        sample=sample,
        note=f"needs {LEAST_COMPONENT_PEOPLE} unrelated people of at least one other country"
        if label
        else f"needs {LEAST_COMPONENT_PEOPLE} unrelated people",
    )


@dataclass(frozen=True)
class Layout:
    """Countries, their centroids in principal components, shape (k, 2), and all their people."""

    countries: tuple[Country, ...]
    centroids: Matrix
    people: pd.DataFrame  # country, x, y
    shares: Matrix  # share of the variance, one per axis


def component_layout(
    joined: BlockMeasures,
    panel: MeasuredPeople,
    countries: Sequence[Country],
    outliers: Sequence[str] = (),
) -> Layout | None:
    """Compute the principal components of the panel without some countries.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
        countries: All countries.
        outliers: Codes of countries to leave out.

    Returns:
        The layout; None if the other countries have too few people or no sites that vary.
    """
    named = {country.code: country for country in countries}
    left = [i for i, code in enumerate(panel.codes) if code not in outliers]
    kept = [i for i in left if (panel.country == i).any()]  # small countries may have no founder
    people = np.flatnonzero(np.isin(panel.country, kept))
    if len(people) < LEAST_COMPONENT_PEOPLE or not joined.common_sites:
        return None
    scores, shares = leading_components(joined.relationship[np.ix_(people, people)])
    group = panel.country[people]
    codes = np.array(panel.codes)
    return Layout(
        countries=tuple(named[panel.codes[i]] for i in kept),
        centroids=group_means(scores, group, kept),
        people=pd.DataFrame({"country": codes[group], "x": scores[:, 0], "y": scores[:, 1]}),
        shares=shares,
    )


def _targets(layout: Layout, known: ReferenceFigures) -> Iterator[tuple[str, Matrix, Matrix, str]]:
    """Yield name, own centroids, target centroids and source: published components and the map."""
    codes = [country.code for country in layout.countries]
    popres = known.popres[known.popres["country"].isin(codes)]
    mine = layout.centroids[[codes.index(code) for code in popres["country"]]]
    yield (
        "POPRES",
        mine,
        popres[["pc1", "pc2"]].to_numpy(),
        "country centroids of POPRES, Novembre et al. 2008; Procrustes correlation",
    )
    yield (
        "the map",
        layout.centroids,
        map_coordinates(layout.countries),
        "population-weighted centres of countries.tsv; Procrustes correlation",
    )
