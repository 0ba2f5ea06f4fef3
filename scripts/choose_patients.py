"""Select the people of the cohort who are patients of stories."""

from pathlib import Path

import pandas as pd

from rehearsal.files import atomic_path
from rehearsal.logs import log_to_file
from rehearsal.stories.patients import build_patients_table


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    table = build_patients_table(
        pd.read_parquet(smk.input.planted),
        smk.params.choices,
        Path(smk.output.patients).parents[1],
        smk.params.reference_year,
    )
    with atomic_path(smk.output.patients) as path:
        table.to_parquet(path)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
