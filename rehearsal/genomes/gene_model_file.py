"""Write the gene model as GFF3, in the form of Ensembl that ``bcftools csq`` reads."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pysam

from rehearsal.files import atomic_path
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.transcripts import Transcript

_SOURCE = "rehearsal"


def write_gene_model(transcripts: Sequence[Transcript], path: Path | str) -> None:
    """Write transcripts as GFF3, compressed by BGZF.

    Args:
        transcripts: The transcripts, by contig and position.
        path: The file, such as ``genes.gff3.gz``. Its index for tabix is written beside it.
    """
    lines = ["##gff-version 3"]
    for contig in dict.fromkeys(t.contig for t in transcripts):
        lines.append(f"##sequence-region {contig} 1 {CONTIG_LENGTHS[contig]}")
    rows = [(t.contig, start, text) for t in transcripts for start, text in _rows(t)]
    order = list(CONTIG_LENGTHS)
    rows.sort(key=lambda row: (order.index(row[0]), row[1]))  # stable: a gene before its parts
    lines += [text for _, _, text in rows]
    with atomic_path(path) as aside, pysam.BGZFile(str(aside), "w", None) as stream:
        stream.write(("\n".join(lines) + "\n").encode())
    pysam.tabix_index(str(path), preset="gff", force=True)


def _rows(transcript: Transcript) -> Iterator[tuple[int, str]]:
    """Write the lines of one gene, each after its start."""
    kind = "protein_coding" if transcript.coding else "lncRNA"
    gene = transcript.ensembl_gene or transcript.gene
    about = f"ID=gene:{gene};Name={transcript.gene};biotype={kind};gene_id={gene}"
    if transcript.hgnc:
        about += f";Dbxref={transcript.hgnc}"
    whole = (transcript.start, transcript.end)
    yield _line(transcript, "gene", *whole, about)
    name = transcript.name
    about = f"ID=transcript:{name};Parent=gene:{gene};Name={name};biotype={kind}"
    if transcript.same_as:
        about += f";Dbxref=Ensembl:{transcript.same_as}"
    yield _line(transcript, "mRNA" if transcript.coding else "lnc_RNA", *whole, about)
    parent = f"Parent=transcript:{name}"
    for start, end in transcript.exons:
        yield _line(transcript, "exon", start, end, parent)
    if transcript.coding:
        yield from _coding_rows(transcript, parent)


def _coding_rows(transcript: Transcript, parent: str) -> Iterator[tuple[int, str]]:
    """Write the coding and the untranslated parts."""
    about = f"ID=CDS:{transcript.name};{parent}"
    if transcript.protein:
        about += f";protein_id={transcript.protein}"
    for start, end, phase in _phases(transcript):
        yield _line(transcript, "CDS", start, end, about, str(phase))
    for start, end in transcript.exons:
        low, high = (start, min(end, transcript.cds_start)), (max(start, transcript.cds_end), end)
        five, three = (low, high) if transcript.forward else (high, low)
        if five[0] < five[1]:
            yield _line(transcript, "five_prime_UTR", *five, parent)
        if three[0] < three[1]:
            yield _line(transcript, "three_prime_UTR", *three, parent)


def _phases(transcript: Transcript) -> Iterator[tuple[int, int, int]]:
    """List coding parts by position, with the bases before the first whole codon of each."""
    found, done = [], 0
    parts = transcript.coding if transcript.forward else transcript.coding[::-1]
    for start, end in parts:
        found.append((start, end, -done % 3))
        done += end - start
    yield from sorted(found)


def _line(
    transcript: Transcript, kind: str, start: int, end: int, about: str, phase: str = "."
) -> tuple[int, str]:
    """Write one line, with 1-based inclusive coordinates."""
    fields = [transcript.contig, _SOURCE, kind, str(start + 1), str(end)]
    return start, "\t".join([*fields, ".", transcript.strand, phase, about])
