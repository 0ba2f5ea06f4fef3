"""Rows about recent kinship: singletons per doubleton, shared doubletons and segments, runs."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rehearsal.demography.expected_sharing import GENOME_MORGANS
from rehearsal.demography.targets import PUBLISHED_SHARING, published_sharing
from rehearsal.geography import country_distances_km
from rehearsal.realism.measures import BlockMeasures
from rehearsal.realism.panel import MeasuredPeople
from rehearsal.realism.published import ReferenceFigures
from rehearsal.realism.recent_kin import (
    LENGTHS_CM,
    PEOPLE,
    kin_members,
    pairs_of_people,
)
from rehearsal.realism.requirements import MB, describe_sample, needs_countries, needs_megabases
from rehearsal.realism.rows import Row, informative_row, judged_row
from rehearsal.realism.sample_size import sample_sizes
from rehearsal.realism.statistics import correlation, pair_values, ratio

# Singletons per doubleton of the European population in the model of Tennessen et al. 2012 (Science
# 337:64; stdpopsim OutOfAfrica_2T12), fitted to the exomes of 1,351 people: simulated with msprime,
# 8 Mb. At 2,500 people it is 4.49.
SINGLETONS_PER_DOUBLETON = {1_000: 5.15, 2_000: 4.63}
RATIO_FACTOR = 1.25
SPECTRUM_MB, DOUBLETON_MB, SEGMENT_MB = 30, 50, 90
FAR_KM = 1_500.0
GENOME_MB = 2_900.0  # autosomes with known bases, rounded


def spectrum_rows(joined: BlockMeasures, panel: MeasuredPeople) -> Iterator[Row]:
    """Yield rows about singletons per doubleton.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
    """
    bases, founders = float(joined.bases), len(panel.founders)
    sizes = sample_sizes(founders)
    for people, published in SINGLETONS_PER_DOUBLETON.items():
        index = sizes.index(people) if people in sizes else None
        found = np.nan
        if index is not None:
            found = ratio(joined.singletons_by_size[index], joined.doubletons_by_size[index])
        needs = f"needs {people:,} unrelated people" if index is None else ""
        yield judged_row(
            f"singletons per doubleton, {people:,} people",
            found,
            round(published / RATIO_FACTOR, 2),
            round(published * RATIO_FACTOR, 2),
            source="Europeans in the model of Tennessen et al. 2012, within a factor of "
            f"{RATIO_FACTOR}",
            sample=f"{people:,} random unrelated people, {bases / MB:.0f} Mb",
            needs=needs or needs_megabases(bases, SPECTRUM_MB),
        )


def doubleton_rows(
    joined: BlockMeasures, panel: MeasuredPeople, known: ReferenceFigures
) -> Iterator[Row]:
    """Yield rows about doubletons that two people share (f2).

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
        known: Published and predicted figures.
    """
    bases = float(joined.bases)
    per_pair = joined.shared_doubletons / _member_pairs(panel)
    distance = pair_values(country_distances_km(known.countries))
    between = pair_values(per_pair)
    sample = describe_sample(panel, bases)
    needs = needs_megabases(bases, DOUBLETON_MB) or needs_countries(len(panel.codes))
    far = between[distance > FAR_KM]
    yield judged_row(
        f"doubletons shared within a country, relative to pairs over {FAR_KM:,.0f} km apart",
        ratio(np.diag(per_pair).mean(), far.mean() if len(far) else 0.0),
        1.5,
        None,
        source="rare variants are shared within populations first (1000 Genomes 2012, Nature "
        "491:56, f2 variants; the bound is chosen)",
        sample=sample,
        needs=needs,
    )
    yield judged_row(
        "doubletons shared between countries, correlation with km",
        correlation(between, distance),
        None,
        -0.3,
        source="sharing falls with distance (Mathieson and McVean 2014; the bound is chosen)",
        sample=sample,
        needs=needs,
    )


def segment_rows(
    joined: BlockMeasures, panel: MeasuredPeople, known: ReferenceFigures
) -> Iterator[Row]:
    """Yield rows about shared segments and runs of homozygosity.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
        known: Published and predicted figures.
    """
    bases = float(joined.kin_bases)
    morgans = float(joined.kin_morgans)
    sample = (
        f"at most {PEOPLE} people per country, {bases / MB:.0f} Mb ({100 * morgans:.0f} cM) in "
        "blocks of 20 Mb and more"
    )
    needs = "" if bases >= SEGMENT_MB * MB else f"needs {SEGMENT_MB} Mb in blocks of 20 Mb and more"
    needs = needs or needs_countries(len(panel.codes))
    genomes = morgans / GENOME_MORGANS or np.nan
    two, three = joined.shared_segments / pairs_of_people(panel) / genomes
    published = published_sharing(PUBLISHED_SHARING, known.countries)
    index = {code: i for i, code in enumerate(panel.codes)}
    first, second = (published[c].map(index).to_numpy(int) for c in ("country1", "country2"))
    mine = three[first, second]  # NaN without long blocks
    theirs, weight = published[["segments", "weight"]].to_numpy(float).T
    source = "Ralph and Coop 2013, PLoS Biol 11:e1001555, figure of sharing by distance"
    for low, high in ((0, 1_000), (1_000, 2_000), (2_000, 4_000)):
        near = published["km"].between(low, high, inclusive="left").to_numpy()
        expected = ratio((theirs * weight)[near].sum(), weight[near].sum())
        yield judged_row(
            f"segments over {LENGTHS_CM[1]:g} cM per pair, {low:,} to {high:,} km apart",
            ratio((mine * weight)[near].sum(), weight[near].sum()),
            round(expected / 2, 4) if near.any() else 0.0,
            round(expected * 2, 4) if near.any() else None,
            source=f"{source}: {expected:.3f}, within a factor of 2",
            sample=f"{near.sum()} pairs of countries, {sample}",
            needs=needs,
        )
    distance = pair_values(country_distances_km(known.countries))
    far = pair_values(two)[distance > FAR_KM]
    yield judged_row(
        f"segments over {LENGTHS_CM[0]:g} cM within a country, relative to over {FAR_KM:,.0f} km",
        ratio(np.diag(two).mean(), far.sum() / max(len(far), 1)),
        2.0,
        None,
        source=f"{source}; the bound is chosen",
        sample=sample,
        needs=needs,
    )
    people = max(len(kin_members(panel)), 1)
    yield informative_row(
        "runs of homozygosity over 1.5 Mb, Mb per person",
        ratio(joined.homozygous_bases.sum() / people / MB * GENOME_MB, bases / MB),
        "about 11 Mb",
        source="0.39 % of genomes of western Eurasia in the Human Genome Diversity Panel (figure 1 "
        "of doi:10.1186/s12864-023-09763-x)",
        sample=sample,
        note="runs by descent; runs in genotypes include short ones by linkage disequilibrium",
    )


def _member_pairs(panel: MeasuredPeople) -> np.ndarray:
    number = np.bincount(panel.country, minlength=len(panel.codes)).astype(float)
    pairs = np.outer(number, number)
    pairs[np.diag_indices_from(pairs)] = np.maximum(number * (number - 1) / 2, 1)
    return pairs
