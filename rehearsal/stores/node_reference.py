"""A node's reference: bases and names of the sequences that its variants stand on."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rehearsal.files import link_or_copy
from rehearsal.genomes.reference import ReferenceBases
from rehearsal.stores.sequence_names import CONTIGS, FOLDER, SequenceNames

FASTA = "reference.fa.gz"


class NodeReference(SequenceNames):
    """Bases and identities of a node's contigs.

    Args:
        folder: The folder with the FASTA and ``contigs.json``.
    """

    def __init__(self, folder: Path | str) -> None:
        super().__init__(folder)
        self._bases = ReferenceBases(Path(folder) / FASTA)
        self.fetch = self._bases.fetch

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
