"""Simulate the records of all people: traits, diseases, treatments, and the truth."""

import pandas as pd

from rehearsal.files import write_parquet
from rehearsal.genomes.damaged_genes import count_damaged_copies
from rehearsal.logs import log_to_file
from rehearsal.phenotypes.family_history import family_history
from rehearsal.phenotypes.genetic_values import GeneticValues, join_blocks
from rehearsal.phenotypes.simulate_phenotypes import simulate_phenotypes
from rehearsal.phenotypes.trait_reader import read_traits


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    pairs = zip(smk.input.effects, smk.input.values, strict=True)
    parts = (GeneticValues(pd.read_parquet(e), pd.read_parquet(v)) for e, v in pairs)
    carriers = pd.concat(map(pd.read_parquet, smk.input.carriers), ignore_index=True)
    people = pd.read_parquet(smk.input.people)
    result = simulate_phenotypes(
        people,
        join_blocks(parts, smk.params.blocks),
        count_damaged_copies(map(pd.read_parquet, smk.input.damaged)),
        read_traits(smk.input.traits),
        smk.params.seed,
        smk.params.reference_year,
        smk.params.patients,
        pd.read_parquet(smk.input.patients),
    )
    for name, table in result.tables().items():
        write_parquet(smk.output[name], table)
    write_parquet(smk.output.family_history, family_history(people, result.diseases))
    write_parquet(smk.output.carriers, carriers)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
