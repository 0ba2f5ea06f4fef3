"""Write association summary statistics of an export's people, with the true effects."""

import pandas as pd

from rehearsal.export.selection import group_by_contig, load_genotypes, load_people, load_tables
from rehearsal.export.summary_statistics import list_phenotypes, write_summary_statistics
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    chosen = (smk.params.export, smk.wildcards.place)
    people, _ = load_people(*chosen, *smk.input.cohort)
    write_summary_statistics(
        (
            load_genotypes(*chosen, trees, *smk.input.cohort)
            for trees in group_by_contig(smk.input.trees)
        ),
        list_phenotypes(people, load_tables(people, smk.input.tables)),
        pd.read_parquet(smk.input.effects),
        smk.output.folder,
        smk.params.reference_year,
    )


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
