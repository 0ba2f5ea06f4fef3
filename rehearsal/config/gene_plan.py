"""The gene model of a run, checked against the table of genes and the reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rehearsal.errors import Complaints, InputError
from rehearsal.genomes.drawn_reference import DrawnReference, planned_reference
from rehearsal.genomes.gene_model import read_gene_model
from rehearsal.genomes.reading_frames import check_codons, keep_open_frames
from rehearsal.genomes.reference import check_fasta, open_reference
from rehearsal.genomes.transcripts import Transcript, read_transcripts
from rehearsal.model import Block, Gene, PlantedVariant


def plan_genes(
    config: Mapping[str, Any],
    blocks: Sequence[Block],
    planted: Sequence[PlantedVariant],
    genes: Sequence[Gene],
) -> list[Transcript]:
    """Read the transcripts of a run's blocks, and leave out those that its FASTA contradicts.

    Args:
        config: The merged configuration.
        blocks: The blocks of the run.
        planted: The planted variants.
        genes: The table of genes, which queries name.

    Returns:
        The transcripts, by contig and position.

    Raises:
        InputError: A file cannot be used; the tables contradict each other; or the reference
            contradicts a gene that is needed, or a codon of the table.
    """
    genome, table = config["genome"], config["transcripts"]
    own = read_transcripts(table)
    _check_within(own, genes, table, config["genes"])
    transcripts = read_gene_model(table, genome["gene_model"], blocks, genes)
    reference = planned_reference(genome, planted, transcripts, config["seed"])
    if isinstance(reference, DrawnReference):
        check_codons(transcripts, reference.settled, table)
        return transcripts
    check_fasta(reference.path, blocks, planted)
    of_table = {one.name for one in own}
    needed = {gene.name for gene in genes} | {one.gene for one in planted}
    with open_reference(reference.path) as read:
        transcripts = keep_open_frames(
            transcripts,
            read,
            lambda one: reference.path if one.name in of_table else genome["gene_model"],
            needed,
        )
        check_codons(transcripts, read, table)
    return transcripts


def _check_within(
    transcripts: Sequence[Transcript], genes: Sequence[Gene], path: Path | str, table: Path | str
) -> None:
    """Refuse transcripts that are not within their genes."""
    known, complaints = {gene.name: gene for gene in genes}, Complaints()
    for one in transcripts:
        gene = known.get(one.gene)
        if gene is None:
            continue
        where = f"{gene.contig}:{gene.start}-{gene.end} ({gene.strand}), as in {table}"
        within = gene.start <= one.start < one.end <= gene.end
        with complaints.collected():
            if not within or (gene.contig, gene.strand) != (one.contig, one.strand):
                expected = f"a transcript within {where}"
                found = f"{one.span.region} ({one.strand})"
                raise InputError(path, f"{one.gene} {one.name}", expected, found)
    complaints.raise_any()
