"""What a dataset will have and take, from measured figures: ``rehearsal dataset --dry-run``.

All figures are those of ``benchmarks/dataset.py --costs`` for 1, 10, 100 and 1,000 people of ES and
FI, 1 Mb of chr22 and all traits, on 30 November 2026 (AMD EPYC, 2 cores, Python 3.11). Sites on
other contigs are those of 1 Mb of chrX, 0.5 Mb of chrY and chrM. Expected sites and bytes are right
within a factor of 2 for 100 kb and more.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from rehearsal.dataset.carriers import SIZE_OF_FAMILY
from rehearsal.dataset.plan import DatasetOrder, DatasetPlan, make_plan
from rehearsal.export.settings import POOLED
from rehearsal.genomes.assembly import AUTOSOMES
from rehearsal.model import Block, Patient, Variant
from rehearsal.report.questions.words import counted

PEOPLE = (1, 10, 100, 1_000)  # numbers of people that were measured
SITES_PER_MB: Mapping[str, Sequence[float]] = {  # at these numbers of people
    "autosome": (826, 3_145, 4_289, 8_738),
    "chrX": (620, 2_079, 3_360, 6_607),
    "chrY": (1, 256, 300, 874),
    "chrM": (1, 1_931, 6_096, 19_434),
}
FOR_A_DATASET = 300_000  # bytes of metadata, queries and indexes
PER_BASE = 0.45  # bytes of the reference
PER_SITE, PER_PERSON = 25.0, 360.0  # bytes of the truth
ALL_TRAITS = 16  # that have a score, in the measured datasets
BASE_S, PER_MB_S, PER_SITE_S, PER_GENOTYPE_S = 2.7, 0.01, 1.6e-4, 3e-8  # CPU, without formats
CHILDREN = 2  # of a planted family
BASE_GB, PER_GENOTYPE_GB = 0.45, 2.4e-9  # the largest block stands in memory


class Cost(NamedTuple):
    """What one place takes in a format, in bytes or CPU seconds."""

    place: float
    site: float
    genotype: float  # times the sites and a power of the people
    person: float  # with all traits

    def of(self, place: PlaceSize, power: float) -> float:
        """Add up the cost.

        Args:
            place: The size of the place.
            power: Of the number of people, in the cost of genotypes.
        """
        genotypes = place.sites * place.people**power
        people = place.people * place.traits
        return (
            self.place + self.site * place.sites + self.genotype * genotypes + self.person * people
        )


class PlaceSize(NamedTuple):
    """What decides the cost of a place."""

    sites: float
    people: int
    traits: float  # the share of all traits that the people have


# bytes of a compressed site grow as the square root of the people who have it: 15, 34 and 92 of VCF
# for 5, 50 and 500
BYTES_POWER, SECONDS_POWER = 0.5, 1.0
BYTES = {
    "bcf": Cost(0, 7.4, 4.6, 33),
    "vcf": Cost(0, 5.8, 4.2, 40),
    "pgen": Cost(0, 83, 1.7, 57),
    "zarr": Cost(1.4e04, 11, 1.2, 73),
    "trees": Cost(7.7e04, 57, 1.1, 0),
    "phenopackets": Cost(1.5e03, 0.23, 0, 7.4e02),
    "fhir": Cost(6.2e02, 0.15, 0, 4.2e02),
    "beacon": Cost(0, 36, 33, 0),
    "tables": Cost(1.3e04, 0.53, 0, 8e02),
    "omop": Cost(2.4e03, 0, 0.0081, 5.1e02),
    "scores": Cost(5.1e03, 0.31, 0, 0),
    "gwas": Cost(0, 0, 3.5, 1.5e03),
}
SECONDS = {
    "bcf": Cost(0.022, 8e-06, 1.6e-08, 0),
    "vcf": Cost(0.029, 8.8e-06, 3.1e-08, 0),
    "pgen": Cost(0.04, 9.7e-06, 0, 0.00019),
    "zarr": Cost(0.42, 0.00012, 0, 0.00071),
    "trees": Cost(1.7, 0, 1.4e-07, 0),
    "phenopackets": Cost(0.018, 0, 0, 7.4e-05),
    "fhir": Cost(0.013, 0, 0, 9.9e-05),
    "beacon": Cost(0, 0.0003, 2.1e-07, 0.00077),
    "tables": Cost(0.04, 5.6e-06, 0, 0.00011),
    "omop": Cost(0.023, 0, 0, 3.6e-05),
    "scores": Cost(0.012, 0, 0, 0),
    "gwas": Cost(0, 2.5e-05, 1.6e-07, 0.0025),
}


@dataclass(frozen=True)
class Estimate:
    """What a dataset is expected to have and to take."""

    people: Mapping[str, int]  # exact, by country code
    bases: Mapping[str, int]  # exact, by contig
    sites: int
    formats: Mapping[str, int]  # bytes by format
    other: int  # bytes of the reference, the truth and the metadata
    seconds: float  # of CPU
    gigabytes: float  # of memory, at most

    def lines(self) -> Iterator[str]:
        """Yield what it says, one line for each."""
        by_country = ", ".join(f"{code} {number:,}" for code, number in self.people.items())
        yield f"people: {sum(self.people.values()):,} ({by_country})"
        by_contig = ", ".join(f"{contig} {_mb(n)}" for contig, n in self.bases.items())
        yield f"regions: {_mb(sum(self.bases.values()))} ({by_contig})"
        yield f"sites: about {_rounded(self.sites)}"
        for kind, number in self.formats.items():
            yield f"{kind}: about {_size(number)}"
        yield f"reference, truth and metadata: about {_size(self.other)}"
        yield f"all files: about {_size(self.other + sum(self.formats.values()))}"
        yield f"time: about {_rounded(self.seconds)} s of CPU, with compiled code in the cache"
        yield f"memory: about {self.gigabytes:.1f} GB at its peak"


def dry_run_command(order: DatasetOrder, out: Path) -> None:
    """Check an order as ``rehearsal dataset`` does, and print what its dataset will cost.

    Args:
        order: What was asked for.
        out: The folder of the dataset, new or empty. Nothing is written.

    Raises:
        InputError: The order cannot be met.
    """
    plan = make_plan(order, out)
    print("\n".join([*estimate(plan).lines(), *planted_lines(plan)]))


def planted_lines(plan: DatasetPlan) -> Iterator[str]:
    """Yield what is planted: each variant as it will be written (1-based), and its carriers.

    Args:
        plan: The checked plan.
    """
    for one in plan.planted:
        carriers = [patient for patient in plan.carriers if one.variant in patient.carries]
        name = "" if one.label == str(one.variant) else f" ({one.label})"
        yield f"planted: {one.variant}{name}: {_carriers_words(one.variant, carriers)}"
    families = sum(1 for one in plan.carriers if one.mother is not None) // CHILDREN
    if families:
        of_four = counted(families, "family", "families")
        yield f"planted families: {of_four} of {SIZE_OF_FAMILY}, whose members are counted above"


def _carriers_words(variant: Variant, carriers: Sequence[Patient]) -> str:
    by_country = Counter(patient.country for patient in carriers)
    where = ", ".join(f"{code} {number}" for code, number in by_country.items())
    twice = sum(patient.carries[variant] == 2 for patient in carriers)
    with_two = f", {twice} of them with two copies" if twice else ""
    return f"{counted(len(carriers), 'carrier', 'carriers')} ({where}){with_two}"


def estimate(plan: DatasetPlan) -> Estimate:
    """Estimate a dataset without simulating it.

    Args:
        plan: The checked plan.
    """
    number, blocks = sum(plan.numbers.values()), plan.blocks
    sites, sizes = expected_sites(blocks, number), _place_sizes(plan)
    bases: dict[str, int] = {}
    for block in blocks:
        bases[block.contig] = bases.get(block.contig, 0) + block.length
    in_all, kinds = sum(bases.values()), plan.export.formats
    seconds = BASE_S + PER_MB_S * in_all / 1e6 + sites * (PER_SITE_S + PER_GENOTYPE_S * number)
    seconds += sum(SECONDS[kind].of(size, SECONDS_POWER) for kind in kinds for size in sizes)
    largest = max(expected_sites([block], number) for block in blocks)
    return Estimate(
        people=plan.numbers,
        bases=bases,
        sites=round(sites),
        formats={
            kind: round(sum(BYTES[kind].of(size, BYTES_POWER) for size in sizes)) for kind in kinds
        },
        other=round(FOR_A_DATASET + PER_BASE * in_all + PER_SITE * sites + PER_PERSON * number),
        seconds=seconds,
        gigabytes=BASE_GB + PER_GENOTYPE_GB * largest * number,
    )


def _place_sizes(plan: DatasetPlan) -> list[PlaceSize]:
    together = {POOLED: sum(plan.numbers.values())}
    people = [(together | plan.numbers)[name] for name in plan.export.places]
    traits = len(plan.traits.scored) / ALL_TRAITS
    return [PlaceSize(expected_sites(plan.blocks, some), some, traits) for some in people]


def expected_sites(blocks: Sequence[Block], people: int) -> float:
    """Interpolate the number of sites at which people differ, in logarithms.

    Beyond the measured numbers of people, the last slope goes on.

    Args:
        blocks: The simulated blocks.
        people: Number of people.
    """
    at, known = np.log(people), np.log(PEOPLE)
    total = 0.0
    for block in blocks:
        kind = "autosome" if block.contig in AUTOSOMES else block.contig
        sites = np.log(SITES_PER_MB[kind])
        last = (sites[-1] - sites[-2]) / (known[-1] - known[-2])
        beyond = max(at - known[-1], 0.0) * last
        total += block.length / 1e6 * float(np.exp(np.interp(at, known, sites) + beyond))
    return total


def _mb(bases: int) -> str:
    return f"{bases / 1e6:,.6f}".rstrip("0").rstrip(".") + " Mb"


def _rounded(number: float) -> str:
    """Write a number with two digits that count."""
    return f"{float(f'{number:.2g}'):,.0f}"


def _size(number: float) -> str:
    for unit, size in (("GB", 1e9), ("MB", 1e6)):
        if number >= 10 * size:
            return f"{_rounded(number / size)} {unit}"
        if number >= size:
            return f"{number / size:.1f} {unit}"
    return f"{max(number / 1e3, 1):.0f} kB"
