"""Who of the cohort is a patient of a story."""

from pathlib import Path

import pandas as pd

from rehearsal.files import written_aside
from rehearsal.logs import logged_to
from rehearsal.stories.patients import build_patients_table


def main(smk):
    table = build_patients_table(
        pd.read_parquet(smk.input.planted),
        smk.params.choices,
        Path(smk.output.patients).parents[1],
        smk.params.reference_year,
    )
    with written_aside(smk.output.patients) as path:
        table.to_parquet(path)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
