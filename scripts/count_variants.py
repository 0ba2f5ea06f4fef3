"""How many variants of which kind everybody carries in a block."""

import tskit

from rehearsal.files import write_parquet
from rehearsal.logs import log_to_file
from rehearsal.phenotypes.variant_counts import variant_counts


def main(smk):
    write_parquet(smk.output.counts, variant_counts(tskit.load(smk.input.trees)))


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
