"""Measure what hung nodes cost under several policies of collecting answers."""

from pathlib import Path

import pandas as pd

from rehearsal.files import atomic_path
from rehearsal.loadtest.collection_policy import measure_policies
from rehearsal.logs import log_to_file
from rehearsal.network.distance import delays_ms
from rehearsal.report.figures.bench import policy_figure
from rehearsal.report.figures.rendering import save_still


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    rtt_ms = delays_ms(pd.read_parquet(smk.input.distances))
    policy, deadline_s = smk.params.policy, smk.params.deadline_s
    table = measure_policies(
        rtt_ms, policy["hung"], policy["queries"], deadline_s, Path(smk.log[0]).with_name("policy")
    )
    print(table.to_string())
    with atomic_path(smk.output.policy) as path:
        table.to_parquet(path)
    save_still(policy_figure(table), smk.output.figure)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
