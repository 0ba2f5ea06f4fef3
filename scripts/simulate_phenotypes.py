"""What is on record of everybody: traits, diseases, treatments, and the truth behind them."""

import pandas as pd

from rehearsal.files import written_aside
from rehearsal.logs import logged_to
from rehearsal.phenotypes.family_history import family_history
from rehearsal.phenotypes.genetic import GeneticValues, join_blocks
from rehearsal.phenotypes.simulate_phenotypes import phenotypes
from rehearsal.phenotypes.traits import read_traits


def main(smk):
    parts = zip(smk.input.effects, smk.input.values, strict=True)
    carriers = pd.concat(map(pd.read_parquet, smk.input.carriers), ignore_index=True)
    people = pd.read_parquet(smk.input.people)
    result = phenotypes(
        people,
        join_blocks(GeneticValues(pd.read_parquet(e), pd.read_parquet(v)) for e, v in parts),
        carriers,
        read_traits(smk.input.traits),
        smk.params.seed,
        smk.params.reference_year,
        smk.params.patients,
        pd.read_parquet(smk.input.patients),
    )
    tables = {
        smk.output.diseases: result.diseases,
        smk.output.measurements: result.measurements,
        smk.output.features: result.features,
        smk.output.exposures: result.exposures,
        smk.output.treatments: result.treatments,
        smk.output.missing: result.missing,
        smk.output.excluded_features: result.excluded_features,
        smk.output.candidate_genes: result.candidate_genes,
        smk.output.tumour_variants: result.tumour_variants,
        smk.output.family_history: family_history(people, result.diseases),
        smk.output.effects: result.effects,
        smk.output.genetic_values: result.genetic_values,
        smk.output.carriers: carriers,
    }
    for output, table in tables.items():
        with written_aside(output) as path:
            table.to_parquet(path)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
