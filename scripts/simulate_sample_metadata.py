"""Simulate subjects, samples, runs and analyses, with quality figures of the variants."""

import pandas as pd

from rehearsal.files import write_parquet
from rehearsal.logs import log_to_file
from rehearsal.phenotypes.sample_metadata import simulate_sample_metadata
from rehearsal.phenotypes.trait_reader import read_traits


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    sequencing = simulate_sample_metadata(
        pd.read_parquet(smk.input.people),
        map(pd.read_parquet, smk.input.counts),
        read_traits(smk.input.traits),
        smk.params.seed,
        smk.params.reference_year,
    )
    for name, table in sequencing.tables().items():
        write_parquet(smk.output[name], table)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
