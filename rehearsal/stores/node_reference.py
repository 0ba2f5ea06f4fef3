"""A node's reference: links to the files of the run, its sequences and its gene model."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from rehearsal.files import link_or_copy
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.gene_bases import GeneBases
from rehearsal.genomes.gene_model import has_genes, read_gff3
from rehearsal.genomes.reference_identity import ReferenceIdentity
from rehearsal.model import Block

FOLDER, FASTA, CONTIGS, GENES = "reference", "reference.fa.gz", "contigs.json", "genes.gff3.gz"


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


def _read(fasta: Path, block: Block) -> str:
    from rehearsal.genomes.reference import read_reference  # a large import

    return read_reference(fasta, block)
