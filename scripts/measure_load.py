"""Ramp up the load on the whole network until it saturates, over warm and cold connections."""

from pathlib import Path

import pandas as pd

from rehearsal.files import atomic_path, write_json
from rehearsal.loadtest.load.run import LoadSettings, measure_load_of_run
from rehearsal.loadtest.run_under_test import RunUnderTest
from rehearsal.logs import log_to_file
from rehearsal.network.issuer import issuer_copy
from rehearsal.report.figures.bench import load_figure
from rehearsal.report.figures.rendering import save_still
from rehearsal.seeds import derive_seed


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    network = smk.params.network
    with issuer_copy(Path(smk.input.issuer[0]).parent) as issuer:
        run = RunUnderTest(
            {country: Path(folder) for country, folder in smk.params.nodes.items()},
            issuer,
            network["asker"],
            Path(smk.input.suite),
            Path(smk.input.truth),
        )
        with atomic_path(smk.output.histograms) as histograms:
            load = measure_load_of_run(
                run,
                LoadSettings(**smk.params.load),
                network,
                pd.read_parquet(smk.input.pairs),
                derive_seed(smk.params.seed, "load"),
                histograms,
                Path(smk.log[0]).with_name("load"),
            )
    with atomic_path(smk.output.load) as path:
        load.table().to_parquet(path)
    write_json(smk.output.knee, load.summary())
    save_still(load_figure(load.table(), load.summary()), smk.output.figure)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
