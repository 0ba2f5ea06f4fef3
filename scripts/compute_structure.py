"""Compute principal components and the frequency spectrum of the cohort."""

import pandas as pd

from rehearsal.files import atomic_path
from rehearsal.logs import log_to_file
from rehearsal.realism.block_structure import read_block_structure
from rehearsal.realism.frequency_spectrum import frequency_spectrum
from rehearsal.realism.principal_components import cohort_components
from rehearsal.seeds import derive_seed


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    people = pd.read_parquet(smk.input.people)
    blocks = [read_block_structure(path) for path in smk.input.blocks]
    seed = derive_seed(smk.params.seed, "structure")
    tables = {
        smk.output.components: cohort_components(smk.input.trees, blocks, people, seed=seed),
        smk.output.spectrum: frequency_spectrum(blocks, people),
    }
    for output, table in tables.items():
        with atomic_path(output) as path:
            table.to_parquet(path)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
