"""Measured round trips beside the table, in every way of emulating distance that there is."""

import pandas as pd

from rehearsal.files import written_aside
from rehearsal.loadtest.measured_distance import measure_distance
from rehearsal.logs import logged_to


def main(smk):
    table = measure_distance(
        smk.params.network,
        pd.read_parquet(smk.input.pairs),
        smk.params.countries,
        smk.params.rounds,
        pd.read_parquet(smk.input.latency),
    )
    with written_aside(smk.output.distance) as path:
        table.to_parquet(path)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
