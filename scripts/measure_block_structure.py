"""Measure a block's population structure: common sites and allele spectra."""

import pandas as pd

from rehearsal.logs import log_to_file
from rehearsal.realism.block_structure import measure_block_structure, write_block_structure
from rehearsal.seeds import derive_seed


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    seed = derive_seed(smk.params.seed, "structure")
    people = pd.read_parquet(smk.input.people)
    found = measure_block_structure(smk.input.trees, people, seed=seed)
    write_block_structure(found, smk.output.structure)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
