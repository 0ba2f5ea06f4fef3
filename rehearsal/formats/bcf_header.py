"""The header of a BCF file, and the INFO fields that it declares."""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass
from typing import NamedTuple

from rehearsal.model import SYNTHETIC

GROUPS = {"": "all", "_F": "women", "_M": "men"}
INFO = {
    "AN": ("1", "Alleles called"),
    "AC": ("A", "Copies of the allele"),
    "AC_Hom": ("A", "Copies of the allele in homozygous genotypes (two a person)"),
    "AC_Het": ("A", "Copies of the allele in heterozygous genotypes"),
    "AC_Hemi": ("A", "Copies of the allele in haploid genotypes"),
    "AF": ("A", "Frequency of the allele, AC / AN"),
}
GT_KEY = len(GROUPS) * len(INFO) + 1  # index in the header's dictionary; PASS is 0
SVTYPE_KEY, SVLEN_KEY, END_KEY = GT_KEY + 1, GT_KEY + 2, GT_KEY + 3
STRUCTURAL = {
    "SVTYPE": ("1", "String", "Type of structural variant: DEL, DUP, INS, INV or CNV"),
    "SVLEN": ("A", "Integer", "Length of the allele minus that of REF; of INV, inverted bases"),
    "END": ("1", "Integer", "Last base that the structural variant affects"),
}
BCSQ_KEY = END_KEY + 1
HF_KEY = BCSQ_KEY + 1
CN_KEY = HF_KEY + 1
CN = "Copies of the place that the person has"
HF = "Fraction of the mitochondrial genomes that have the allele; the genotype is the major allele"
BCSQ = (  # the format of bcftools csq
    "Consequences of the alleles for transcripts, each alone. Format: "
    "Consequence|gene|transcript|biotype|strand|amino_acid_change|dna_change"
)
SYMBOLIC = {
    "DEL": "Deletion",
    "DUP:TANDEM": "Tandem duplication",
    "INS:ME:ALU": "Insertion of an Alu element",
    "INS:ME:L1": "Insertion of a LINE-1 element",
    "INS:ME:SVA": "Insertion of an SVA element",
    "INV": "Inversion",
    "CN0": "Copy number of the haplotype: 0",
    "CN2": "Copy number of the haplotype: 2",
    "CN3": "Copy number of the haplotype: 3",
}


class Reference(NamedTuple):
    """The sequences that REF is of, for headers."""

    file: str  # name of the FASTA; empty: not known
    assembly: dict[str, str]  # its name by contig
    md5: dict[str, str]  # of the bases, by contig as far as known

    def lines(self, contigs: dict[str, int]) -> list[str]:
        """Format ``##reference`` and the lines of contigs, without IDX.

        Args:
            contigs: Lengths in bases by name.
        """
        lines = [f"##reference={self.file}"] if self.file else []
        for name, length in contigs.items():
            fields = f"ID={name},length={length},assembly={self.assembly[name]}"
            fields += f",md5={self.md5[name]}" if name in self.md5 else ""
            lines.append(f"##contig=<{fields}>")
        return lines


# versions of VCF that a header can name, the usual one first; records are the same in all of them
VCF_VERSIONS = ("4.3", "4.2")


class Header(NamedTuple):
    """What the header of a BCF file lists."""

    contigs: dict[str, int]  # lengths in bases by name
    samples: list[str]  # names, in the order of the columns
    reference: Reference
    version: str = VCF_VERSIONS[0]


def header_text(header: Header) -> str:
    """Format the VCF header. It has no dates, so equal input gives equal bytes.

    Args:
        header: What to list.

    Returns:
        The lines of the header.
    """
    lines = [
        f"##fileformat=VCFv{header.version}",
        '##FILTER=<ID=PASS,Description="All filters passed",IDX=0>',
        f"##source=rehearsal: {SYNTHETIC}",
    ]
    about = header.reference.lines(header.contigs)
    first = len(about) - len(header.contigs)
    lines += about[:first]
    lines += [f"{line[:-1]},IDX={index}>" for index, line in enumerate(about[first:])]
    keys = [(name + suffix, name, who) for suffix, who in GROUPS.items() for name in INFO]
    for index, (key, name, who) in enumerate(keys, start=1):
        number, meaning = INFO[name]
        lines.append(
            f"##INFO=<ID={key},Number={number},Type={'Float' if name == 'AF' else 'Integer'},"
            f'Description="{meaning}, {who}",IDX={index}>'
        )
    lines.append(
        f'##FORMAT=<ID=GT,Number=1,Type=String,Description="Phased genotype",IDX={GT_KEY}>'
    )
    for index, (key, (number, kind, meaning)) in enumerate(STRUCTURAL.items(), start=SVTYPE_KEY):
        lines.append(
            f'##INFO=<ID={key},Number={number},Type={kind},Description="{meaning}",IDX={index}>'
        )
    lines.append(f'##INFO=<ID=BCSQ,Number=.,Type=String,Description="{BCSQ}",IDX={BCSQ_KEY}>')
    lines.append(f'##FORMAT=<ID=HF,Number=A,Type=Float,Description="{HF}",IDX={HF_KEY}>')
    lines.append(f'##FORMAT=<ID=CN,Number=1,Type=Integer,Description="{CN}",IDX={CN_KEY}>')
    lines += [f'##ALT=<ID={key},Description="{meaning}">' for key, meaning in SYMBOLIC.items()]
    columns = ["#CHROM", "POS", "ID", "REF", "ALT", "QUAL", "FILTER", "INFO", "FORMAT"]
    lines.append("\t".join(columns + header.samples))
    return "\n".join(lines) + "\n"


def bcf_header(text: str) -> bytes:
    """Encode a header as the beginning of a BCF file, before compression.

    Args:
        text: The lines of the header.
    """
    encoded = text.encode() + b"\0"
    return b"BCF\2\2" + struct.pack("<I", len(encoded)) + encoded


@dataclass(frozen=True, slots=True)
class HeaderNames:
    """The names that a header numbers, by number."""

    contigs: list[str]
    keys: list[str]  # filters, INFO and FORMAT
    samples: int
    gt_key: int
    is_plain: bool  # whether phases are written as in VCF 4.3

    @classmethod
    def read(cls, bcf_header: bytes) -> HeaderNames:
        """Read the names. Their numbers are their IDX, or else consecutive, as in htslib.

        Args:
            bcf_header: The uncompressed beginning of a BCF.

        Returns:
            The names.
        """
        lines = bcf_header[9:].rstrip(b"\0\n").decode().split("\n")
        contigs: dict[int, str] = {}
        keys = {0: "PASS"}
        for line in lines:
            match = re.match(r"##(contig|FILTER|INFO|FORMAT)=<ID=([^,>]+)", line)
            if match:
                _add_name(contigs if match[1] == "contig" else keys, match[2], line)
        gt_key = next((number for number, name in keys.items() if name == "GT"), -1)
        plain = lines[0] in (f"##fileformat=VCFv4.{minor}" for minor in range(4))
        samples = max(0, len(lines[-1].split("\t")) - 9)
        return cls(_listed(contigs), _listed(keys), samples, gt_key, plain and gt_key >= 0)


def _add_name(table: dict[int, str], name: str, line: str) -> None:
    number = re.search(r",IDX=(\d+)>?$", line)
    if number:
        table[int(number[1])] = name
    elif name not in table.values():
        table[max(table, default=-1) + 1] = name


def _listed(names: dict[int, str]) -> list[str]:
    return [names.get(number, "") for number in range(max(names, default=-1) + 1)]
