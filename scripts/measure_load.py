"""Load on the whole network: a ramp up to its knee, over warm and cold connections."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from rehearsal.evaluation.suite import read_suite
from rehearsal.files import write_json, written_aside
from rehearsal.loadtest.load.run import LoadSettings, measure_load
from rehearsal.loadtest.load.workload import make_calls, people
from rehearsal.logs import logged_to
from rehearsal.network.launcher import nodes_at_their_distance, running_network
from rehearsal.node.runtime_files import served_copy
from rehearsal.report.bench_figures import load_figure
from rehearsal.report.figures import save_still
from rehearsal.seeds import derive_seed
from rehearsal.truth.expected_answers import read_truth


def main(smk):
    network, logs = smk.params.network, Path(smk.params.logs)
    folders = {country: Path(folder) for country, folder in smk.params.nodes.items()}
    pairs = pd.read_parquet(smk.input.pairs)
    logs.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        # beside the logs: what nodes are launched from may be seen by other machines only there
        place = Path(stack.enter_context(TemporaryDirectory(dir=logs)))
        copies = {code: served_copy(path, place / code) for code, path in folders.items()}
        nodes = stack.enter_context(nodes_at_their_distance(copies, network, pairs, logs))
        around = running_network(nodes, network["deadline_s"], logs, forks=nodes.forks)
        service = stack.enter_context(around)
        calls = make_calls(
            read_suite(Path(smk.input.suite)),
            read_truth(Path(smk.input.truth)),
            list(folders),
            people(Path(smk.input.issuer[0]).parent, list(folders)),
            service.url,
        )
        histograms = stack.enter_context(written_aside(smk.output.histograms))
        run = measure_load(
            calls,
            LoadSettings(**smk.params.load),
            service,
            nodes,
            network["deadline_s"],
            derive_seed(smk.params.seed, "load"),
            histograms,
        )
    with written_aside(smk.output.load) as path:
        run.table().to_parquet(path)
    write_json(smk.output.knee, run.summary())
    save_still(load_figure(run.table(), run.summary()), smk.output.figure)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
