"""Start all nodes, play the federated analyses in their sandboxes, and stop everything."""

from pathlib import Path

from rehearsal.evaluation.analyses.play import (
    FOREIGN,
    NodePart,
    nodes_without_disease,
    play_plan,
    vetoing_nodes,
    write_played,
)
from rehearsal.logs import log_to_file
from rehearsal.masked_sums.signing_keys import read_signing_key
from rehearsal.network.issuer import issuer_copy
from rehearsal.network.launcher import running_nodes
from rehearsal.network.tokens import tokens_by_tier
from rehearsal.node.runtime_files import served_copies


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    (plan,), network, logs = smk.params.plan, smk.params.network, Path(smk.log[0])
    folders = {code: Path(one) for code, one in smk.params.nodes.items()}
    own = {code: one for code, one in folders.items() if code not in smk.params.foreign}
    beside = logs.with_name("analyses")
    with (
        served_copies(own, beside) as copies,
        issuer_copy(Path(smk.input.issuer[0]).parent) as issuer,
        running_nodes(copies, beside, prefix=network["launch"]) as nodes,
    ):
        token = tokens_by_tier(issuer, network["asker"])["controlled"]
        vetoed = vetoing_nodes(copies, plan.algorithm)
        healthy = nodes_without_disease(plan, copies)
        key = read_signing_key(Path(smk.input.coordinator))
        played = play_plan(plan, smk.params.genes, nodes, token, vetoed, healthy, key)
    for code in smk.params.foreign:
        played.nodes[code] = NodePart(FOREIGN, "the truth does not know its people")
    write_played(played, Path(smk.output.played), Path(smk.output.results))
    there = sum(node.outcome == "took part" for node in played.nodes.values())
    print(f"{played.rounds} rounds in {played.seconds:g} s, {there} nodes {played.why}".rstrip())


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
