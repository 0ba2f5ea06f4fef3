"""What a block adds to every trait, and who carries what was planted in it."""

import pandas as pd
import tskit

from rehearsal.files import written_aside
from rehearsal.genomes.planting import planted_carriers
from rehearsal.logs import logged_to
from rehearsal.phenotypes.genetic import genetic_values_of_block, wanted_values
from rehearsal.phenotypes.traits import read_traits


def main(smk):
    ts = tskit.load(smk.input.trees)
    people = pd.read_parquet(smk.input.people)
    block = smk.params.block
    wanted = wanted_values(smk.params.patients, pd.read_parquet(smk.input.patients), people)
    traits = read_traits(smk.input.traits)
    genetic = genetic_values_of_block(ts, block, traits, smk.params.blocks, smk.params.seed, wanted)
    planted = [item for item in smk.params.variants if block.holds_variant(item.variant)]
    tables = {
        smk.output.effects: genetic.effects,
        smk.output.values: genetic.values,
        smk.output.carriers: planted_carriers(ts, people, planted),
    }
    for output, table in tables.items():
        with written_aside(output) as path:
            table.to_parquet(path)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
