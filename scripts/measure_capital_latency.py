"""Measure what a query over all nodes costs, seen from each capital."""

from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from rehearsal.evaluation.suite import read_suite
from rehearsal.files import atomic_path
from rehearsal.loadtest.origin_latency import Origins, measure_origin_latency
from rehearsal.loadtest.query_selection import select_kinds_in_turn
from rehearsal.logs import log_to_file
from rehearsal.network.emulation.topology import line_of_pairs
from rehearsal.network.issuer import issuer_copy
from rehearsal.network.launcher import running_nodes
from rehearsal.network.tokens import tokens_by_tier
from rehearsal.node.runtime_files import served_copy
from rehearsal.seeds import derive_seed


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    network, logs = smk.params.network, Path(smk.log[0]).with_name("capitals")
    suite = read_suite(Path(smk.input.suite))
    queries = select_kinds_in_turn(suite, smk.params.capitals["queries"])
    with TemporaryDirectory() as scratch, issuer_copy(Path(smk.input.issuer[0]).parent) as issuer:
        folders = {
            country: served_copy(Path(folder), Path(scratch) / "nodes" / country)
            for country, folder in smk.params.nodes.items()
        }
        origins = Origins(
            line_of_pairs(network, pd.read_parquet(smk.input.pairs)),
            tokens_by_tier(issuer, network["asker"])["controlled"],
            network["deadline_s"],
            derive_seed(smk.params.seed, "capitals"),
        )
        with running_nodes(folders, logs) as nodes:
            table = measure_origin_latency(nodes, queries, origins, Path(scratch) / "registry")
    with atomic_path(smk.output.capitals) as path:
        table.to_parquet(path)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
