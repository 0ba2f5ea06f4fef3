"""How many variants of which kind everybody carries in a block."""

import tskit

from rehearsal.files import written_aside
from rehearsal.logs import logged_to
from rehearsal.phenotypes.variant_counts import variant_counts


def main(smk):
    counts = variant_counts(tskit.load(smk.input.trees))
    with written_aside(smk.output.counts) as path:
        counts.to_parquet(path)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
