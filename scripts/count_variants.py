"""Count each person's variants in a block, by kind."""

import tskit

from rehearsal.files import write_parquet
from rehearsal.logs import log_to_file
from rehearsal.phenotypes.variant_counts import variant_counts


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    write_parquet(smk.output.counts, variant_counts(tskit.load(smk.input.trees)))


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
