"""Start every node, ask the whole suite, judge every answer, stop every node."""

import json
from pathlib import Path

import pandas as pd

from rehearsal.bench.latency import latency_table
from rehearsal.bench.run import ask_suite
from rehearsal.bench.suite import read_suite
from rehearsal.bench.truth import read_truth
from rehearsal.files import written_aside
from rehearsal.logs import logged_to
from rehearsal.network.launcher import running_nodes


def main(smk):
    network = smk.params.network
    folders = {country: Path(folder) for country, folder in smk.params.nodes.items()}
    distances = pd.read_parquet(smk.input.distances).set_index("country")["rtt_ms"]
    delays = distances.to_dict() if network["emulation"] == "delay" else {}
    with running_nodes(folders, delays, network["bandwidth_mbps"], Path(smk.params.logs)) as nodes:
        asked = ask_suite(
            read_suite(Path(smk.input.suite)),
            read_truth(Path(smk.input.truth)),
            nodes,
            network["deadline_s"],
        )
    with written_aside(smk.output.answers) as path:
        asked.answers.to_parquet(path)
    with written_aside(smk.output.latency) as path:
        latency_table(asked.answers, asked.control).to_parquet(path)
    with written_aside(smk.output.conditions) as path:
        path.write_text(json.dumps(asked.conditions | {"network": network}, indent=2) + "\n")


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
