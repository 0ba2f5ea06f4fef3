"""Write simulated aligned reads of the first people of an export in chosen regions."""

from rehearsal.export.read_sets import write_read_sets
from rehearsal.export.selection import group_by_contig, load_genotypes
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    export = smk.params.export
    chosen = (export.of_reads(), smk.wildcards.place)
    genotypes = [
        load_genotypes(*chosen, trees, *smk.input.cohort)
        for trees in group_by_contig(smk.input.trees)
    ]
    write_read_sets(
        genotypes,
        export.reads.regions,
        export.reads.depth,
        smk.output.folder,
        smk.params.seed,
        smk.input.fasta,
    )


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
