"""Start all nodes and the network, send the query suite, judge the answers, stop everything."""

from contextlib import ExitStack
from pathlib import Path

import pandas as pd

from rehearsal.evaluation.latency import latency_table
from rehearsal.evaluation.network_under_test import NetworkUnderTest
from rehearsal.evaluation.suite import read_suite
from rehearsal.evaluation.suite_run import JudgedSuite, ask_suite
from rehearsal.files import atomic_path, write_json
from rehearsal.logs import log_to_file
from rehearsal.network.issuer import issuer_copy
from rehearsal.network.launcher import nodes_at_their_distance, running_network
from rehearsal.network.registry import with_foreign
from rehearsal.network.tokens import tokens_by_tier
from rehearsal.node.access.audit_check import collect_logs
from rehearsal.node.runtime_files import served_copies
from rehearsal.truth.expected_answers import read_expected_answers


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    network, logs = smk.params.network, Path(smk.log[0]).with_name("nodes")
    foreign = {node.country: node for node in smk.params.foreign}
    folders = {code: Path(one) for code, one in smk.params.nodes.items() if code not in foreign}
    pairs, deadline_s = pd.read_parquet(smk.input.pairs), network["deadline_s"]
    with (
        served_copies(folders, logs) as copies,
        issuer_copy(Path(smk.input.issuer[0]).parent) as issuer,
    ):
        with ExitStack() as running:
            started = running.enter_context(nodes_at_their_distance(copies, network, pairs, logs))
            nodes = with_foreign(started, foreign.values())
            around = running_network(nodes, deadline_s, logs, forks=started.forks)
            asked = ask_suite(
                JudgedSuite(
                    read_suite(Path(smk.input.suite)), read_expected_answers(Path(smk.input.truth))
                ),
                NetworkUnderTest(running.enter_context(around), nodes, deadline_s),
                foreign,
                tokens_by_tier(issuer, network["asker"]),
            )
        with atomic_path(smk.output.audit) as path:
            audit = collect_logs(copies, path)
    with atomic_path(smk.output.answers) as path:
        asked.answers.to_parquet(path)
    with atomic_path(smk.output.latency) as path:
        latency_table(asked.answers, asked.control).to_parquet(path)
    write_json(smk.output.conditions, asked.conditions | {"network": network, "audit": audit})


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
