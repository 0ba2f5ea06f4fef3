"""Write the run's reference: drawn from the seed or the user's FASTA, and its gene model."""

from pathlib import Path

from rehearsal.genomes.drawn_reference import planned_reference, stretches_with_bases
from rehearsal.genomes.gene_model_file import write_gene_model
from rehearsal.genomes.reference_files import write_reference
from rehearsal.logs import log_to_file
from rehearsal.stores.node_reference import share_reference


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    params = smk.params
    source = planned_reference(params.genome, params.variants, params.transcripts, params.seed)
    write_reference(
        smk.output.fasta,
        smk.output.contigs,
        stretches_with_bases(
            [*params.blocks, *(t.span for t in params.transcripts)], source.unknown
        ),
        source,
    )
    write_gene_model(params.transcripts, smk.output.genes)
    out = smk.output
    files = (out.fasta, out.fai, out.gzi, out.contigs, out.genes)
    for node in sorted({Path(file).parents[1] for file in smk.output.shared}):
        share_reference(files, node)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
