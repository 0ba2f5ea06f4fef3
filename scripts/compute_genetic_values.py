"""Compute a block's contribution to every trait; find planted carriers and damaged genes."""

import pandas as pd
import tskit

from rehearsal.files import write_parquet
from rehearsal.genomes.damaged_genes import find_damaged_haplotypes
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
    planted, consequences = smk.params.variants, pd.read_parquet(smk.input.consequences)
    damaged = find_damaged_haplotypes(ts, people, planted, consequences, traits.genes)
    write_parquet(smk.output.carriers, find_planted_carriers(ts, people, planted))
    write_parquet(smk.output.damaged, damaged)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
