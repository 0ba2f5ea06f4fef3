"""A node's reference: links to the files of the run, and what its sequences are."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rehearsal.files import link_or_copy
from rehearsal.genomes.reference_identity import ReferenceIdentity

FOLDER, FASTA, CONTIGS = "reference", "reference.fa.gz", "contigs.json"


def share_reference(files: Iterable[Path | str], node: Path | str) -> None:
    """Give a node the reference, by links where the file system has them.

    Args:
        files: The FASTA, its indexes and ``contigs.json``.
        node: The node's folder.
    """
    for file in map(Path, files):
        link_or_copy(file, Path(node) / FOLDER / file.name)


def reference_of_node(node: Path | str) -> ReferenceIdentity | None:
    """Read what the sequences of a node's reference are.

    Args:
        node: The node's folder.

    Returns:
        Their identity, or None for a node without a reference, such as one built from a user's VCF.
    """
    folder = Path(node) / FOLDER
    description = folder / CONTIGS
    return ReferenceIdentity.read(description, folder / FASTA) if description.is_file() else None
