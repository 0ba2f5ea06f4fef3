"""List every alternate allele of a block with its copies in the cohort."""

from rehearsal.files import atomic_path
from rehearsal.logs import log_to_file
from rehearsal.truth.pooled_sites import pooled_sites


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    with atomic_path(smk.output.sites) as path:
        pooled_sites({smk.params.block: smk.input.trees}).to_parquet(path)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
