"""Classes of variants: how often each arises, and how large its variants are.

Sources of the figures:

- Montgomery et al. 2013, PMC3638132: 43-48 % of small indels lie in the 4 % of the genome that is
  homopolymers and tandem repeats; slippage explains three quarters of all.
- Mills et al. 2011, PMC3106316, and Montgomery et al. 2013: lengths of small indels fall with a
  power of their length, and deletions are more frequent than insertions outside of repeats.
- Chaisson et al. 2019, PMC6467913: 27,622 structural variants of 50 bases and more in a genome
  against the reference by long reads and other platforms, 156 of them inversions. Eichler 2019,
  N Engl J Med 381:64, PMC6681822, table 1, is the source of the range of 23,000 to 28,000.
- Beyter et al. 2021, Nat Genet 53:779, doi:10.1038/s41588-021-00865-4: deletions and insertions
  of 3,622 people by long reads.
- Sasani et al. 2019, eLife 8:e46922, PMC6759356: types of new single-base mutations.
- Sudmant et al. 2015, doi:10.1038/nature15394, table 1: 12,748 insertions of Alu, 3,048 of L1 and
  835 of SVA; 2,929 places with several copy numbers, of 19,466 bases (median), which give a person
  340 alleles; inversions of 1,697 bases (median).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LONGEST_INDEL = 49  # bases; variants from 50 bases on are structural
INDEL_POWER = 1.9  # P(length) falls with this power, outside of repeats
DELETION_SHARE = 0.66  # of indels outside of repeats; in repeats half
DUPLICATION_SHARE = 0.7  # of insertions outside of repeats: copies of the bases beside them
REPEAT_SHARE = 0.65  # of indels, at most: change of the number of units of a repeat
ONE_UNIT_SHARE = 0.75  # of those: one unit more or less; k units geometrically

CPG_BASES = 0.0198  # share of the known bases of GRCh38 that stand in CpG
GC_BASES = 0.409  # share of G and C among them
# New single-base mutations of 420 children by type, C>T outside of CpG: counted in the tables
# second_gen.dnms.txt and third_gen.dnms.txt of quinlan-lab/ceph-dnm-manuscript@9829847. A type
# stands for the complementary one too. In CpG there are 5,071 C>T, 18 % of all.
NEW_SUBSTITUTIONS = {
    "T>C": 7_128,
    "C>T": 6_457,
    "C>A": 2_710,
    "C>G": 2_540,
    "T>G": 2_012,
    "T>A": 1_779,
}

GENOME_BASES = 2.9e9  # bases of GRCh38 that are not N
# Generations in which a variant arises that a person has and a European reference has not, or the
# other way round: 1.5 times the heterozygosity of the model (7.2e-4) over the mutation rate
# (1.29e-8). Of three haplotypes, two of the person, each differs from the others equally often.
PERSON_GENERATIONS = 84_000
PERSON_COPY_NUMBERS = 340  # alleles of places with several copy numbers in a person
COPY_NUMBER_PLACES = 2_929  # in a genome
COPY_NUMBER_LENGTH = (19_466, 0.9)  # bases: median, standard deviation of the logarithm

DEL, DUP, ALU, L1, SVA, INV, LOSS, GAIN = range(8)
SYMBOLS = ("<DEL>", "<DUP:TANDEM>", "<INS:ME:ALU>", "<INS:ME:L1>", "<INS:ME:SVA>", "<INV>")


@dataclass(frozen=True)
class VariantClasses:
    """How often classes of variants arise besides ordinary changes of single bases."""

    cpg_factor: float = 10.0  # transitions in CpG against all changes of another base
    indel_share: float = 0.18  # of small mutations
    structural_per_genome: float = 25_500.0  # alleles of a person against the reference

    @classmethod
    def of(cls, section: Mapping[str, float]) -> VariantClasses:
        """Read the section ``genome.variant_classes`` of the configuration.

        Args:
            section: The section.

        Returns:
            The settings.
        """
        return cls(**section)

    @property
    def structural_rate(self) -> float:
        """Structural mutations per base and generation, without copy numbers."""
        alleles = max(self.structural_per_genome - PERSON_COPY_NUMBERS * self.copy_numbers, 0.0)
        return alleles / (GENOME_BASES * PERSON_GENERATIONS)

    @property
    def copy_numbers(self) -> bool:
        """Whether there are places with several copy numbers."""
        return self.structural_per_genome > PERSON_COPY_NUMBERS


@dataclass(frozen=True)
class SizePeak:
    """Structural variants of one origin: their type, share and sizes (log-normal)."""

    kind: int
    share: float
    median: float  # bases
    spread: float  # standard deviation of the logarithm


# A person has 9,474 deletions and 13,353 insertions by long reads (Beyter et al. 2021), and 3,490
# Alu, 980 L1 and 1,070 SVA, inserted or deleted (PMC11451085, table 1): about half are deletions of
# reference elements. Most of the rest of both are units of tandem repeats.
SIZES = (
    SizePeak(DEL, 0.28, 90.0, 0.75),  # units of tandem repeats
    SizePeak(DEL, 0.07, 312.0, 0.05),  # Alu of the reference
    SizePeak(DEL, 0.01, 6_020.0, 0.03),  # whole L1 of the reference
    SizePeak(DEL, 0.054, 1_400.0, 1.3),  # with truncated L1 and SVA
    SizePeak(DUP, 0.46, 105.0, 0.8),  # units of tandem repeats
    SizePeak(DUP, 0.01, 6_000.0, 1.2),
    SizePeak(ALU, 0.07, 300.0, 0.06),
    SizePeak(L1, 0.006, 6_020.0, 0.02),  # whole
    SizePeak(L1, 0.013, 1_000.0, 0.8),  # truncated at the 5' end
    SizePeak(SVA, 0.02, 1_500.0, 0.5),
    SizePeak(INV, 0.007, 1_697.0, 1.2),
)
SHORTEST_STRUCTURAL = 50
LONGEST_STRUCTURAL = 200_000


def size_table() -> NDArray[np.float64]:
    """Write the sizes as a table for compiled code.

    Returns:
        Shape (n_peaks, 4): cumulative share, type, logarithm of the median, spread.
    """
    share = np.array([peak.share for peak in SIZES])
    return np.column_stack(
        [
            np.cumsum(share) / share.sum(),
            [peak.kind for peak in SIZES],
            [np.log(peak.median) for peak in SIZES],
            [peak.spread for peak in SIZES],
        ]
    )


def indel_lengths() -> NDArray[np.float64]:
    """Compute the distribution of the lengths of indels outside of repeats.

    Returns:
        Cumulative probability of the lengths 1 to 49, shape (49,).
    """
    weight = np.arange(1, LONGEST_INDEL + 1, dtype=float) ** -INDEL_POWER
    return np.cumsum(weight) / weight.sum()
