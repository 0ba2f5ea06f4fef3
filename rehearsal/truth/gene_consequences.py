"""What an allele does to genes, worked out slowly from whole transcripts.

Nothing is shared with the code that annotates the nodes' files. Every base of a gene gets a mark
that says what it is, and changes of coding bases are found by translating the whole transcript
before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pysam

from rehearsal.truth.gene_files import GeneRow, read_genes

# label: accession in the Sequence Ontology; the most severe first, in Ensembl's order
ACCESSIONS = {
    "transcript_ablation": "SO:0001893",
    "splice_acceptor_variant": "SO:0001574",
    "splice_donor_variant": "SO:0001575",
    "stop_gained": "SO:0001587",
    "frameshift_variant": "SO:0001589",
    "stop_lost": "SO:0001578",
    "start_lost": "SO:0002012",
    "transcript_amplification": "SO:0001889",
    "feature_elongation": "SO:0001907",
    "feature_truncation": "SO:0001906",
    "inframe_insertion": "SO:0001821",
    "inframe_deletion": "SO:0001822",
    "missense_variant": "SO:0001583",
    "splice_region_variant": "SO:0001630",
    "start_retained_variant": "SO:0002019",
    "stop_retained_variant": "SO:0001567",
    "synonymous_variant": "SO:0001819",
    "coding_sequence_variant": "SO:0001580",
    "5_prime_UTR_variant": "SO:0001623",
    "3_prime_UTR_variant": "SO:0001624",
    "non_coding_transcript_exon_variant": "SO:0001792",
    "intron_variant": "SO:0001627",
}
_ORDER = list(ACCESSIONS)
_OTHER_STRAND = dict(zip("ACGTN", "TGCAN", strict=True))
_CODONS_OF = {
    **{"F": "TTT TTC", "L": "TTA TTG CTT CTC CTA CTG", "I": "ATT ATC ATA", "M": "ATG"},
    **{"V": "GTT GTC GTA GTG", "S": "TCT TCC TCA TCG AGT AGC", "P": "CCT CCC CCA CCG"},
    **{"T": "ACT ACC ACA ACG", "A": "GCT GCC GCA GCG", "Y": "TAT TAC", "*": "TAA TAG TGA"},
    **{"H": "CAT CAC", "Q": "CAA CAG", "N": "AAT AAC", "K": "AAA AAG", "D": "GAT GAC"},
    **{"E": "GAA GAG", "C": "TGT TGC", "W": "TGG", "R": "CGT CGC CGA CGG AGA AGG"},
    "G": "GGT GGC GGA GGG",
}
_AMINO_ACID = {codon: one for one, codons in _CODONS_OF.items() for codon in codons.split()}


class Consequence(NamedTuple):
    """The most severe consequence of an allele for one gene."""

    gene: str
    transcript: str
    label: str

    @property
    def accession(self) -> str:
        """The term's accession in the Sequence Ontology."""
        return ACCESSIONS[self.label]


class GeneTruth:
    """The genes of a run with the bases of its reference.

    Args:
        genes: The genes.
        fetch: Reader of the reference: contig, 0-based start, exclusive end.
    """

    def __init__(self, genes: Sequence[GeneRow], fetch: Callable[[str, int, int], str]) -> None:
        self._genes = [_Gene(row, fetch) for row in genes]

    @classmethod
    def of_files(cls, table: Path | str, gff3: Path | str | None, fasta: Path | str) -> GeneTruth:
        """Read the genes and the reference of a run.

        Args:
            table: ``config/transcripts.tsv``.
            gff3: A GFF3 file with more genes, or nothing.
            fasta: The run's reference, indexed.
        """
        return cls(read_genes(table, gff3), pysam.FastaFile(str(fasta)).fetch)

    def consequences(
        self, contig: str, start: int, ref: str, alt: str, end: int | None = None
    ) -> list[Consequence]:
        """Find what an allele does to each gene that it touches.

        Args:
            contig: The contig.
            start: 0-based position of the first base of ``ref``.
            ref: The reference allele of VCF.
            alt: The alternate allele, symbolic for structural variants.
            end: Exclusive end of the bases that a structural variant affects.

        Returns:
            One consequence per gene.
        """
        found = []
        for gene in self._genes:
            if gene.row.contig == contig:
                labels = gene.labels(start, ref, alt, end)
                if labels:
                    worst = min(labels, key=_ORDER.index)
                    found.append(Consequence(gene.row.gene, gene.row.transcript, worst))
        return found


@dataclass
class _Gene:
    row: GeneRow
    fetch: Callable[[str, int, int], str]

    @property
    def start(self) -> int:
        return self.row.exons[0][0]

    @property
    def end(self) -> int:
        return self.row.exons[-1][1]

    @cached_property
    def bases(self) -> str:
        return self.fetch(self.row.contig, self.start, self.end).upper()

    @cached_property
    def marks(self) -> list[set[str]]:
        """What each base is: one of coding, 5, 3, exon, intron, and what splicing needs it for."""
        marks: list[set[str]] = [set() for _ in range(self.end - self.start)]
        five, three = ("5", "3") if self.row.strand == "+" else ("3", "5")
        for a, b in self.row.exons:
            for p in range(a, b):
                low, high = self.row.coding
                kind = five if p < low else three if p >= high else "coding"
                marks[p - self.start].add(kind if low < high else "exon")
        begin, finish = ("donor", "acceptor") if self.row.strand == "+" else ("acceptor", "donor")
        edges = zip(self.row.exons, self.row.exons[1:], strict=False)
        for (_, a), (b, _) in edges:
            for p in range(a, b):
                marks[p - self.start].add("intron")
                marks[p - self.start] |= {begin} if p - a < 2 else set()
                marks[p - self.start] |= {finish} if b - p <= 2 else set()
                near = 2 <= p - a < 8 or 2 < b - p <= 8
                marks[p - self.start] |= {"region"} if near else set()
                marks[p - self.start] |= {"end"} if b - p <= 8 else set()
            for p in (*range(a - 3, a), *range(b, b + 3)):
                if self.start <= p < self.end:
                    marks[p - self.start].add("region")
        return marks

    def labels(self, start: int, ref: str, alt: str, end: int | None) -> set[str]:
        if alt.startswith("<"):
            return self._structural(start + 1, end or start + 1, alt)
        while ref and alt and ref[0] == alt[0]:
            start, ref, alt = start + 1, ref[1:], alt[1:]
        while ref and alt and ref[-1] == alt[-1]:
            ref, alt = ref[:-1], alt[:-1]
        if ref:
            touched = range(max(start, self.start), min(start + len(ref), self.end))
            return self._small(list(touched), start, ref, alt) if touched else set()
        if not self.start < start < self.end:
            return set()
        before = "end" in self._mark(start) or self._begins_coding(start)
        at = start - 1 if before else start
        return self._small([at], start, ref, alt)

    def _mark(self, position: int) -> set[str]:
        return self.marks[position - self.start]

    def _begins_coding(self, position: int) -> bool:
        """Tell whether the first coding base by position follows an untranslated one."""
        is_first = position == self.row.coding[0]
        return is_first and "intron" not in self._mark(position - 1)

    def _small(self, touched: list[int], start: int, ref: str, alt: str) -> set[str]:
        marks = [self._mark(p) for p in touched]
        every = set().union(*marks)
        names = {"donor": "splice_donor_variant", "acceptor": "splice_acceptor_variant"}
        names |= {"region": "splice_region_variant", "intron": "intron_variant"}
        names |= {"5": "5_prime_UTR_variant", "3": "3_prime_UTR_variant"}
        names["exon"] = "non_coding_transcript_exon_variant"
        labels = {name for mark, name in names.items() if mark in every}
        if all("coding" in mark for mark in marks) and len(touched) >= len(ref):
            return labels | self._coding(start, ref, alt)
        if "coding" in every:
            labels.add("coding_sequence_variant")
            if ref and start < self.row.coding[0] < start + len(ref):
                labels.add("start_lost" if self.row.strand == "+" else "stop_lost")
            if ref and start < self.row.coding[1] < start + len(ref):
                labels.add("stop_lost" if self.row.strand == "+" else "start_lost")
        return labels

    def _spliced(self, changed: dict[int, str]) -> str:
        """Join the bases of the exons from the start codon on, some of them changed."""
        low, high = self.row.coding
        forward = self.row.strand == "+"
        letters = []
        for a, b in self.row.exons:
            for p in range(a, b):
                if (p >= low) if forward else (p < high):
                    letters.append(changed.get(p, self.bases[p - self.start]))
        text = "".join(letters)
        return text if forward else "".join(_OTHER_STRAND[x] for x in reversed(text))

    def _coding(self, start: int, ref: str, alt: str) -> set[str]:
        """Compare the proteins before and after."""
        changed = dict.fromkeys(range(start, start + len(ref)), "")
        if ref:
            changed[start] = alt
        elif start in range(*self.row.coding) and "coding" in self._mark(start):
            changed[start] = alt + self.bases[start - self.start]
        before, after = _protein(self._spliced({})), _protein(self._spliced(changed))
        shift = len(alt) - len(ref)
        if after[:1] != "M":
            return {"start_lost"}
        if shift % 3:
            return {"frameshift_variant"}
        if shift == 0 and before == after:
            whole = self._spliced(changed)[3 * len(before) - 3 : 3 * len(before)]
            is_stop = whole != self._spliced({})[3 * len(before) - 3 : 3 * len(before)]
            return {"stop_retained_variant" if is_stop else "synonymous_variant"}
        labels = {"missense_variant"}
        if shift:
            labels = {"inframe_insertion" if shift > 0 else "inframe_deletion"}
        expected = len(before) + shift // 3
        if after.endswith("*") and len(after) < expected:
            labels = labels - {"missense_variant"} | {"stop_gained"}
        elif len(after) > expected or not after.endswith("*"):
            labels = labels - {"missense_variant"} | {"stop_lost"}
        return labels

    def _structural(self, start: int, end: int, alt: str) -> set[str]:
        is_insertion = start == end
        last = start + 1 if is_insertion else end
        if last <= self.start or start >= self.end:
            return set()
        inside = [self._mark(p) for p in range(max(start, self.start), min(last, self.end))]
        every = set().union(*inside)
        if not every & {"coding", "5", "3", "exon"}:
            return {"intron_variant"}
        if alt == "<INV>":
            if "coding" in every:
                return {"coding_sequence_variant"}
            names = {"5": "5_prime_UTR_variant", "3": "3_prime_UTR_variant"}
            names["exon"] = "non_coding_transcript_exon_variant"
            return {name for mark, name in names.items() if mark in every}
        whole = start <= self.start and self.end <= end
        if alt in ("<DEL>", "<CN0>"):
            return {"transcript_ablation" if whole else "feature_truncation"}
        is_copy = alt.startswith(("<DUP", "<CN"))
        return {"transcript_amplification" if whole and is_copy else "feature_elongation"}


def _protein(bases: str) -> str:
    """Translate up to the first stop, or to the last whole codon."""
    letters = []
    for i in range(0, len(bases) - 2, 3):
        letters.append(_AMINO_ACID.get(bases[i : i + 3], "X"))
        if letters[-1] == "*":
            break
    return "".join(letters)
