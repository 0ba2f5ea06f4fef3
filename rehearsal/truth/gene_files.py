"""Read genes for the truth: the table of transcripts and a user's GFF3, a second time."""

from __future__ import annotations

import gzip
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pandas as pd


class GeneRow(NamedTuple):
    """One transcript, 0-based half-open."""

    gene: str
    transcript: str
    contig: str
    strand: str
    exons: list[tuple[int, int]]  # by position
    coding: tuple[int, int]  # from the first coding base to the last, by position


def read_genes(table: Path | str, gff3: Path | str | None = None) -> list[GeneRow]:
    """Read one transcript per gene.

    Args:
        table: ``config/transcripts.tsv``.
        gff3: A GFF3 file with more genes, or nothing.

    Returns:
        The transcripts of the table, then those of other genes of the file.
    """
    found = []
    for row in pd.read_csv(table, sep="\t", dtype=str, keep_default_na=False).itertuples():
        starts = [int(text) for text in row.exon_starts.split(",")]
        ends = [int(text) for text in row.exon_ends.split(",")]
        coding = (int(row.cds_start), int(row.cds_end))
        exons = list(zip(starts, ends, strict=True))
        found.append(GeneRow(row.gene, row.transcript, row.contig, row.strand, exons, coding))
    names = {row.gene for row in found}
    return found + [row for row in _of_gff3(gff3) if row.gene not in names] if gff3 else found


def _of_gff3(path: Path | str) -> list[GeneRow]:
    """Read the main transcript of each coding gene of a GFF3 file."""
    best: dict[str, tuple[tuple[int, int, str], GeneRow]] = {}
    for parent, place, row in _coding_transcripts(_features(path)):
        if parent not in best or place < best[parent][0]:
            best[parent] = (place, row)
    return [one for _, one in best.values()]


def _coding_transcripts(table: pd.DataFrame) -> Iterator[tuple[str, tuple[int, int, str], GeneRow]]:
    """Yield each coding transcript: its gene's identifier, its place among those of its gene."""
    genes = table[table["kind"].str.endswith("gene")].set_index("ID")
    parts = _parts(table)
    for row in table[table["kind"].isin(["mRNA", "transcript"])].itertuples():
        coding = sorted(parts[row.ID, "CDS"])
        if row.Parent not in genes.index or not _begins_whole(coding, row.strand):
            continue
        exons = sorted((a, b) for a, b, _ in parts[row.ID, "exon"] or coding)
        name = _first_of(row.transcript_id, row.Name, row.ID)
        place = (_rank(row.tag.split(",")), -sum(b - a for a, b, _ in coding), name)
        ends = (coding[0][0], coding[-1][1])
        symbol = _first_of(*genes.loc[row.Parent, ["gene_name", "Name"]], row.Parent)
        one = GeneRow(symbol, name, _contig(row.contig), row.strand, exons, ends)
        yield row.Parent, place, one


def _features(path: Path | str) -> pd.DataFrame:
    """Read the lines of a GFF3 file, with 0-based starts and the attributes that are needed."""
    data = Path(path).read_bytes()
    text = (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()
    lines = [line.split("\t") for line in text.splitlines() if line.count("\t") == 8]
    table = pd.DataFrame(
        [line for line in lines if not line[0].startswith("#")],
        columns=["contig", "source", "kind", "first", "last", "score", "strand", "phase", "about"],
    )
    about = table["about"]
    for name in ("ID", "Parent", "Name", "gene_name", "transcript_id", "tag"):
        table[name] = about.str.extract(rf"(?:^|;){name}=([^;]*)", expand=False).fillna("")
    table["start"], table["end"] = table["first"].astype(int) - 1, table["last"].astype(int)
    return table


def _first_of(*names: str) -> str:
    """Return the first name that is not empty."""
    return next((name for name in names if name), "")


def _parts(table: pd.DataFrame) -> dict[tuple[str, str], list[tuple[int, int, str]]]:
    """List exons and coding parts, by transcript and kind: start, end, phase."""
    parts: dict[tuple[str, str], list[tuple[int, int, str]]] = defaultdict(list)
    for row in table[table["kind"].isin(["exon", "CDS"])].itertuples():
        for parent in row.Parent.split(","):
            parts[parent, row.kind].append((row.start, row.end, row.phase))
    return parts


def _begins_whole(coding: list[tuple[int, int, str]], strand: str) -> bool:
    """Say whether a transcript has coding bases, and the first codon is not cut."""
    return bool(coding) and coding[0 if strand == "+" else -1][2] in "0."


def _rank(tags: list[str]) -> int:
    """Rank a transcript by its tags, the best first."""
    return 0 if "MANE_Select" in tags else 1 if "Ensembl_canonical" in tags else 2


def _contig(name: str) -> str:
    """Name a contig as the run does."""
    if name == "NC_012920.1" or name in ("MT", "M", "chrM"):
        return "chrM"
    match = re.fullmatch(r"NC_0000(\d\d)\.\d+", name)
    if match:
        number = int(match[1])
        return f"chr{'XY'[number - 23] if number > 22 else number}"
    return name if name.startswith("chr") else f"chr{name}"
