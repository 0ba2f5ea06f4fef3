"""What an allele does to genes, worked out slowly from whole transcripts.

Nothing is shared with the code that annotates the nodes' files. Every base of a gene gets a mark
that says what it is, and changes of coding bases are found by translating the whole transcript
before and after.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import pysam

from rehearsal.truth.gene_files import GeneRow, read_genes
from rehearsal.truth.gene_marks import marks_of

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
_LABEL_OF_MARK = {
    "donor": "splice_donor_variant",
    "acceptor": "splice_acceptor_variant",
    "region": "splice_region_variant",
    "intron": "intron_variant",
    "5": "5_prime_UTR_variant",
    "3": "3_prime_UTR_variant",
    "exon": "non_coding_transcript_exon_variant",
}
_UNTRANSLATED = {"5", "3", "exon"}
_SPLICE_SITES = {"splice_donor_variant", "splice_acceptor_variant"}


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
        self._last: tuple[tuple[object, ...], list[Consequence]] = ((), [])

    @classmethod
    def of_files(cls, table: Path | str, gff3: Path | str | None, fasta: Path | str) -> GeneTruth:
        """Read the genes and the reference of a run.

        Args:
            table: ``config/transcripts.tsv``.
            gff3: A GFF3 file with more genes, or nothing.
            fasta: The run's reference, indexed.
        """
        return cls(read_genes(table, gff3), pysam.FastaFile(str(fasta)).fetch)

    def spans(self, contig: str) -> list[tuple[int, int]]:
        """List where genes begin and end, 0-based half-open.

        Args:
            contig: The contig.
        """
        return [(gene.start, gene.end) for gene in self._genes if gene.row.contig == contig]

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
        allele = contig, start, ref, alt, end
        if self._last[0] != allele:  # several questions ask for one allele after another
            self._last = allele, list(self._find(*allele))
        return self._last[1]

    def _find(
        self, contig: str, start: int, ref: str, alt: str, end: int | None
    ) -> Iterator[Consequence]:
        for gene in self._genes:
            if gene.row.contig == contig and (labels := gene.labels(start, ref, alt, end)):
                worst = min(labels, key=_ORDER.index)
                yield Consequence(gene.row.gene, gene.row.transcript, worst)


@dataclass
class _Gene:
    row: GeneRow
    fetch: Callable[[str, int, int], str]

    @cached_property
    def start(self) -> int:
        return self.row.exons[0][0]

    @cached_property
    def end(self) -> int:
        return self.row.exons[-1][1]

    @cached_property
    def bases(self) -> str:
        return self.fetch(self.row.contig, self.start, self.end).upper()

    @cached_property
    def marks(self) -> list[set[str]]:
        return marks_of(self.row)

    def labels(self, start: int, ref: str, alt: str, end: int | None) -> set[str]:
        if alt.startswith("<"):  # its position is that of the base before it
            return self._structural(start + 1, end or start + 1, alt)
        start, ref, alt = _without_shared_bases(start, ref, alt)
        labels = self._at(start, ref, alt)
        if labels & _SPLICE_SITES and not (ref and alt):  # the same bases by another name?
            for other in self._other_names(start, ref, alt):
                named = self._at(*other)
                if not named & _SPLICE_SITES:
                    return named or labels
        return labels

    def _at(self, start: int, ref: str, alt: str) -> set[str]:
        touched = self._touched(start, ref) if ref else self._base_of_insertion(start)
        return self._small(touched, start, ref, alt) if touched else set()

    def _other_names(self, start: int, ref: str, alt: str) -> Iterator[tuple[int, str, str]]:
        """Yield the places further right where the same indel gives the same bases."""
        text, at = self.bases, start - self.start
        if at < 0:
            return
        result = text[:at] + alt + text[at + len(ref) :]
        for here in range(at + 1, len(text)):
            gone, added = text[here : here + len(ref)], result[here : here + len(alt)]
            if text[:here] + added + text[here + len(ref) :] != result:
                return
            yield self.start + here, gone, added

    def _touched(self, start: int, ref: str) -> range:
        """Return the gene's bases that an allele replaces."""
        return range(max(start, self.start), min(start + len(ref), self.end))

    def _base_of_insertion(self, start: int) -> range:
        """Return the one base that an insertion in front of ``start`` counts as a change of."""
        if not self.start < start < self.end:
            return range(0)
        # in front of the last bases of an intron, or of the coding ones, it is still outside them
        before = "end" in self._mark(start) or self._begins_coding(start)
        return range(start - 1, start) if before else range(start, start + 1)

    def _mark(self, position: int) -> set[str]:
        return self.marks[position - self.start]

    def _begins_coding(self, position: int) -> bool:
        """Tell whether the first coding base by position follows an untranslated one."""
        is_first = position == self.row.coding[0]
        return is_first and "intron" not in self._mark(position - 1)

    def _small(self, touched: range, start: int, ref: str, alt: str) -> set[str]:
        marks = [self._mark(p) for p in touched]
        every = set().union(*marks)
        labels = _labels_of(every)
        # a protein can be compared if the whole allele is in coding bases
        if all("coding" in mark for mark in marks) and len(touched) >= len(ref):
            return labels | self._coding(start, ref, alt)
        if "coding" in every:
            return labels | {"coding_sequence_variant"} | self._lost_ends(start, ref)
        return labels

    def _lost_ends(self, start: int, ref: str) -> set[str]:
        """Name the ends of the coding bases that an allele reaches across."""
        names = ["start_lost", "stop_lost"]
        if self.row.strand == "-":
            names.reverse()
        borders = zip(self.row.coding, names, strict=True)
        return {name for border, name in borders if start < border < start + len(ref)}

    @cached_property
    def _unchanged(self) -> str:
        return self._spliced({})

    def _spliced(self, changed: dict[int, str]) -> str:
        """Join the bases of the exons from the start codon on, some of them changed."""
        low, high = self.row.coding
        forward = self.row.strand == "+"
        letters, bases, first = [], self.bases, self.start
        for a, b in self.row.exons:
            for p in range(max(a, low), b) if forward else range(a, min(b, high)):
                letters.append(changed.get(p, bases[p - first]))
        text = "".join(letters)
        return text if forward else "".join(_OTHER_STRAND[x] for x in reversed(text))

    def _coding(self, start: int, ref: str, alt: str) -> set[str]:
        """Compare the transcripts before and after."""
        changed = self._changed_bases(start, ref, alt)
        return _change_of_protein(self._unchanged, self._spliced(changed), len(alt) - len(ref))

    def _changed_bases(self, start: int, ref: str, alt: str) -> dict[int, str]:
        """Return what stands in place of each base that an allele changes."""
        if ref:
            return dict.fromkeys(range(start, start + len(ref)), "") | {start: alt}
        if start in range(*self.row.coding) and "coding" in self._mark(start):
            return {start: alt + self.bases[start - self.start]}
        return {}  # at the end of an exon, in front of a very short intron

    def _structural(self, start: int, end: int, alt: str) -> set[str]:
        is_insertion = start == end
        last = start + 1 if is_insertion else end
        if last <= self.start or start >= self.end:
            return set()
        inside = [self._mark(p) for p in range(max(start, self.start), min(last, self.end))]
        every = set().union(*inside)
        if not every & {"coding", *_UNTRANSLATED}:
            return {"intron_variant"}
        if alt == "<INV>":  # turns bases round, and leaves their number as it is
            return _labels_of_inversion(every)
        is_whole = start <= self.start and self.end <= end
        return {_change_of_length(alt, is_whole)}


def _without_shared_bases(start: int, ref: str, alt: str) -> tuple[int, str, str]:
    """Take away the bases that both alleles begin with, then those that both end with."""
    while ref and alt and ref[0] == alt[0]:
        start, ref, alt = start + 1, ref[1:], alt[1:]
    while ref and alt and ref[-1] == alt[-1]:
        ref, alt = ref[:-1], alt[:-1]
    return start, ref, alt


def _labels_of(marks: set[str]) -> set[str]:
    """Name a change of bases with these marks; that of coding bases depends on the protein."""
    return {name for mark, name in _LABEL_OF_MARK.items() if mark in marks}


def _labels_of_inversion(marks: set[str]) -> set[str]:
    if "coding" in marks:
        return {"coding_sequence_variant"}
    return _labels_of(marks & _UNTRANSLATED)


def _change_of_length(alt: str, is_whole: bool) -> str:
    """Name a structural variant that takes bases away from a gene or adds some."""
    if alt in ("<DEL>", "<CN0>"):
        return "transcript_ablation" if is_whole else "feature_truncation"
    is_copy = alt.startswith(("<DUP", "<CN"))
    return "transcript_amplification" if is_whole and is_copy else "feature_elongation"


def _change_of_protein(bases_before: str, bases_after: str, shift: int) -> set[str]:
    """Compare the proteins of a transcript that an allele makes longer by ``shift`` bases."""
    before, after = _protein(bases_before), _protein(bases_after)
    if after[:1] != "M":
        return {"start_lost"}
    if shift % 3:
        return {"frameshift_variant"}
    if shift == 0 and before == after:
        last = slice(3 * len(before) - 3, 3 * len(before))  # another stop codon is no other protein
        is_stop = bases_before[last] != bases_after[last]
        return {"stop_retained_variant" if is_stop else "synonymous_variant"}
    moved_stop = _moved_stop(after, len(before) + shift // 3)
    if shift:
        return {"inframe_insertion" if shift > 0 else "inframe_deletion"} | moved_stop
    return moved_stop or {"missense_variant"}


def _moved_stop(protein: str, expected: int) -> set[str]:
    """Name a stop that comes before or after the expected length; nothing if it is there."""
    if protein.endswith("*") and len(protein) < expected:
        return {"stop_gained"}
    if len(protein) > expected or not protein.endswith("*"):
        return {"stop_lost"}
    return set()


def _protein(bases: str) -> str:
    """Translate up to the first stop, or to the last whole codon."""
    letters = []
    for i in range(0, len(bases) - 2, 3):
        letters.append(_AMINO_ACID.get(bases[i : i + 3], "X"))
        if letters[-1] == "*":
            break
    return "".join(letters)
