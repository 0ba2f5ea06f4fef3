"""Compute a block's contribution to every trait, and find carriers of planted variants."""

import pandas as pd
import tskit

from rehearsal.files import write_parquet
from rehearsal.genomes.planted_carriers import find_planted_carriers
from rehearsal.logs import log_to_file
from rehearsal.phenotypes.genetic_values import genetic_values_of_block, target_values
from rehearsal.phenotypes.trait_reader import read_traits


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    ts = tskit.load(smk.input.trees)
    people = pd.read_parquet(smk.input.people)
    target = target_values(smk.params.patients, pd.read_parquet(smk.input.patients), people)
    traits = read_traits(smk.input.traits)
    block, blocks = smk.params.block, smk.params.blocks
    genetic = genetic_values_of_block(ts, block, traits, blocks, smk.params.seed, target)
    write_parquet(smk.output.effects, genetic.effects)
    write_parquet(smk.output.values, genetic.values)
    write_parquet(smk.output.carriers, find_planted_carriers(ts, people, smk.params.variants))


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
