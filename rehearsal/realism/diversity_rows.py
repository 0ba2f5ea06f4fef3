"""Rows about diversity, the number of variable sites, and linkage disequilibrium."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from rehearsal.realism.linkage import LINKAGE_DISTANCES, LINKAGE_PEOPLE
from rehearsal.realism.measures import BlockMeasures
from rehearsal.realism.panel import MeasuredPeople
from rehearsal.realism.published import (
    CHR21_FACTOR,
    CHR21_MB,
    CHR21_SITES,
    LINKAGE_RANGES,
    TOPMED_PEOPLE,
    TOPMED_SINGLETONS,
    TOPMED_SINGLETONS_UNRELATED,
)
from rehearsal.realism.requirements import (
    DIVERSITY_MB,
    LEAST_PEOPLE,
    LEAST_SITES,
    LINKAGE_MB,
    MB,
    describe_sample,
    needs_megabases,
)
from rehearsal.realism.rows import Row, informative_row, judged_row
from rehearsal.realism.sample_size import sample_sizes
from rehearsal.realism.statistics import ratio


def diversity_rows(joined: BlockMeasures, panel: MeasuredPeople) -> Iterator[Row]:
    """Yield rows about heterozygosity and kinds of mutation.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
    """
    bases = float(joined.bases)
    heterozygous = joined.heterozygous.mean()
    sample = describe_sample(panel, bases)
    needs = needs_megabases(bases, DIVERSITY_MB)
    yield judged_row(
        "heterozygosity per base",
        ratio(heterozygous, bases),
        6.5e-4,
        8.5e-4,
        source="Europeans: 7-8e-4 (from memory)",
        sample=sample,
        needs=needs,
    )
    yield judged_row(
        "transitions per transversion",
        ratio(joined.transitions, joined.transversions),
        1.9,
        2.2,
        source="new mutations of families: 2.06 (Sasani et al. 2019, eLife 8:e46922, counted)",
        sample=sample,
        needs="" if joined.sites >= LEAST_SITES else f"needs {LEAST_SITES:,} variable sites",
    )
    yield judged_row(
        "heterozygous per alternate-homozygous site, reference a European haplotype",
        ratio(heterozygous, joined.homozygous_other.mean()),
        1.9,
        2.1,
        source="theory: 2 if the reference comes from the same population, whatever its history",
        sample=sample,
        needs=needs,
    )
    yield informative_row(
        "heterozygous per derived-homozygous site",
        ratio(heterozygous, joined.homozygous.mean()),
        "1.47 to 1.54 against GRCh38",
        source="published call sets against GRCh38",
        sample=sample,
        note="REF is the ancestral allele here. GRCh38 is a mosaic of people, mostly from one of "
        "partly African descent, so the two ratios are not comparable",
    )


def size_rows(joined: BlockMeasures, panel: MeasuredPeople) -> Iterator[Row]:
    """Yield rows about the number of variable sites and singletons by number of people.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
    """
    bases, founders = float(joined.bases), len(panel.founders)
    sizes = sample_sizes(founders)
    per_mb = joined.sites_by_size / max(bases / MB, 1e-9)
    yield informative_row(
        f"variable sites per Mb, {len(panel.members)} people",
        ratio(joined.sites, bases / MB),
        "grows with the number of people",
        source="",
        sample=describe_sample(panel, bases),
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
            source=f"simulated chr21, {sites:,} sites in {CHR21_MB} Mb (VCF Zarr paper), a cohort "
            f"with another history; within a factor of {CHR21_FACTOR}",
            sample=f"{people:,} random unrelated people, {bases / MB:.0f} Mb",
            needs=""
            if people <= founders and bases >= DIVERSITY_MB * MB / 4
            else f"needs {people:,} unrelated people and {DIVERSITY_MB // 4} Mb",
        )
    largest = sizes[-1]
    index = sizes.index(50_000) if 50_000 in sizes else len(sizes) - 1
    note = f"the share depends on the number of people; needs {TOPMED_PEOPLE:,} people"
    shares = (
        (
            f"singleton share, {sizes[index]:,} unrelated people",
            ratio(joined.singletons_by_size[index], joined.sites_by_size[index]),
            TOPMED_SINGLETONS_UNRELATED,
            largest,
            f"{sizes[index]:,} unrelated people, {bases / MB:.0f} Mb",
        ),
        (
            "singleton share, all people",
            ratio(joined.singletons_of_all, joined.sites_of_all),
            TOPMED_SINGLETONS,
            largest,
            f"the whole cohort including relatives, {bases / MB:.0f} Mb",
        ),
    )
    for name, share, published, people, sample in shares:
        yield judged_row(
            name,
            share,
            round(published - 0.1, 2),
            round(published + 0.1, 2),
            source=f"TOPMed, 53,831 people of many ancestries: {published:.0%} ± 10 points",
            sample=sample,
            needs="" if people >= TOPMED_PEOPLE else note,
        )


def linkage_rows(joined: BlockMeasures, panel: MeasuredPeople) -> Iterator[Row]:
    """Yield rows about linkage disequilibrium by distance.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
    """
    people = min(len(panel.members), LINKAGE_PEOPLE)
    for distance, (low, high) in LINKAGE_RANGES.items():
        index = LINKAGE_DISTANCES.index(distance)
        yield judged_row(
            f"linkage disequilibrium r² at {distance // 1000} kb",
            ratio(joined.linkage[index], joined.linkage_pairs[index]),
            low,
            high,
            source="means of populations of Europe (Nelis et al. 2009, PLoS ONE 4:e5472)",
            sample=f"about {people} unrelated people of all countries, sites where both alleles "
            f"have a frequency of at least 5 %, {float(joined.bases) / MB:.0f} Mb",
            needs=needs_megabases(float(joined.bases), LINKAGE_MB)
            or ("" if people >= LEAST_PEOPLE else f"needs {LEAST_PEOPLE} unrelated people"),
        )
