"""What one block tells of the people's structure: common sites, spectra of alleles."""

import pandas as pd

from rehearsal.logs import logged_to
from rehearsal.report.pca import block_structure, write_structure
from rehearsal.seeds import derive_seed


def main(smk):
    seed = derive_seed(smk.params.seed, "structure")
    people = pd.read_parquet(smk.input.people)
    write_structure(block_structure(smk.input.trees, people, seed=seed), smk.output.structure)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
