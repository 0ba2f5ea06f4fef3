"""The gene model of a run: the table of transcripts, and more from a user's GFF3."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from rehearsal.errors import Complaints, InputError, shown
from rehearsal.genomes.assembly import ASSEMBLY
from rehearsal.genomes.blocks import subtract
from rehearsal.genomes.contig_names import find_contig, note_other_names
from rehearsal.genomes.gff3_lines import base_range, gff3_fields, gff3_lines
from rehearsal.genomes.odd_genes import keep_usable
from rehearsal.genomes.transcripts import Transcript, check_transcript, read_transcripts
from rehearsal.model import Block, Gene

# tags of a gene's main transcript, the best first
_TAGS = ("MANE_Select", "Ensembl_canonical")
_KINDS = ("mRNA", "transcript")


def read_gene_model(
    table: Path | str,
    gff3: Path | str | None,
    blocks: Sequence[Block],
    genes: Iterable[Gene] = (),
) -> list[Transcript]:
    """Read the transcripts that touch the blocks of a run.

    Args:
        table: The table of transcripts.
        gff3: A GFF3 file with more genes, or nothing. Genes of the table are left out.
        blocks: The blocks of the run.
        genes: Genes whose places are known, which a GFF3 file must not contradict.

    Returns:
        One transcript per gene, by contig and position.

    Raises:
        InputError: A file cannot be read, or a transcript in a block is impossible.
    """
    own = read_transcripts(table)
    names = {transcript.gene for transcript in own}
    known = {t.gene: t.span for t in own} | {
        gene.name: Block(gene.contig, gene.start, gene.end) for gene in genes
    }
    more = read_gff3(gff3, blocks, known) if gff3 else []
    found = own + [transcript for transcript in more if transcript.gene not in names]
    inside = [transcript for transcript in found if _touches(transcript, blocks)]
    return sorted(inside, key=lambda t: (t.contig, t.start, t.name))


def has_genes(path: Path | str) -> bool:
    """Tell whether a GFF3 file has any line about a gene.

    Args:
        path: The file, plain or compressed.

    Raises:
        InputError: The file cannot be read.
    """
    return next(gff3_lines(path), None) is not None


@dataclass
class _Parts:
    """What a GFF3 says about one transcript."""

    line: int  # where it begins, 1-based
    name: str
    parent: str
    contig: str
    strand: str
    rank: int  # by its tags: 0 is the best
    same_as: str = ""  # accession of the same transcript in the other database
    exons: list[tuple[int, int]] = field(default_factory=list)
    coding: list[tuple[int, int, str]] = field(default_factory=list)  # start, end, phase
    protein: str = ""  # accession
    fault: str = ""  # what contradicts itself: the line of a part of another place

    @property
    def is_whole(self) -> bool:
        """Whether the file says that the first codon is whole."""
        first = min(self.coding) if self.strand == "+" else max(self.coding)
        return first[2] in ("0", ".")

    @property
    def coding_length(self) -> int:
        """The number of coding bases."""
        return sum(end - start for start, end, _ in self.coding)


def read_gff3(
    path: Path | str, blocks: Sequence[Block], known: Mapping[str, Block] | None = None
) -> list[Transcript]:
    """Read the main coding transcript of each gene of a GFF3 file that touches one of the blocks.

    The main one has the tag ``MANE_Select``, else ``Ensembl_canonical``, else the most coding
    bases. Transcripts whose first codon is cut, and contigs that are not of the assembly, are left
    out, and a few genes that are impossible (``odd_genes``).

    Args:
        path: The file, plain or compressed, in the form of Ensembl, GENCODE or NCBI: exons and
            coding parts name a transcript as parent, and transcripts a gene.
        blocks: The blocks of the run.
        known: The places of genes that a run needs, by name. Those genes must not be impossible,
            nor lie elsewhere in the file.

    Returns:
        The transcripts.

    Raises:
        InputError: The file cannot be read, is of another assembly, has no known contig or no
            coding transcripts, or transcripts in blocks are impossible.
    """
    known = known or {}
    genes, parts = _read_parts(path, {block.contig for block in blocks})
    best = _main_parts(genes, parts.values())
    _check_places(path, [(genes[one.parent], one) for one in best.values()], known)
    found = [
        (genes[one.parent], _usable(one, genes[one.parent], path))
        for one in best.values()
        if _touches(_transcript(one, genes[one.parent]), blocks)
    ]
    return keep_usable(found, known)


def _main_parts(genes: Mapping[str, str], parts: Iterable[_Parts]) -> dict[str, _Parts]:
    """Choose the main coding transcript of each gene, by the gene's identifier."""
    best: dict[str, _Parts] = {}
    for one in parts:
        if one.coding and one.is_whole and one.parent in genes:
            other = best.get(one.parent)
            if other is None or _order(one) < _order(other):
                best[one.parent] = one
    return best


def _check_places(
    path: Path | str, found: Iterable[tuple[str, _Parts]], known: Mapping[str, Block]
) -> None:
    """Refuse a file that has a known gene elsewhere: its positions are of another assembly."""
    complaints = Complaints()
    for gene, one in found:
        place, span = known.get(gene), _transcript(one, gene).span
        with complaints.collected():
            if place and subtract([span], [place]) == [span]:
                expected = f"{gene} at {place.region}, where it is on {ASSEMBLY}"
                raise InputError(path, f"line {one.line}: {one.name}", expected, span.region)
    complaints.raise_any()


def _usable(parts: _Parts, gene: str, path: Path | str) -> Transcript | InputError:
    """Make a transcript, or say why the file's parts make none."""
    transcript, place = _transcript(parts, gene), f"line {parts.line}: {shown(parts.name)[1:-1]}"
    if parts.fault:
        expected = f"parts on {parts.contig}, strand {parts.strand}, of one transcript"
        return InputError(path, place, expected, parts.fault)
    try:
        check_transcript(transcript, path, place)
    except InputError as error:
        return error
    coding = [(start, end) for start, end, _ in sorted(parts.coding)]
    for stated, inside in zip_longest(_joined(coding), _joined(transcript.coding)):
        if stated != inside:
            first, last = stated or inside or (0, 0)
            expected = "coding parts (CDS) that fill the exons between the first and the last one"
            return InputError(path, f"{place}: CDS", expected, f"another at {first + 1} to {last}")
    return transcript


def _joined(stretches: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join stretches that touch: some files divide an exon where a codon is."""
    joined: list[tuple[int, int]] = []
    for start, end in stretches:
        if joined and joined[-1][1] == start:
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _order(parts: _Parts) -> tuple[int, int, str]:
    return parts.rank, -parts.coding_length, parts.name


def _touches(transcript: Transcript, blocks: Iterable[Block]) -> bool:
    return any(
        block.contig == transcript.contig
        and transcript.start < block.end
        and block.start < transcript.end
        for block in blocks
    )


def _transcript(parts: _Parts, gene: str) -> Transcript:
    """Make a transcript of what the file says; its exons are at least its coding parts."""
    coding = sorted((start, end) for start, end, _ in parts.coding)
    exons = sorted(parts.exons) or coding
    ends = coding[0][0], coding[-1][1]
    return Transcript(
        *(gene, parts.name, parts.contig, parts.strand, tuple(exons), *ends),
        protein=parts.protein,
        same_as=parts.same_as,
    )


def _read_parts(
    path: Path | str, contigs: Collection[str]
) -> tuple[dict[str, str], dict[str, _Parts]]:
    """Read names of genes and parts of transcripts on some contigs, both by their ids."""
    genes: dict[str, str] = {}
    parts: dict[str, _Parts] = {}
    children: list[_Child] = []
    parents_of_genes: list[tuple[int, str, str]] = []  # line, gene, parent
    for number, contig, fields in _features(path, contigs):
        _, _, kind, first, last, _, strand, phase, text = fields
        about = {key.strip(): value for key, value in _pairs(text)}
        start, end = base_range(path, number, first, last)
        parents, own = about.get("Parent", "").split(","), about.get("ID", "")
        if kind in ("exon", "CDS"):
            protein = unquote(about.get("protein_id", ""))
            children += [
                _Child(parent, kind, start, end, phase, contig, strand, number, protein)
                for parent in parents
            ]
        elif kind in _KINDS:
            title = _title(about, "transcript_id")
            same_as = _same_transcript(about.get("Dbxref", ""))
            one = _Parts(number, title, parents[0], contig, strand, _rank(about), same_as)
            one = parts.setdefault(own, one)
            if one.line != number and (one.contig, one.strand) != (contig, strand):
                one.fault = f"line {number}, its identifier on {contig}, strand {strand}"
        else:
            genes[own] = _title(about, "gene_name")
            parents_of_genes += [(number, own, parent) for parent in parents if parent]
    _check_parents(path, parents_of_genes, parts)
    _attach(parts, children)
    return genes, parts


def _same_transcript(references: str) -> str:
    """Return the transcript of the other database that a Dbxref names.

    MANE's files and NCBI's name it so: ``Ensembl:ENST00000357654.9``, ``RefSeq:NM_007294.4``.
    """
    for one in map(unquote, references.split(",")):
        database, _, accession = one.partition(":")
        if (database, accession[:2]) in (("Ensembl", "EN"), ("RefSeq", "NM")) and "." in accession:
            return accession
    return ""


def _check_parents(
    path: Path | str, parents: Iterable[tuple[int, str, str]], parts: Mapping[str, _Parts]
) -> None:
    """Refuse genes that are parts of their own transcripts."""
    for line, gene, parent in parents:
        if parent in parts and parts[parent].parent == gene:
            expected = f"a gene that is no part of its own transcript {parent}"
            raise InputError(path, f"line {line}: Parent", expected, shown(parent))


def _features(path: Path | str, contigs: Collection[str]) -> Iterator[tuple[int, str, list[str]]]:
    """Yield the lines about genes, transcripts and their parts: number, contig and fields."""
    names: dict[str, str | None] = {}  # of contigs
    is_coding = False
    for number, line in gff3_lines(path):
        contig = line.partition("\t")[0]
        if contig not in names:
            names[contig] = find_contig(contig)
        name = names[contig]
        is_coding = is_coding or "\tCDS\t" in line
        if name is not None and name not in contigs:
            continue
        fields = gff3_fields(path, number, line)
        if name is not None and _is_wanted(fields[2]):
            yield number, name, fields
    if not any(names.values()):
        expected = f"a contig of {ASSEMBLY} in the first column"
        raise InputError(path, "seqid", expected, shown(min(names, default="")))
    if not is_coding:
        expected = "genes with transcripts (mRNA) and coding parts (CDS)"
        raise InputError(path, "file", expected, "no CDS")
    note_other_names(path, names)


class _Child(NamedTuple):
    """An exon or a coding part."""

    parent: str  # a transcript
    kind: str
    start: int  # 0-based
    end: int
    phase: str
    contig: str
    strand: str
    line: int
    protein: str  # of a coding part, where the file names it


def _attach(parts: dict[str, _Parts], children: Iterable[_Child]) -> None:
    """Add exons and coding parts to their transcripts."""
    for child in children:
        owner = parts.get(child.parent)
        if owner is None:
            continue
        if (child.contig, child.strand) != (owner.contig, owner.strand):
            owner.fault = f"line {child.line}, on {child.contig}, strand {child.strand}"
        if child.kind == "exon":
            owner.exons.append((child.start, child.end))
        else:
            owner.coding.append((child.start, child.end, child.phase))
            owner.protein = child.protein


def _pairs(text: str) -> Iterator[tuple[str, str]]:
    """Split the ninth column into keys and values."""
    for pair in text.split(";"):
        if pair:
            key, _, value = pair.partition("=")
            yield key, value


def _title(about: Mapping[str, str], key: str) -> str:
    """Return what a feature is called: by an attribute of its kind, else its name or identifier."""
    return unquote(about.get(key) or about.get("Name") or about.get("ID", ""))


def _rank(about: Mapping[str, str]) -> int:
    """Rank a transcript by its tags: 0 is the best."""
    tags = about.get("tag", "").split(",")
    return next((rank for rank, tag in enumerate(_TAGS) if tag in tags), len(_TAGS))


def _is_wanted(kind: str) -> bool:
    return kind in ("exon", "CDS", *_KINDS) or kind.endswith("gene")
