"""Start every node and the network, play all stories, stop them all."""

import json
import shutil
from pathlib import Path

import pandas as pd

from rehearsal.logs import logged_to
from rehearsal.network.issuer import open_issuer
from rehearsal.network.launcher import nodes_at_their_distance, running_network
from rehearsal.network.registry import with_foreign
from rehearsal.node.alerts.patient_import import FOLDER as ARRIVALS
from rehearsal.node.alerts.store import FILE_NAME as ALERTS_FILE
from rehearsal.stories.run_stories import play, write_results


def main(smk):
    network, logs = smk.params.network, Path(smk.params.logs)
    foreign = {node.country: node for node in smk.params.foreign}
    ours = {
        country: Path(folder)
        for country, folder in smk.params.nodes.items()
        if country not in foreign
    }
    for folder in ours.values():  # nobody has subscribed or arrived yet
        (folder / ALERTS_FILE).unlink(missing_ok=True)
        shutil.rmtree(folder / ARRIVALS, ignore_errors=True)
    pairs = pd.read_parquet(smk.input.pairs)
    with nodes_at_their_distance(ours, network, pairs, logs) as started:
        nodes = with_foreign(started, foreign.values())
        with running_network(nodes, network["deadline_s"], logs, forks=started.forks) as service:
            results = play(
                smk.params.stories,
                json.loads(Path(smk.input.truth).read_text()),
                pd.read_parquet(smk.input.patients),
                nodes,
                service,
                open_issuer(Path(smk.input.issuer[0]).parent),
                network["deadline_s"],
                ours,
                started.restart,
            )
    paths = {Path(path).stem: Path(path) for path in smk.output.stories}
    write_results(results, paths)
    for name, result in results.items():
        failed = sum(not check["passed"] for check in result["checks"])
        print(f"{name}: {len(result['checks'])} checks, {failed} failed, {result['seconds']} s")


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
