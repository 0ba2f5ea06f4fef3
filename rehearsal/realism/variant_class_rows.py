"""Rows about the classes of variants: indels, sites with several alleles, structural variants."""

from __future__ import annotations

from collections.abc import Iterator

from rehearsal.realism.measures import BlockMeasures
from rehearsal.realism.panel import MeasuredPeople
from rehearsal.realism.published import (
    CPG_SHARE,
    GENOME_BASES,
    INDEL_SHARE,
    INSERTIONS_PER_DELETION,
    MULTIALLELIC_PEOPLE,
    MULTIALLELIC_SHARE,
    ONE_BASE_SHARE,
    REPEAT_SHARE,
    STRUCTURAL_BY_TYPE,
    STRUCTURAL_PER_GENOME,
)
from rehearsal.realism.requirements import (
    LEAST_SITES,
    MB,
    STRUCTURAL_MB,
    describe_sample,
    needs_megabases,
)
from rehearsal.realism.rows import Row, informative_row, judged_row
from rehearsal.realism.sample_size import sample_sizes
from rehearsal.realism.statistics import ratio
from rehearsal.realism.variant_classes import SMALL, STRUCTURAL


def small_variant_rows(joined: BlockMeasures, panel: MeasuredPeople) -> Iterator[Row]:
    """Yield rows about SNVs and small indels.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
    """
    count = dict(zip(SMALL, joined.small.tolist(), strict=True))
    indels = count["insertions"] + count["deletions"]
    sample = f"all alleles of the whole cohort, {float(joined.bases) / MB:.0f} Mb"
    few = "" if count["snvs"] >= LEAST_SITES else f"needs {LEAST_SITES:,} SNVs"
    rows = (
        ("indels among small variants", indels, count["snvs"] + indels, INDEL_SHARE, few),
        (
            "insertions per deletion, up to 49 bases",
            count["insertions"],
            count["deletions"],
            INSERTIONS_PER_DELETION,
            few,
        ),
        ("indels of one base", count["indels_of_one_base"], indels, ONE_BASE_SHARE, few),
        ("indels in repeats", count["indels_in_repeats"], indels, REPEAT_SHARE, few),
        ("CpG transitions among SNVs", count["cpg_transitions"], count["snvs"], CPG_SHARE, few),
        (
            "SNV sites with several alternate alleles",
            count["multiallelic_snv_sites"],
            count["snv_sites"],
            MULTIALLELIC_SHARE,
            few or _needs_people(panel),
        ),
    )
    for name, part, whole, (low, high, source), needs in rows:
        measured = ratio(part, whole)
        yield judged_row(name, measured, low, high, source=source, sample=sample, needs=needs)


def structural_rows(joined: BlockMeasures, panel: MeasuredPeople) -> Iterator[Row]:
    """Yield rows about the structural variants of a person, scaled to a genome.

    Args:
        joined: Sums over all blocks.
        panel: The measured people.
    """
    bases = float(joined.bases)
    by_type = joined.structural.mean(axis=1)
    low, high, source = STRUCTURAL_PER_GENOME
    yield judged_row(
        "structural variants per genome",
        ratio(by_type.sum() * GENOME_BASES, bases),
        low,
        high,
        source=source,
        sample=describe_sample(panel, bases),
        needs=needs_megabases(bases, STRUCTURAL_MB),
    )
    for number, kind in enumerate(STRUCTURAL):
        expected, source = STRUCTURAL_BY_TYPE[kind]
        yield informative_row(
            f"structural variants per genome, {kind}",
            ratio(by_type[number] * GENOME_BASES, bases),
            expected,
            source=source,
            sample=describe_sample(panel, bases),
            note="long reads call most duplications insertions, and types by place differ",
        )


def _needs_people(panel: MeasuredPeople) -> str:
    least, most = MULTIALLELIC_PEOPLE
    people = sample_sizes(len(panel.founders))[-1]
    if least <= people <= most:
        return ""
    return f"the share depends on the number of people; needs {least:,} to {most:,}"
