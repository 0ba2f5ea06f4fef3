"""Measure the same queries over more nodes, more people and more users at once."""

from pathlib import Path

import pandas as pd

from rehearsal.files import atomic_path, write_json
from rehearsal.loadtest.growth.measure import (
    GrowthSettings,
    fit_exponents,
    growth_checks,
    measure_growth,
)
from rehearsal.loadtest.run_under_test import RunUnderTest
from rehearsal.logs import log_to_file
from rehearsal.machine import load_average, measurement_conditions
from rehearsal.network.issuer import issuer_copy
from rehearsal.report.figures.bench import growth_figure
from rehearsal.report.figures.rendering import save_still
from rehearsal.seeds import derive_seed


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    conditions = {**measurement_conditions(), "load_average_1min": load_average()}
    with issuer_copy(Path(smk.input.issuer[0]).parent) as issuer:
        run = RunUnderTest(
            {country: Path(folder) for country, folder in smk.params.nodes.items()},
            issuer,
            smk.params.network["asker"],
            Path(smk.input.suite),
            Path(smk.input.truth),
        )
        growth = measure_growth(
            run,
            GrowthSettings(**smk.params.growth),
            smk.params.network["deadline_s"],
            pd.read_parquet(smk.input.people, columns=["country"])["country"].value_counts(),
            derive_seed(smk.params.seed, "growth"),
            Path(smk.log[0]).with_name("growth"),
        )
    with atomic_path(smk.output.growth) as path:
        growth.to_parquet(path)
    exponents = fit_exponents(growth)
    with atomic_path(smk.output.fits) as path:
        exponents.to_parquet(path)
    for axis in ("nodes", "users"):
        save_still(growth_figure(growth, exponents, axis), smk.output[f"{axis}_figure"])
    write_json(smk.output.conditions, {"checks": growth_checks(growth), "conditions": conditions})


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
