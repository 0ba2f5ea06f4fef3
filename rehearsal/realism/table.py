"""The table of how real a cohort is: every measure beside what was published or predicted.

What a run must have to be judged is stated with each row; smaller runs show their figures
unjudged. The figures that others published are typed in here with their source.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from rehearsal.demography.expected_fst import hudson_fst
from rehearsal.demography.targets import (
    POPRES_CENTROIDS,
    PUBLISHED_FST,
    map_coordinates,
    pca_centroids,
    procrustes_correlation,
    published_pairs,
)
from rehearsal.geography import country_distances_km
from rehearsal.model import Country
from rehearsal.realism.kinship import kinship_by_kind
from rehearsal.realism.linkage import LINKAGE_DISTANCES, LINKAGE_PEOPLE
from rehearsal.realism.measures import BlockMeasures
from rehearsal.realism.panel import KINSHIP, UNRELATED, Panel
from rehearsal.realism.rows import Row, informative_row, judged_row, row_table
from rehearsal.realism.sample_size import sample_sizes
from rehearsal.realism.structure import (
    Matrix,
    centroids,
    correlation,
    pair_values,
    principal_components,
    slope,
)

MB = 1e6
DIVERSITY_MB, FST_MB, COMPONENTS_MB, X_MB = 20, 50, 400, 20  # what a judgement needs
LEAST_SITES, LEAST_CROSSOVERS = 10_000, 100
LEAST_COUNTRIES = 5  # for a correlation over countries
STANDARD_ERRORS = 3  # a mean kinship this far from the next degree is judged

# The error of an F_ST from n people a country and L bases falls as 1 / (n sqrt(L)). At 400 Mb and
# 15 people the error alone takes a correlation over all pairs down to about 0.98 (docs/realism.md).
FST_PEOPLE_MB = 400 * 15**2

# Founder and island populations can make axes of their own, as Finland does in real data, and the
# published components have almost nobody of them: shown without them too.
OUTLIERS = ("FI", "CY", "MT")

# Sites of a simulated chromosome 21 by people (published with VCF Zarr; simulated,
# from memory, after Anderson-Trocmé et al. 2023 as French Canadians: of the same order only).
CHR21_SITES = {1_000: 403_989, 10_000: 863_998, 100_000: 2_365_367, 1_000_000: 7_254_858}
CHR21_MB = 46.7  # GRCh38, 40.1 of it known bases
CHR21_FACTOR = 1.5
# Taliun et al. 2021, Nature 590:290: TOPMed, people of many ancestries.
TOPMED_PEOPLE = 40_000
TOPMED_SINGLETONS, TOPMED_SINGLETONS_UNRELATED = 0.46, 0.53
LINKAGE_RANGES = {5_000: (0.24, 0.28), 100_000: (0.05, 0.07)}

PREDICTED = "the run's own demographic model, by the two-lineage recursion"


@dataclass(frozen=True)
class Comparison:
    """What the measures are held against.

    ``expected_fst`` (k, k) in the order of the panel's codes; ``published`` has country1,
    country2, fst; ``popres`` has country, pc1, pc2; ``crossovers`` is how many the recombination
    map leads one to expect in the gametes that were looked at.
    """

    countries: Sequence[Country]
    expected_fst: Matrix
    published: pd.DataFrame
    popres: pd.DataFrame
    crossovers: float


def compare_with(
    panel: Panel,
    countries: Sequence[Country],
    expected_fst: pd.DataFrame,
    crossovers: float,
) -> Comparison:
    """The published figures of those of the countries that have somebody in the panel.

    ``expected_fst``: expected_fst.parquet, a row and a column a country.
    """
    present = [country for country in countries if country.code in panel.codes]
    codes = [country.code for country in present]
    return Comparison(
        countries=present,
        expected_fst=expected_fst.loc[codes, codes].to_numpy(),
        published=published_pairs(PUBLISHED_FST, present),
        popres=pca_centroids(POPRES_CENTROIDS, present),
        crossovers=crossovers,
    )


def expected_crossovers(parts: Sequence[BlockMeasures], morgans: Sequence[float]) -> float:
    """Crossovers that the map leads one to expect: gametes times Morgans, a block after the other.

    ``morgans`` are the blocks' genetic lengths, in the order of ``parts``.
    """
    return sum(float(part.gametes) * length for part, length in zip(parts, morgans, strict=True))


def realism_table(joined: BlockMeasures, panel: Panel, known: Comparison) -> pd.DataFrame:
    """A row a measure, with the columns of ``rows.Row``."""
    rows: list[Iterable[Row]] = [
        _diversity_rows(joined, panel),
        _size_rows(joined, panel),
        _linkage_rows(joined, panel),
        _fst_rows(joined, panel, known),
        _component_rows(joined, panel, known),
        _kinship_rows(joined, panel),
        _sex_chromosome_rows(joined, panel),
        _crossover_rows(joined, known),
    ]
    return row_table(row for part in rows for row in part)


def measured_fst(joined: BlockMeasures) -> Matrix:
    """Hudson's F_ST between all countries, (k, k), a ratio of sums over all sites."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return hudson_fst(joined.differences)


def _diversity_rows(joined: BlockMeasures, panel: Panel) -> Iterator[Row]:
    bases = float(joined.bases)
    heterozygous = joined.heterozygous.mean()
    sample = _sample(panel, bases)
    needs = _needs_mb(bases, DIVERSITY_MB)
    yield judged_row(
        "heterozygosity per base",
        _ratio(heterozygous, bases),
        6.5e-4,
        8.5e-4,
        source="Europeans: 7-8e-4 (from memory)",
        sample=sample,
        needs=needs,
    )
    yield judged_row(
        "transitions per transversion",
        _ratio(joined.transitions, joined.transversions),
        1.9,
        2.2,
        source="whole genomes: 2.0-2.1 (from memory)",
        sample=sample,
        needs="" if joined.sites >= LEAST_SITES else f"needs {LEAST_SITES:,} variable sites",
    )
    yield judged_row(
        "heterozygous per other-homozygous site, reference a European haplotype",
        _ratio(heterozygous, joined.homozygous_other.mean()),
        1.9,
        2.1,
        source="theory: 2 when the reference comes from the same population, whatever its past",
        sample=sample,
        needs=needs,
    )
    yield informative_row(
        "heterozygous per derived-homozygous site",
        _ratio(heterozygous, joined.homozygous.mean()),
        "1.47 to 1.54 against GRCh38",
        source="published call sets against GRCh38",
        sample=sample,
        note="REF is the ancestral allele here; GRCh38 is a mosaic of people, the largest part of "
        "partly African descent, so the two ratios are not comparable",
    )


def _size_rows(joined: BlockMeasures, panel: Panel) -> Iterator[Row]:
    bases, founders = float(joined.bases), len(panel.founders)
    sizes = sample_sizes(founders)
    per_mb = joined.sites_by_size / max(bases / MB, 1e-9)
    yield informative_row(
        f"variable sites per Mb, {len(panel.members)} people",
        _ratio(joined.sites, bases / MB),
        "grows with the number of people",
        source="",
        sample=_sample(panel, bases),
        note="see the rows by number of people",
    )
    for people, sites in CHR21_SITES.items():
        found = per_mb[sizes.index(people)] if people in sizes and bases else np.nan
        expected = sites / CHR21_MB
        yield judged_row(
            f"variable sites per Mb, {people:,} people",
            found,
            round(expected / CHR21_FACTOR),
            round(expected * CHR21_FACTOR),
            source=f"simulated chr21, {sites:,} sites in {CHR21_MB} Mb (VCF Zarr paper): a cohort "
            f"of other history, within a factor of {CHR21_FACTOR}",
            sample=f"{people:,} unrelated people at random, {bases / MB:.0f} Mb",
            needs=""
            if people <= founders and bases >= DIVERSITY_MB * MB / 4
            else f"needs {people:,} unrelated people and {DIVERSITY_MB // 4} Mb",
        )
    largest = sizes[-1]
    index = sizes.index(50_000) if 50_000 in sizes else len(sizes) - 1
    note = f"the share depends on the number of people; judged from {TOPMED_PEOPLE:,} people on"
    shares = (
        (
            f"singleton share, {sizes[index]:,} unrelated people",
            _ratio(joined.singletons_by_size[index], joined.sites_by_size[index]),
            TOPMED_SINGLETONS_UNRELATED,
            largest,
            f"{sizes[index]:,} unrelated people, {bases / MB:.0f} Mb",
        ),
        (
            "singleton share, everybody",
            _ratio(joined.singletons_of_all, joined.sites_of_all),
            TOPMED_SINGLETONS,
            largest,
            f"the whole cohort with relatives, {bases / MB:.0f} Mb",
        ),
    )
    for name, share, published, people, sample in shares:
        yield judged_row(
            name,
            share,
            round(published - 0.1, 2),
            round(published + 0.1, 2),
            source=f"TOPMed, 53,831 people of many ancestries: {published:.0%}, within 10 points",
            sample=sample,
            needs="" if people >= TOPMED_PEOPLE else note,
        )


def _linkage_rows(joined: BlockMeasures, panel: Panel) -> Iterator[Row]:
    people = min(len(panel.members), LINKAGE_PEOPLE)
    for distance, (low, high) in LINKAGE_RANGES.items():
        index = LINKAGE_DISTANCES.index(distance)
        yield informative_row(
            f"linkage disequilibrium r² at {distance // 1000} kb",
            _ratio(joined.linkage[index], joined.linkage_pairs[index]),
            f"{low} to {high}",
            source="published for Europeans",
            sample=f"about {people} unrelated people of all countries, sites with both alleles "
            f"at 5 % or more, {float(joined.bases) / MB:.0f} Mb",
            note="the value depends on hotspots: a map without them gives less at 100 kb",
        )


def _fst_rows(joined: BlockMeasures, panel: Panel, known: Comparison) -> Iterator[Row]:
    bases = float(joined.bases)
    found, expected = measured_fst(joined), known.expected_fst
    sample, needs = _sample(panel, bases), _needs_mb(bases, FST_MB)
    needs = needs or _needs_countries(len(panel.codes))
    ours, theirs = pair_values(found), pair_values(expected)
    needs_more = needs or _needs_people_mb(panel, bases)
    yield judged_row(
        "F_ST, correlation with the model's prediction",
        correlation(ours, theirs),
        0.98,
        None,
        source=PREDICTED,
        sample=sample,
        needs=needs_more,
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
        needs=needs_more or ("" if len(pairs) >= LEAST_COUNTRIES else "needs five published pairs"),
    )
    yield judged_row(
        "F_ST, highest of a pair",
        float(np.nanmax(ours, initial=0.0)),
        None,
        0.02,
        source="published pairs of Europe stay below (Nelis et al. 2009, from memory)",
        sample=sample,
        needs=needs,
    )
    distance = pair_values(country_distances_km(known.countries))
    predicted = correlation(theirs, distance)
    yield judged_row(
        "isolation by distance, correlation of F_ST with km",
        correlation(ours, distance),
        round(predicted - 0.05, 3),
        round(predicted + 0.05, 3),
        source=PREDICTED,
        sample=sample,
        needs=needs_more,
    )


def _component_rows(joined: BlockMeasures, panel: Panel, known: Comparison) -> Iterator[Row]:
    bases = float(joined.bases)
    needs = _needs_mb(bases, COMPONENTS_MB) or _needs_countries(len(panel.codes))
    for outliers, label in (((), ""), (OUTLIERS, f" without {', '.join(OUTLIERS)}")):
        layout = component_layout(joined, panel, known.countries, outliers)
        for name, mine, places, source in _targets(layout, known):
            enough = len(mine) >= LEAST_COUNTRIES
            title = f"principal components against {name}{label}"
            value = procrustes_correlation(mine, places) if enough else float("nan")
            sample = f"{len(mine)} countries, {_sample(panel, bases)}"
            if not outliers:
                yield judged_row(
                    title, value, 0.88, None, source=source, sample=sample, needs=needs
                )
            else:
                yield informative_row(
                    title,
                    value,
                    "much the same as with them",
                    source=source,
                    sample=sample,
                    note="the row with all countries is judged; this one tells whether founder "
                    "and island populations take an axis of their own",
                )


@dataclass(frozen=True)
class Layout:
    """Countries and where the principal components put them, (k, 2), and all their people."""

    countries: tuple[Country, ...]
    centroids: Matrix
    people: pd.DataFrame  # country, x, y
    shares: Matrix  # of the variance, one an axis


def component_layout(
    joined: BlockMeasures,
    panel: Panel,
    countries: Sequence[Country],
    outliers: Sequence[str] = (),
) -> Layout:
    """Principal components of the panel without some countries, computed anew."""
    named = {country.code: country for country in countries}
    kept = [i for i, code in enumerate(panel.codes) if code not in outliers]
    people = np.flatnonzero(np.isin(panel.country, kept))
    scores, shares = principal_components(joined.relationship[np.ix_(people, people)])
    group = panel.country[people]
    codes = np.array(panel.codes)
    return Layout(
        countries=tuple(named[panel.codes[i]] for i in kept),
        centroids=centroids(scores, group, kept),
        people=pd.DataFrame({"country": codes[group], "x": scores[:, 0], "y": scores[:, 1]}),
        shares=shares,
    )


def _targets(layout: Layout, known: Comparison) -> Iterator[tuple[str, Matrix, Matrix, str]]:
    """(name, our centroids, the target's, source) for the published components and the map."""
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


def _kinship_rows(joined: BlockMeasures, panel: Panel) -> Iterator[Row]:
    for kind, row in kinship_by_kind(joined, panel).iterrows():
        margin = min(row["expected"] - row["low"], row["high"] - row["expected"])
        precise = STANDARD_ERRORS * row["error"] <= margin
        enough = bool(precise) and joined.bases >= FST_MB * MB
        what = "pairs of one country" if kind == UNRELATED else "pairs of the pedigree"
        yield judged_row(
            f"kinship, {kind}",
            row["mean"],
            round(row["low"], 4),
            round(row["high"], 4),
            source=f"KING-robust's range about {KINSHIP[str(kind)]:.4g} (Manichaikul et al. 2010)",
            sample=f"{row['pairs']} {what}, {float(joined.bases) / MB:.0f} Mb",
            needs=""
            if enough
            else f"needs {FST_MB} Mb and a standard error of {margin / STANDARD_ERRORS:.1g}"
            + ("" if np.isnan(row["error"]) else f"; it is {row['error']:.1g}"),
        )


def _sex_chromosome_rows(joined: BlockMeasures, panel: Panel) -> Iterator[Row]:
    bases, bases_x = float(joined.bases), float(joined.bases_x)
    autosomes = np.diag(joined.differences) / max(bases, 1)
    x = joined.differences_x / max(bases_x, 1)
    small = bases < DIVERSITY_MB * MB or bases_x < X_MB * MB
    yield judged_row(
        "diversity of X relative to autosomes",
        _ratio(np.nanmean(x), np.nanmean(autosomes)) if bases_x else float("nan"),
        0.70,
        0.80,
        source="theory: 0.75 with as many fathers as mothers and constant size",
        sample=f"{len(panel.members)} unrelated people, {bases_x / MB:.1f} Mb of X",
        needs=f"needs {X_MB} Mb of chrX and {DIVERSITY_MB} Mb of autosomes" if small else "",
    )


def _crossover_rows(joined: BlockMeasures, known: Comparison) -> Iterator[Row]:
    expected = known.crossovers
    error = 4 / np.sqrt(max(expected, 1))
    yield judged_row(
        "crossovers in families, relative to the map",
        _ratio(joined.crossovers, expected),
        round(1 - error, 3),
        round(1 + error, 3),
        source="the recombination map, within four standard errors",
        sample=f"{int(joined.crossovers):,} crossovers in {int(joined.gametes):,} gametes "
        "of a block",
        needs="" if expected >= LEAST_CROSSOVERS else f"needs {LEAST_CROSSOVERS} crossovers",
    )


def _sample(panel: Panel, bases: float) -> str:
    largest = np.bincount(panel.country).max(initial=0)
    return (
        f"{len(panel.members)} unrelated people, at most {largest} a country, {bases / MB:.0f} Mb"
    )


def _needs_mb(bases: float, megabases: float) -> str:
    return "" if bases >= megabases * MB else f"needs {megabases} Mb of autosomes"


def _needs_people_mb(panel: Panel, bases: float) -> str:
    people = int(np.bincount(panel.country, minlength=len(panel.codes)).min())
    if people**2 * bases / MB >= FST_PEOPLE_MB:
        return ""
    wanted = FST_PEOPLE_MB / max(people, 1) ** 2
    return f"needs {wanted:,.0f} Mb with {people} unrelated people in each country"


def _needs_countries(countries: int) -> str:
    return "" if countries >= LEAST_COUNTRIES else f"needs {LEAST_COUNTRIES} countries"


def _ratio(above: float, below: float) -> float:
    return float(above) / float(below) if below else float("nan")
