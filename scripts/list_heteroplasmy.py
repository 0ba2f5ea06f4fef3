"""List the people with two alleles at a site of chrM, and the levels."""

from pathlib import Path

import pandas as pd

from rehearsal.files import atomic_path
from rehearsal.logs import log_to_file
from rehearsal.truth.heteroplasmy import list_mixtures


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    people = pd.read_parquet(smk.input.people)
    table = list_mixtures(map(Path, smk.input.trees), people)
    with atomic_path(smk.output.mixtures) as path:
        table.to_parquet(path, index=False)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
