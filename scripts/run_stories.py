"""Start all nodes and the network, run all stories, and stop everything."""

from contextlib import ExitStack
from pathlib import Path

import pandas as pd

from rehearsal.files import read_json
from rehearsal.logs import log_to_file
from rehearsal.network.issuer import issuer_copy, open_issuer
from rehearsal.network.launcher import nodes_at_their_distance, running_network
from rehearsal.network.registry import with_foreign
from rehearsal.node.runtime_files import served_copies
from rehearsal.stories.query_context import StoryNetwork
from rehearsal.stories.run_stories import run_stories, write_results


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    network, logs = smk.params.network, Path(smk.log[0]).with_name("stories")
    foreign = {node.country: node for node in smk.params.foreign}
    folders = {code: Path(one) for code, one in smk.params.nodes.items()}
    pairs, deadline_s = pd.read_parquet(smk.input.pairs), network["deadline_s"]
    with ExitStack() as running:
        copies = running.enter_context(served_copies(folders, logs))
        issuer = running.enter_context(issuer_copy(Path(smk.input.issuer[0]).parent))
        own = {code: copy for code, copy in copies.items() if code not in foreign}
        started = running.enter_context(nodes_at_their_distance(own, network, pairs, logs))
        nodes = with_foreign(started, foreign.values())
        around = running_network(nodes, deadline_s, logs, forks=started.forks)
        service = running.enter_context(around)
        results = run_stories(
            smk.params.stories,
            read_json(smk.input.truth),
            pd.read_parquet(smk.input.patients),
            StoryNetwork(service, deadline_s, copies, started.restart, foreign),
            open_issuer(issuer),
        )
    paths = {Path(path).stem: Path(path) for path in smk.output.stories}
    write_results(results, paths)
    for name, result in results.items():
        failed = sum(not check["passed"] for check in result["checks"])
        print(f"{name}: {len(result['checks'])} checks, {failed} failed, {result['seconds']} s")


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
