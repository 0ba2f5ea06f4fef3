"""Measure round trips with every way of emulating distance, and compare with the table."""

import pandas as pd

from rehearsal.files import atomic_path
from rehearsal.loadtest.measured_distance import measure_distance
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    latency = pd.read_parquet(smk.input.latency)
    table = measure_distance(
        smk.params.network,
        pd.read_parquet(smk.input.pairs),
        smk.params.countries,
        smk.params.distance["rounds"],
        latency[~latency["node"].isin(smk.params.foreign)],  # at a distance of their own
    )
    with atomic_path(smk.output.distance) as path:
        table.to_parquet(path)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
