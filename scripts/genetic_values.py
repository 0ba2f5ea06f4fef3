"""What a block adds to every trait: its causal sites, their effects, everybody's genetic value."""

import pandas as pd
import tskit

from rehearsal.files import written_aside
from rehearsal.genomes.planting import planted_carriers
from rehearsal.genomes.seeds import derive_seed
from rehearsal.logs import logged_to
from rehearsal.phenotypes.genetic import allot_causal_sites, block_genetic_values
from rehearsal.phenotypes.traits import read_traits


def main(smk):
    ts = tskit.load(smk.input.trees)
    people = pd.read_parquet(smk.input.people)
    block = smk.params.block
    effects, values = [], {}
    for trait in read_traits(smk.input.traits).polygenic:
        number = allot_causal_sites(smk.params.blocks, trait.causal_sites)[block]
        seed = derive_seed(smk.params.seed, "genetic_values", trait.name, block.id)
        trait_effects, values[trait.name] = block_genetic_values(ts, block, trait, number, seed)
        effects.append(trait_effects)
    tables = {
        smk.output.effects: pd.concat(effects, ignore_index=True),
        smk.output.values: pd.DataFrame(values),
        smk.output.carriers: planted_carriers(
            ts, people, [item for item in smk.params.variants if block.holds_variant(item.variant)]
        ),
    }
    for output, table in tables.items():
        with written_aside(output) as path:
            table.to_parquet(path)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
