"""The gene model: transcripts with their exons and coding bases, one for each gene."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

from rehearsal.errors import Complaints, InputError, shown
from rehearsal.formats.tables import not_a_row, read_lines, whole_number
from rehearsal.genomes.assembly import ASSEMBLY, CONTIG_LENGTHS
from rehearsal.model import Block

COLUMNS = (
    *("gene", "hgnc", "ensembl_gene", "transcript", "protein", "ensembl_transcript", "contig"),
    *("strand", "start", "end", "exon_starts", "exon_ends", "cds_start", "cds_end", "loeuf"),
    *("loeuf_source", "lof_frequency", "lof_source", "codons", "source"),
)


@dataclass(frozen=True, slots=True)
class Transcript:
    """One transcript, 0-based half-open. Without coding bases its coding ends are equal."""

    gene: str  # symbol
    name: str  # accession with version, such as NM_007294.4
    contig: str
    strand: str  # + or -
    exons: tuple[tuple[int, int], ...]  # [start, end), by position
    cds_start: int  # first coding base by position
    cds_end: int  # exclusive; the stop codon is inside
    hgnc: str = ""  # such as HGNC:1100
    ensembl_gene: str = ""
    loeuf: float | None = None  # upper bound of observed : expected loss of function
    lof_frequency: float | None = None  # of all loss-of-function alleles of the gene together
    codons: tuple[tuple[int, str], ...] = ()  # known codons by number from 1, letters of IUPAC
    protein: str = ""  # accession with version, such as NP_009225.1
    same_as: str = ""  # its accession in the other database, such as ENST00000357654.9

    @property
    def span(self) -> Block:
        """The stretch from the first base to the last."""
        return Block(self.contig, self.start, self.end)

    @property
    def start(self) -> int:
        """The first base."""
        return self.exons[0][0]

    @property
    def end(self) -> int:
        """The base after the last one."""
        return self.exons[-1][1]

    @property
    def forward(self) -> bool:
        """Whether the transcript reads along the reference."""
        return self.strand == "+"

    @property
    def coding(self) -> tuple[tuple[int, int], ...]:
        """The coding part of each exon that has one, by position."""
        parts = ((max(a, self.cds_start), min(b, self.cds_end)) for a, b in self.exons)
        return tuple((a, b) for a, b in parts if a < b)

    @property
    def introns(self) -> tuple[tuple[int, int], ...]:
        """The introns, by position."""
        return tuple((left[1], right[0]) for left, right in pairwise(self.exons))

    @property
    def coding_length(self) -> int:
        """The number of coding bases."""
        return sum(b - a for a, b in self.coding)


def read_transcripts(path: Path | str) -> list[Transcript]:
    """Read the table of transcripts.

    Args:
        path: The tab-separated table, one row per transcript, coordinates 0-based half-open.
            Starts and ends of exons are lists with commas.

    Returns:
        The transcripts, by contig and position.

    Raises:
        InputError: The table cannot be read, or a row contradicts itself or the assembly.
    """
    found: list[Transcript] = []
    complaints = Complaints()
    for line, row in _rows(path):
        with complaints.collected():
            transcript = _transcript(row, path, line)
            check_transcript(transcript, path, f"line {line}")
            _check_protein(transcript, path, f"line {line}")
            if any(transcript.gene == other.gene for other in found):
                expected = f"{transcript.gene} only once"
                raise InputError(path, f"line {line}: gene", expected, "a second row with it")
            found.append(transcript)
    complaints.raise_any()
    return sorted(found, key=lambda t: (t.contig, t.start, t.name))


def on_contig(
    transcripts: Iterable[Transcript], contig: str, start: int, end: int
) -> list[Transcript]:
    """Select the transcripts that touch a region.

    Args:
        transcripts: Transcripts.
        contig: The contig.
        start: First base, 0-based.
        end: Exclusive end.

    Returns:
        Those with at least one base in the region, in the given order.
    """
    return [t for t in transcripts if t.contig == contig and t.start < end and start < t.end]


def check_name(name: str, path: Path | str, key: str) -> None:
    """Check that the name of a gene or transcript can stand in all files of a run.

    Args:
        name: The name.
        path: The file that it comes from, for messages.
        key: Its place in the file, for messages.

    Raises:
        InputError: The name is empty or has characters that separate values in VCF's INFO and in
            tables (VCF 4.3, section 1.6.1.8; BCSQ of ``bcftools csq``), or that no page shows.
    """
    if not name or not name.isprintable() or set(name) & set(" |,;=&"):
        expected = "a name of visible characters other than | , ; = and &"
        raise InputError(path, key, expected, shown(name) if name else "nothing")


def check_transcript(transcript: Transcript, path: Path | str, place: str) -> None:
    """Check that a transcript is possible on the assembly.

    Args:
        transcript: The transcript.
        path: The file that it comes from, for messages.
        place: Its place in the file, for messages.

    Raises:
        InputError: The contig is unknown or too short, the strand or a name cannot be used, exons
            overlap, or the coding bases are outside the exons or no whole number of codons.
    """
    length = CONTIG_LENGTHS.get(transcript.contig)
    if length is None:
        expected = f"a contig of {ASSEMBLY}"
        raise InputError(path, f"{place}: contig", expected, shown(transcript.contig))
    if transcript.strand not in ("+", "-"):
        raise InputError(path, f"{place}: strand", "+ or -", shown(transcript.strand))
    check_name(transcript.gene, path, f"{place}: gene")
    check_name(transcript.name, path, f"{place}: transcript")
    _check_exons(transcript, length, path, place)
    if transcript.cds_start != transcript.cds_end:
        _check_coding(transcript, path, place)


def _check_protein(transcript: Transcript, path: Path | str, place: str) -> None:
    """Refuse a protein without coding bases, and codons that the coding bases do not have."""
    if transcript.protein and not transcript.coding_length:
        expected = f"coding bases, because the row names the protein {transcript.protein}"
        raise InputError(path, f"{place}: cds_start and cds_end", expected, "none")
    codons = transcript.coding_length // 3
    last = max((number for number, _ in transcript.codons), default=0)
    if last > codons:
        expected = f"numbers of at most {codons}, the codons of the transcript"
        raise InputError(path, f"{place}: codons", expected, str(last))


def _check_coding(transcript: Transcript, path: Path | str, place: str) -> None:
    """Refuse coding bases that begin or end outside the exons, or are no whole codons."""
    first = any(a <= transcript.cds_start < b for a, b in transcript.exons)
    last = any(a < transcript.cds_end <= b for a, b in transcript.exons)
    if not first or not last:
        found = f"{transcript.cds_start} to {transcript.cds_end}"
        raise InputError(path, f"{place}: CDS", "coding ends inside exons", found)
    if transcript.coding_length % 3 or transcript.coding_length < 6:
        expected = "a whole number of codons, at least 2"
        raise InputError(path, f"{place}: CDS", expected, f"{transcript.coding_length} bases")


def _check_exons(transcript: Transcript, length: int, path: Path | str, place: str) -> None:
    """Refuse exons that are empty, overlap or end outside the contig."""
    previous = 0
    for start, end in transcript.exons:
        if start < previous or end <= start:
            expected = "exons by position that do not overlap"
            raise InputError(path, f"{place}: exons", expected, f"{start} to {end}")
        previous = end
    if previous > length:
        expected = f"at most {length}, the length of {transcript.contig}"
        raise InputError(path, f"{place}: end", expected, str(previous))


def _rows(path: Path | str) -> Iterator[tuple[int, dict[str, str]]]:
    """Read the rows of the table with their 1-based line numbers."""
    lines = read_lines(path)
    reader = csv.DictReader(lines, delimiter="\t", restval="", strict=False)
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
    if missing:
        expected, found = f"a column {missing[0]}, tab-separated", shown(" ".join(lines[:1]))
        raise InputError(path, "line 1", expected, found)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise not_a_row(path, reader.line_num + 1, error) from None


def _transcript(row: dict[str, str], path: Path | str, line: int) -> Transcript:
    """Read one row."""
    starts = _numbers(row["exon_starts"], path, f"line {line}: exon_starts")
    ends = _numbers(row["exon_ends"], path, f"line {line}: exon_ends")
    if len(starts) != len(ends) or not starts:
        expected = f"as many as exon_starts ({len(starts)}), at least 1"
        raise InputError(path, f"line {line}: exon_ends", expected, str(len(ends)))
    cds_start = _number(row["cds_start"], path, f"line {line}: cds_start")
    cds_end = _number(row["cds_end"], path, f"line {line}: cds_end")
    stated, ends_of_exons = f"{row['start']} and {row['end']}", f"{starts[0]} and {ends[-1]}"
    if stated != ends_of_exons:
        expected = f"{ends_of_exons}, the ends of the exons"
        raise InputError(path, f"line {line}: start and end", expected, stated)
    return Transcript(
        row["gene"],
        row["transcript"],
        row["contig"],
        row["strand"],
        tuple(zip(starts, ends, strict=True)),
        cds_start,
        cds_end,
        row["hgnc"],
        row["ensembl_gene"],
        _number_or_nothing(row["loeuf"], 2, path, f"line {line}: loeuf"),
        _number_or_nothing(row["lof_frequency"], 1, path, f"line {line}: lof_frequency"),
        _codons(row["codons"], path, f"line {line}: codons"),
        row["protein"],
        row["ensembl_transcript"],
    )


def _numbers(text: str, path: Path | str, key: str) -> Sequence[int]:
    """Read whole numbers with commas between them."""
    try:
        return [whole_number(part) for part in text.split(",")]
    except ValueError:
        raise InputError(path, key, "whole numbers with commas", shown(text)) from None


def _number(text: str, path: Path | str, key: str) -> int:
    numbers = _numbers(text, path, key)
    if len(numbers) != 1:
        raise InputError(path, key, "one whole number", shown(text))
    return numbers[0]


def _number_or_nothing(text: str, most: int, path: Path | str, key: str) -> float | None:
    """Read a number from 0 to ``most``; nothing if the cell is empty."""
    if not text:
        return None
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= most:
        raise InputError(path, key, f"a number from 0 to {most}, or nothing", shown(text))
    return value


def _codons(text: str, path: Path | str, key: str) -> tuple[tuple[int, str], ...]:
    """Read known codons, such as ``600=GTG;601=AAR``."""
    parts = [part for part in text.split(";") if part]
    found = [re.fullmatch(r"([1-9][0-9]*)=([ACGTRYN]{3})", part) for part in parts]
    if not all(found):
        expected = "codons such as 600=GTG with ; between them, or nothing"
        raise InputError(path, key, expected, shown(text))
    codons = tuple((int(match[1]), match[2]) for match in found if match)
    if len(dict(codons)) < len(codons):
        raise InputError(path, key, "each codon only once", shown(text))
    return codons
