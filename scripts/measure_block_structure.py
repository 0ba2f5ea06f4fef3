"""What one block tells of the people's structure: common sites, spectra of alleles."""

import pandas as pd

from rehearsal.logs import log_to_file
from rehearsal.realism.block_structure import measure_block_structure, write_block_structure
from rehearsal.seeds import derive_seed


def main(smk):
    seed = derive_seed(smk.params.seed, "structure")
    people = pd.read_parquet(smk.input.people)
    found = measure_block_structure(smk.input.trees, people, seed=seed)
    write_block_structure(found, smk.output.structure)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
