"""Inject faults into nodes and the network while queries are sent, and judge the answers."""

from pathlib import Path
from tempfile import TemporaryDirectory

from rehearsal.files import atomic_path
from rehearsal.loadtest.faults.run import FaultTest, run_faults
from rehearsal.loadtest.faults.scenarios import scenarios_of
from rehearsal.loadtest.run_under_test import RunUnderTest
from rehearsal.logs import log_to_file
from rehearsal.network.issuer import issuer_copy


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    settings = smk.params.faults
    with issuer_copy(Path(smk.input.issuer[0]).parent) as issuer:
        run = RunUnderTest(
            {country: Path(folder) for country, folder in smk.params.nodes.items()},
            issuer,
            smk.params.asker,
            Path(smk.input.suite),
            Path(smk.input.truth),
            Path(smk.input.coordinator) if smk.input.coordinator else None,
        )
        with TemporaryDirectory() as scratch:
            table = run_faults(
                FaultTest.of_run(run, settings["fault_s"], settings["per_s"]),
                scenarios_of(settings["scenarios"]) if len(run.nodes) > 1 else [],
                Path(scratch),
                Path(smk.log[0]).with_name("faults"),
            )
    print(table.drop(columns="must_hold").to_string())
    with atomic_path(smk.output.faults) as path:
        table.to_parquet(path)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
