"""A node's reference: links to the files of the run, its sequences and its gene model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import ExitStack
from functools import cache, lru_cache, partial
from pathlib import Path

from rehearsal.files import link_or_copy
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.gene_bases import GeneBases
from rehearsal.genomes.gene_model import has_genes, read_gff3
from rehearsal.genomes.reference_identity import ReferenceIdentity
from rehearsal.model import Block

FOLDER, FASTA, CONTIGS, GENES = "reference", "reference.fa.gz", "contigs.json", "genes.gff3.gz"
TILE = 1 << 14  # bases that are read at once
MOST_TILES = 1_024  # kept in memory: 16 MB


class ReferenceBases:
    """The bases of a node's reference, in memory where they were read before.

    Args:
        read: Reads bases of the reference, in upper case.
        lengths: Length of each contig of the reference, by name.
    """

    def __init__(self, read: Callable[[Block], str], lengths: Mapping[str, int]) -> None:
        self._read, self._lengths = read, lengths
        self._tile = lru_cache(MOST_TILES)(self._read_tile)

    def get(self, contig: str, start: int, end: int) -> str | None:
        """Return bases.

        Args:
            contig: Contig name.
            start: First base, 0-based.
            end: Exclusive end.

        Returns:
            The bases, fewer where the contig ends. None for a contig that the reference lacks.
        """
        length = self._lengths.get(contig)
        if length is None:
            return None
        end = min(end, length)
        if start >= end:
            return ""
        first, last = start // TILE, (end - 1) // TILE
        if first == last:
            return self._tile(contig, first)[start - first * TILE : end - first * TILE]
        tiles = "".join(self._tile(contig, number) for number in range(first, last + 1))
        return tiles[start - first * TILE : end - first * TILE]

    def _read_tile(self, contig: str, number: int) -> str:
        start = number * TILE
        return self._read(Block(contig, start, min(start + TILE, self._lengths[contig])))


def share_reference(files: Iterable[Path | str], node: Path | str) -> None:
    """Give a node the reference, by links where the file system has them.

    Args:
        files: The FASTA, its indexes, ``contigs.json`` and the gene model.
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


def gene_bases_of_node(node: Path | str) -> GeneBases | None:
    """Read the gene model of a node's reference.

    Args:
        node: The node's folder.

    Returns:
        The transcripts, or None for a node without a gene model or without a reference.

    Raises:
        InputError: The gene model cannot be read.
    """
    genes, fasta = (Path(node) / FOLDER / name for name in (GENES, FASTA))
    if not genes.is_file() or not fasta.is_file() or not has_genes(genes):
        return None
    whole = [Block(contig, 0, length) for contig, length in CONTIG_LENGTHS.items()]
    return GeneBases(read_gff3(genes, whole), partial(_read, fasta))


def reference_bases_of_node(
    node: Path | str, identity: ReferenceIdentity | None
) -> ReferenceBases | None:
    """Open the bases of a node's reference.

    Args:
        node: The node's folder.
        identity: What :func:`reference_of_node` returned.

    Returns:
        The bases, or None for a node without a reference.
    """
    fasta = Path(node) / FOLDER / FASTA
    if identity is None or not fasta.is_file():
        return None
    lengths = {contig: one.length for contig, one in identity.contigs.items()}
    return ReferenceBases(_kept_open(fasta), lengths)


def _kept_open(fasta: Path) -> Callable[[Block], str]:
    """Return a reader that opens the file at its first use, and so once in each process."""
    opened = ExitStack()

    @cache
    def reader() -> Callable[[Block], str]:
        from rehearsal.genomes.reference import open_reference  # a large import

        return opened.enter_context(open_reference(fasta))

    return lambda block: reader()(block)


def _read(fasta: Path, block: Block) -> str:
    from rehearsal.genomes.reference import read_reference  # a large import

    return read_reference(fasta, block)
