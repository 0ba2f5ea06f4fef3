"""Write tidy phenotype tables of an export's people, with a data dictionary."""

from rehearsal.export.phenotype_tables import write_phenotype_tables
from rehearsal.export.selection import load_people, load_tables
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    people, _ = load_people(smk.params.export, smk.wildcards.place, *smk.input.cohort)
    tables = load_tables(people, smk.input.tables)
    write_phenotype_tables(people, tables, smk.output.folder)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
