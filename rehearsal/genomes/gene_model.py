"""The gene model of a run: the table of transcripts, and more from a user's GFF3."""

from __future__ import annotations

import gzip
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote

from rehearsal.errors import InputError, shown, unreadable_file
from rehearsal.genomes.assembly import ASSEMBLY, CONTIG_LENGTHS
from rehearsal.genomes.transcripts import Transcript, check_transcript, read_transcripts
from rehearsal.model import Block

# tags of a gene's main transcript, the best first
_TAGS = ("MANE_Select", "Ensembl_canonical")
_KINDS = ("mRNA", "transcript")
_GZIP = b"\x1f\x8b"


def read_gene_model(
    table: Path | str, gff3: Path | str | None, blocks: Sequence[Block]
) -> list[Transcript]:
    """Read the transcripts that touch the blocks of a run.

    Args:
        table: The table of transcripts.
        gff3: A GFF3 file with more genes, or nothing. Genes of the table are left out.
        blocks: The blocks of the run.

    Returns:
        One transcript per gene, by contig and position.

    Raises:
        InputError: A file cannot be read, or a transcript in a block is impossible.
    """
    own = read_transcripts(table)
    names = {transcript.gene for transcript in own}
    more = read_gff3(gff3, blocks) if gff3 else []
    found = own + [transcript for transcript in more if transcript.gene not in names]
    inside = [transcript for transcript in found if _touches(transcript, blocks)]
    return sorted(inside, key=lambda t: (t.contig, t.start, t.name))


@dataclass
class _Parts:
    """What a GFF3 says about one transcript."""

    line: int  # where it begins, 1-based
    name: str
    parent: str
    contig: str
    strand: str
    rank: int  # by its tags: 0 is the best
    exons: list[tuple[int, int]] = field(default_factory=list)
    coding: list[tuple[int, int, str]] = field(default_factory=list)  # start, end, phase

    @property
    def is_whole(self) -> bool:
        """Whether the file says that the first codon is whole."""
        first = min(self.coding) if self.strand == "+" else max(self.coding)
        return first[2] in ("0", ".")

    @property
    def coding_length(self) -> int:
        """The number of coding bases."""
        return sum(end - start for start, end, _ in self.coding)


def read_gff3(path: Path | str, blocks: Sequence[Block]) -> list[Transcript]:
    """Read the main coding transcript of each gene of a GFF3 file that touches one of the blocks.

    The main one has the tag ``MANE_Select``, else ``Ensembl_canonical``, else the most coding
    bases. Transcripts whose first codon is cut, and contigs that are not of the assembly, are left
    out.

    Args:
        path: The file, plain or compressed, in the form of Ensembl, GENCODE or NCBI: exons and
            coding parts name a transcript as parent, and transcripts a gene.
        blocks: The blocks of the run.

    Returns:
        The transcripts.

    Raises:
        InputError: The file cannot be read, has no known contig, or a transcript in a block is
            impossible.
    """
    genes, parts = _read_parts(path, {block.contig for block in blocks})
    best: dict[str, _Parts] = {}
    for one in parts.values():
        if one.coding and one.is_whole and one.parent in genes:
            other = best.get(one.parent)
            if other is None or _order(one) < _order(other):
                best[one.parent] = one
    found = []
    for one in best.values():
        transcript = _transcript(one, genes[one.parent])
        if _touches(transcript, blocks):
            check_transcript(transcript, path, f"line {one.line}: {one.name}")
            found.append(transcript)
    return found


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
    return Transcript(
        gene, parts.name, parts.contig, parts.strand, tuple(exons), coding[0][0], coding[-1][1]
    )


def _read_parts(
    path: Path | str, contigs: Collection[str]
) -> tuple[dict[str, str], dict[str, _Parts]]:
    """Read names of genes and parts of transcripts on some contigs, both by their ids."""
    genes: dict[str, str] = {}
    parts: dict[str, _Parts] = {}
    children: list[tuple[str, str, int, int, str]] = []
    for number, contig, fields in _features(path, contigs):
        _, _, kind, first, last, _, strand, phase, text = fields
        about = dict(pair.partition("=")[::2] for pair in text.split(";") if pair)
        start, end = _range(path, number, first, last)
        parents, own = about.get("Parent", "").split(","), about.get("ID", "")
        if kind in ("exon", "CDS"):
            children += [(parent, kind, start, end, phase) for parent in parents]
        elif kind in _KINDS:
            title = _title(about, "transcript_id")
            parts[own] = _Parts(number, title, parents[0], contig, strand, _rank(about))
        else:
            genes[own] = _title(about, "gene_name")
    _attach(parts, children)
    return genes, parts


def _features(path: Path | str, contigs: Collection[str]) -> Iterator[tuple[int, str, list[str]]]:
    """Yield the lines about genes, transcripts and their parts: number, contig and fields."""
    names: dict[str, str | None] = {}  # of contigs
    for number, line in _lines(path):
        contig = line.partition("\t")[0]
        if contig not in names:
            names[contig] = _contig(contig)
        name = names[contig]
        if name is not None and name not in contigs:
            continue
        fields = _fields(path, number, line)
        if name is not None and _is_wanted(fields[2]):
            yield number, name, fields
    if not any(names.values()):
        expected = f"a contig of {ASSEMBLY} in the first column"
        raise InputError(path, "seqid", expected, shown(min(names, default="")))


def _attach(parts: dict[str, _Parts], children: Iterable[tuple[str, str, int, int, str]]) -> None:
    """Add exons and coding parts to their transcripts."""
    for parent, kind, start, end, phase in children:
        if parent in parts and kind == "exon":
            parts[parent].exons.append((start, end))
        elif parent in parts:
            parts[parent].coding.append((start, end, phase))


def _title(about: Mapping[str, str], key: str) -> str:
    """Return what a feature is called: by an attribute of its kind, else its name or identifier."""
    return unquote(about.get(key) or about.get("Name") or about.get("ID", ""))


def _rank(about: Mapping[str, str]) -> int:
    """Rank a transcript by its tags: 0 is the best."""
    tags = about.get("tag", "").split(",")
    return next((rank for rank, tag in enumerate(_TAGS) if tag in tags), len(_TAGS))


def _is_wanted(kind: str) -> bool:
    return kind in ("exon", "CDS", *_KINDS) or kind.endswith("gene")


def _contig(name: str) -> str | None:
    """Find the contig that a file calls ``chr1``, ``1`` or, on GRCh38, ``NC_000001.11``."""
    short = name.removeprefix("chr")
    if name.startswith("NC_0000"):
        number = int(name[7:9]) if name[7:9].isdigit() else 0
        short = {23: "X", 24: "Y"}.get(number, str(number))
    found = "chrM" if short in ("MT", "M") or name == "NC_012920.1" else f"chr{short}"
    return found if found in CONTIG_LENGTHS else None


def _range(path: Path | str, number: int, first: str, last: str) -> tuple[int, int]:
    """Convert 1-based inclusive coordinates."""
    if not (first.isdigit() and last.isdigit() and 1 <= int(first) <= int(last)):
        expected = "start and end, 1-based, start at most end"
        raise InputError(path, f"line {number}", expected, shown(f"{first} {last}"))
    return int(first) - 1, int(last)


def _lines(path: Path | str) -> Iterator[tuple[int, str]]:
    """Read the lines that are no comments, with their 1-based numbers."""
    try:
        data = Path(path).read_bytes()
        text = (gzip.decompress(data) if data.startswith(_GZIP) else data).decode()
    except (OSError, EOFError, UnicodeDecodeError) as error:
        found = unreadable_file(error) if isinstance(error, OSError) else "another kind of file"
        raise InputError(path, "file", "a GFF3 file", found) from None
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith("##FASTA"):
            return
        if line.strip() and not line.startswith("#"):
            yield number, line


def _fields(path: Path | str, number: int, line: str) -> list[str]:
    """Split a line into its nine fields."""
    fields = line.split("\t")
    if len(fields) != 9:
        expected = "nine columns with tabs between them"
        raise InputError(path, f"line {number}", expected, f"{len(fields)} columns")
    return fields
