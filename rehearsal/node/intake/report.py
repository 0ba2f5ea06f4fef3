"""What an intake of VCF files took and left out, in words and as JSON."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from rehearsal.files import write_json

REPORT_FILE = "vcf_report.json"

OTHER_CONTIG = "other_contig"
FAILED_FILTER = "failed_filter"
NO_ALTERNATE = "no_alternate_allele"
NO_GENOTYPES = "no_genotypes"
TELOMERE = "telomere"
MORE_COPIES = "more_than_two_alleles"
OTHER_REFERENCE = "other_reference"
EQUALS_REFERENCE = "equals_reference"
SPANNING_DELETION = "spanning_deletion"
ANY_ALLELE = "any_other_allele"
BREAKEND = "breakend"
OTHER_SYMBOL = "other_symbol"
NO_LENGTH = "no_length"
OTHER_LENGTHS = "contradicting_lengths"
OTHER_BASES = "other_bases"
NO_CARRIER = "no_carrier"
DUPLICATE = "duplicate"
REPEATED = "repeated"

REASONS = {  # in the order in which they are told
    OTHER_CONTIG: "not on chr1 to chr22, chrX, chrY or chrM (bcftools annotate --rename-chrs names "
    "them so)",
    FAILED_FILTER: "FILTER is not PASS (--include-filtered takes them)",
    TELOMERE: "before or behind the bases of its contig",
    NO_GENOTYPES: "no genotypes (GT is not the first field of FORMAT)",
    MORE_COPIES: "a genotype of more than two alleles",
    NO_ALTERNATE: "no alternate allele (ALT is .)",
    OTHER_REFERENCE: "REF is not what the reference has there",
    EQUALS_REFERENCE: "ALT is REF",
    OTHER_BASES: "REF or ALT has letters other than A, C, G and T",
    SPANNING_DELETION: "bases that another deletion removes (*)",
    ANY_ALLELE: "no allele but a block of the reference (<NON_REF> or <*>)",
    BREAKEND: "a breakend",
    OTHER_SYMBOL: "a symbolic allele or text that a node cannot serve",
    NO_LENGTH: "a structural variant whose length is not stated (END or SVLEN) or is too large",
    OTHER_LENGTHS: "a structural variant whose SVLEN contradicts END, or is not one number for "
    "each alternate allele",
    NO_CARRIER: "nobody carries it",
    REPEATED: "an allele that its record names twice; its carriers count with the first",
    DUPLICATE: "the same variant as in an earlier record, which is kept",
}


@dataclass
class IntakeReport:
    """Counts of an intake. An allele is an alternate one; records with none taken are left out."""

    include_filtered: bool = False
    fix_ploidy: bool = False
    reference: str | None = None  # the FASTA
    renamed: dict[str, str] = field(default_factory=dict)  # contigs, from the files' names
    records: int = 0
    records_left_out: Counter[str] = field(default_factory=Counter)  # by reason
    alleles: int = 0
    alleles_left_out: Counter[str] = field(default_factory=Counter)
    indels: int = 0  # taken, of which nobody knows whether they are left-aligned
    moved: int = 0  # alleles that were left-aligned
    extra_copies: int = 0  # genotypes of two alleles where people have one, or one where none
    heterozygous: int = 0  # those of them with two different alleles
    haploid: int = 0  # genotypes of one allele where people have two

    @property
    def variants(self) -> int:
        """The number of alleles that were taken, which are the rows of the store."""
        return self.alleles - self.alleles_left_out.total()

    @property
    def taken(self) -> int:
        """The number of records of which an allele was taken."""
        return self.records - self.records_left_out.total()

    def lines(self) -> list[str]:
        """Write the report for people, one line for each thing to know."""
        told = [
            f"{self.records} records read, {self.taken} taken, "
            f"{self.records_left_out.total()} left out"
        ]
        told += self.reasons()
        own = self.alleles_left_out.total()
        told.append(f"{self.alleles} alternate alleles read, {self.variants} taken, {own} left out")
        if self.alleles_left_out != self.records_left_out:
            told += _told(self.alleles_left_out, "alleles")
        return told + [line for number, line in self._remarks() if number]

    def reasons(self) -> list[str]:
        """Write why records were left out, one line for each reason."""
        return _told(self.records_left_out, "records")

    def _remarks(self) -> list[tuple[int, str]]:
        """Say what was decided about genotypes and alleles; each with its number."""
        outcome = "counted as they are (--fix-ploidy makes them hemizygous)"
        if self.fix_ploidy:
            outcome = (
                "made hemizygous, those of two different alleles "
                f"({self.heterozygous}) and of women on chrY missing"
            )
        return [
            (
                self.extra_copies,
                f"{self.extra_copies} genotypes have more alleles than the person has copies (such "
                f"as men on chrX outside of the pseudo-autosomal regions): {outcome}",
            ),
            (
                self.haploid,
                f"{self.haploid} genotypes have one allele where people have two copies: counted "
                "as hemizygous",
            ),
            (self.moved, f"{self.moved} alleles were left-aligned"),
            (
                self.indels,
                f"{self.indels} insertions and deletions are taken where the file has them "
                "(--reference left-aligns them)",
            ),
        ]

    def as_json(self) -> dict[str, object]:
        """Return the report as values of JSON."""
        return {
            "options": {
                "include_filtered": self.include_filtered,
                "fix_ploidy": self.fix_ploidy,
                "reference": self.reference,
            },
            "contigs_renamed": self.renamed,
            "records": {
                "read": self.records,
                "taken": self.taken,
                "left_out": dict(sorted(self.records_left_out.items())),
            },
            "alternate_alleles": {
                "read": self.alleles,
                "taken": self.variants,
                "left_out": dict(sorted(self.alleles_left_out.items())),
                "left_aligned": self.moved,
            },
            "genotypes": {
                "more_alleles_than_copies": self.extra_copies,
                "of_them_heterozygous": self.heterozygous,
                "haploid_where_diploid": self.haploid,
            },
        }

    def write(self, folder: Path) -> None:
        """Write the report beside a node's stores.

        Args:
            folder: The node's folder.
        """
        write_json(folder / REPORT_FILE, self.as_json())


def _told(left_out: Counter[str], what: str) -> list[str]:
    return [
        f"  {left_out[reason]} {what}: {words}"
        for reason, words in REASONS.items()
        if left_out[reason]
    ]
