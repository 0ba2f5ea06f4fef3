"""A node's reference: bases and names of the sequences that its variants stand on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import orjson

from rehearsal.files import link_or_copy
from rehearsal.genomes.assembly import REFGET
from rehearsal.genomes.reference import ReferenceBases

FOLDER = "reference"
FASTA, CONTIGS = "reference.fa.gz", "contigs.json"


@dataclass(frozen=True, slots=True)
class ContigIdentity:
    """What a contig of the reference is, from ``contigs.json``."""

    length: int
    refget: str  # refget accession of the sequence as it is written
    md5: str
    bases: str  # GRCh38, given (a user's FASTA that is not GRCh38) or synthetic
    real: list[tuple[int, int]]  # stretches with bases of GRCh38, 0-based half-open, sorted
    name: str  # a RefSeq accession only for GRCh38


class NodeReference:
    """Bases and identities of a node's contigs.

    Args:
        folder: The folder with the FASTA and ``contigs.json``.
    """

    def __init__(self, folder: Path | str) -> None:
        content = orjson.loads((Path(folder) / CONTIGS).read_bytes())
        self.contigs = {
            contig: ContigIdentity(**one | {"real": [tuple(pair) for pair in one["real"]]})
            for contig, one in content["contigs"].items()
        }
        self._bases = ReferenceBases(Path(folder) / FASTA)
        self.fetch = self._bases.fetch

    def accession(self, contig: str, start: int, end: int) -> str | None:
        """Return the refget accession that names the bases of a stretch.

        Args:
            contig: A contig.
            start: First base, 0-based.
            end: Exclusive.

        Returns:
            That of GRCh38 where all bases of the stretch are those of GRCh38, else that of the
            sequence as the run wrote it. None for a contig that the reference lacks.
        """
        identity = self.contigs.get(contig)
        if identity is None:
            return None
        is_real = any(first <= start and end <= last for first, last in identity.real)
        return REFGET[contig] if is_real else identity.refget

    def close(self) -> None:
        """Close the FASTA."""
        self._bases.close()


def open_reference(node: Path | str) -> NodeReference | None:
    """Open the reference in a node's folder.

    Args:
        node: The node's folder.

    Returns:
        The reference, or None for a node without one, such as one built from a user's VCF files.
    """
    folder = Path(node) / FOLDER
    return NodeReference(folder) if (folder / CONTIGS).is_file() else None


def share_reference(files: Iterable[Path | str], node: Path | str) -> None:
    """Give a node the reference, by links where the file system has them.

    Args:
        files: The FASTA, its indexes and ``contigs.json``.
        node: The node's folder.
    """
    for file in map(Path, files):
        link_or_copy(file, Path(node) / FOLDER / file.name)
