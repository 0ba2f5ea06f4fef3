"""Write the run's reference: drawn from the seed or the user's FASTA, and its gene model."""

from rehearsal.genomes.assembly import read_masks
from rehearsal.genomes.drawn_reference import planned_reference, stretches_with_bases
from rehearsal.genomes.gene_model_file import write_gene_model
from rehearsal.genomes.reference_files import write_reference
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    genome, params = smk.params.genome, smk.params
    source = planned_reference(genome, params.variants, params.transcripts, params.seed)
    masks = read_masks(genome["masks"]) if genome["masks"] else []
    write_reference(
        smk.output.fasta,
        smk.output.contigs,
        stretches_with_bases([*params.blocks, *(t.span for t in params.transcripts)], masks),
        source,
    )
    write_gene_model(params.transcripts, smk.output.genes)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
