"""Write PLINK 2 files of an export's people on one contig, with their phenotypes."""

import pandas as pd

from rehearsal.export.pgen import write_pgen
from rehearsal.export.phenotype_tables import phenotype_columns
from rehearsal.export.selection import load_genotypes, load_tables
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    genotypes = load_genotypes(
        smk.params.export, smk.wildcards.place, smk.input.trees, *smk.input.cohort
    )
    tables = load_tables(genotypes.people, smk.input.phenotypes)
    columns = phenotype_columns(
        genotypes.people, tables["measurements"], tables["diseases"], smk.params.reference_year
    )
    consequences = pd.concat(map(pd.read_parquet, smk.input.consequences))
    write_pgen(genotypes, smk.output.pgen, columns, consequences)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
