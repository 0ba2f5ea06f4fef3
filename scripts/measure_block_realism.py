"""Measure a block's realism, as sums that can be added over blocks."""

import pandas as pd
import tskit

from rehearsal.genomes.recombination import contig_map
from rehearsal.genomes.reference import read_reference
from rehearsal.logs import log_to_file
from rehearsal.realism.measures import block_measures, write_measures
from rehearsal.realism.panel import choose_panel


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    panel = choose_panel(pd.read_parquet(smk.input.people), smk.params.seed)
    block = smk.params.block
    planted = [one.variant.start for one in smk.params.planted if block.holds_variant(one.variant)]
    bases = read_reference(smk.input.reference, block)
    recombination = contig_map(block.contig, smk.input.map[0] if smk.input.map else None)
    ts = tskit.load(smk.input.trees)
    measures = block_measures(ts, block, panel, bases, recombination, planted)
    write_measures(measures, smk.output.measures)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
