"""List alternate alleles of a block with their copies in the cohort: all, or a sample of many."""

from rehearsal.evaluation.site_sample import MOST_ALLELES, sample_sites
from rehearsal.files import write_parquet
from rehearsal.logs import log_to_file
from rehearsal.seeds import derive_seed
from rehearsal.truth.pooled_sites import pooled_sites


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    block = smk.params.block
    sites = pooled_sites({block: smk.input.trees})
    seed = derive_seed(smk.params.seed, "sample of sites", block.id)
    write_parquet(smk.output.sites, sample_sites(sites, MOST_ALLELES // smk.params.blocks, seed))


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
