"""What the contigs of a node's reference are, and which accession names their bases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import orjson

from rehearsal.genomes.assembly import REFGET

FOLDER, CONTIGS = "reference", "contigs.json"


@dataclass(frozen=True, slots=True)
class ContigIdentity:
    """What a contig of the reference is, from ``contigs.json``."""

    length: int
    refget: str  # refget accession of the sequence as it is written
    md5: str
    bases: str  # GRCh38, given (a user's FASTA that is not GRCh38) or synthetic
    real: list[tuple[int, int]]  # stretches with bases of GRCh38, 0-based half-open, sorted
    name: str  # a RefSeq accession only for GRCh38


class SequenceNames:
    """The accessions of a reference's sequences, without their bases.

    Args:
        folder: The folder with ``contigs.json``.
    """

    def __init__(self, folder: Path | str) -> None:
        content = orjson.loads((Path(folder) / CONTIGS).read_bytes())
        self.contigs = {
            contig: ContigIdentity(**one | {"real": [tuple(pair) for pair in one["real"]]})
            for contig, one in content["contigs"].items()
        }

    @classmethod
    def of_node(cls, node: Path | str) -> SequenceNames | None:
        """Read the names of the reference in a node's folder.

        Args:
            node: The node's folder.

        Returns:
            The names, or None for a node without a reference, such as one built from a user's VCF.
        """
        folder = Path(node) / FOLDER
        return cls(folder) if (folder / CONTIGS).is_file() else None

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
