"""Who of the cohort is a patient of a story."""

from pathlib import Path

import pandas as pd

from rehearsal.files import atomic_path
from rehearsal.logs import log_to_file
from rehearsal.stories.patients import build_patients_table


def main(smk):
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
