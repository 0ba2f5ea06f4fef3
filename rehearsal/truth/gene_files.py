"""Read genes for the truth: the table of transcripts and a user's GFF3, a second time."""

from __future__ import annotations

import gzip
import re
from collections import defaultdict
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
    genes = table[table["kind"].str.endswith("gene")].set_index("ID")
    parts: dict[tuple[str, str], list[tuple[int, int, str]]] = defaultdict(list)
    for row in table[table["kind"].isin(["exon", "CDS"])].itertuples():
        for parent in row.Parent.split(","):
            parts[parent, row.kind].append((row.start, row.end, row.phase))
    best: dict[str, tuple[tuple[int, int, str], GeneRow]] = {}
    for row in table[table["kind"].isin(["mRNA", "transcript"])].itertuples():
        coding = sorted(parts[row.ID, "CDS"])
        if not coding or row.Parent not in genes.index:
            continue
        if (coding[0] if row.strand == "+" else coding[-1])[2] not in "0.":
            continue
        gene = genes.loc[row.Parent]
        exons = sorted((a, b) for a, b, _ in parts[row.ID, "exon"] or coding)
        tags = row.tag.split(",")
        rank = 0 if "MANE_Select" in tags else 1 if "Ensembl_canonical" in tags else 2
        name = row.transcript_id or row.Name or row.ID
        place = (rank, -sum(b - a for a, b, _ in coding), name)
        ends = (coding[0][0], coding[-1][1])
        symbol = gene["gene_name"] or gene["Name"] or row.Parent
        one = GeneRow(symbol, name, _contig(row.contig), row.strand, exons, ends)
        if row.Parent not in best or place < best[row.Parent][0]:
            best[row.Parent] = (place, one)
    return [one for _, one in best.values()]


def _contig(name: str) -> str:
    """Name a contig as the run does."""
    if name == "NC_012920.1" or name in ("MT", "M", "chrM"):
        return "chrM"
    match = re.fullmatch(r"NC_0000(\d\d)\.\d+", name)
    if match:
        number = int(match[1])
        return f"chr{'XY'[number - 23] if number > 22 else number}"
    return name if name.startswith("chr") else f"chr{name}"
