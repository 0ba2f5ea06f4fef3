"""Measure a block's realism, as sums that can be added over blocks."""

import pandas as pd
import tskit

from rehearsal.logs import log_to_file
from rehearsal.realism.measures import block_measures, write_measures
from rehearsal.realism.panel import choose_panel


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    panel = choose_panel(pd.read_parquet(smk.input.people), smk.params.seed)
    measures = block_measures(tskit.load(smk.input.trees), smk.params.block, panel)
    write_measures(measures, smk.output.measures)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
