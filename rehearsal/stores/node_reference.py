"""A node's reference: links to the files of the run."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from rehearsal.files import link_or_copy
from rehearsal.stores.sequence_names import FOLDER


def share_reference(files: Iterable[Path | str], node: Path | str) -> None:
    """Give a node the reference, by links where the file system has them.

    Args:
        files: The FASTA, its indexes and ``contigs.json``.
        node: The node's folder.
    """
    for file in map(Path, files):
        link_or_copy(file, Path(node) / FOLDER / file.name)
