"""Start every node and the network, ask the whole suite, judge every answer, stop them all."""

import json
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from rehearsal.evaluation.latency import latency_table
from rehearsal.evaluation.run import ask_suite
from rehearsal.evaluation.suite import read_suite
from rehearsal.files import written_aside
from rehearsal.logs import logged_to
from rehearsal.network.issuer import tokens
from rehearsal.network.launcher import nodes_at_their_distance, running_network
from rehearsal.network.registry import with_foreign
from rehearsal.node.access.audit_log import FILE_NAME as AUDIT_FILE
from rehearsal.node.access.audit_log import verify_log
from rehearsal.node.runtime_files import forget_state
from rehearsal.truth.expected_answers import read_truth


def main(smk):
    network, logs = smk.params.network, Path(smk.params.logs)
    foreign = {node.country: node for node in smk.params.foreign}
    ours = {
        country: Path(folder)
        for country, folder in smk.params.nodes.items()
        if country not in foreign
    }
    for folder in ours.values():
        forget_state(folder)  # of an earlier run
    pairs = pd.read_parquet(smk.input.pairs)
    with nodes_at_their_distance(ours, network, pairs, logs) as started:
        nodes = with_foreign(started, foreign.values())
        with running_network(nodes, network["deadline_s"], logs, forks=started.forks) as service:
            asked = ask_suite(
                read_suite(Path(smk.input.suite)),
                read_truth(Path(smk.input.truth)),
                nodes,
                service,
                network["deadline_s"],
                foreign,
                tokens(Path(smk.input.issuer[0]).parent, network["asker"]),
            )
    # every decision of every node is in its log, and the log is whole
    audit = {country: asdict(verify_log(folder / AUDIT_FILE)) for country, folder in ours.items()}
    with written_aside(smk.output.answers) as path:
        asked.answers.to_parquet(path)
    with written_aside(smk.output.latency) as path:
        latency_table(asked.answers, asked.control).to_parquet(path)
    with written_aside(smk.output.conditions) as path:
        conditions = asked.conditions | {"network": network, "audit": audit}
        path.write_text(json.dumps(conditions, indent=2) + "\n")


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
