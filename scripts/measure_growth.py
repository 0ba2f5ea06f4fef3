"""The same queries over more nodes, more people and more users at once."""

from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pandas as pd

from rehearsal.evaluation.suite import read_suite
from rehearsal.files import write_json, written_aside
from rehearsal.loadtest.environment import machine
from rehearsal.loadtest.growth.measure import Growth, chosen, fits, growth_checks
from rehearsal.loadtest.load.workload import RESEARCHER, make_calls, people
from rehearsal.logs import logged_to
from rehearsal.network.launcher import running_network, running_nodes
from rehearsal.node.runtime_files import served_copy
from rehearsal.report.bench_figures import growth_figure
from rehearsal.report.figures import save_still
from rehearsal.seeds import derive_seed
from rehearsal.truth.expected_answers import read_truth


def main(smk):
    settings, deadline_s = smk.params.growth, smk.params.network["deadline_s"]
    logs, conditions = Path(smk.params.logs), machine()
    folders = {country: Path(folder) for country, folder in smk.params.nodes.items()}
    suite = chosen(read_suite(Path(smk.input.suite)), settings["queries"])
    truth = read_truth(Path(smk.input.truth))
    numbers = pd.read_parquet(smk.input.people, columns=["country"])["country"].value_counts()
    asker = people(Path(smk.input.issuer[0]).parent, [smk.params.network["asker"]])
    researcher = {who: token for who, token in asker.items() if who[0] == RESEARCHER}
    growth = Growth(deadline_s, logs)

    def calls_to(countries, url):
        return make_calls(suite, truth, countries, researcher, url)

    with ExitStack() as stack:
        place = Path(stack.enter_context(TemporaryDirectory()))
        copies = {code: served_copy(path, place / code) for code, path in folders.items()}
        nodes = stack.enter_context(running_nodes(copies, {}, 0, logs))
        growth.over_nodes(calls_to, nodes, settings["nodes"], numbers)
        around = running_network(nodes, deadline_s, logs, forks=nodes.forks)
        service = stack.enter_context(around)
        calls = calls_to(list(folders), service.url)
        users, duration_s = settings["users"], settings["duration_s"]
        growth.over_users(calls, service, nodes, users, numbers, duration_s)
    seed = derive_seed(smk.params.seed, "growth")
    growth.over_people(list(folders), settings["people"], settings["queries"], seed)
    table = growth.table()
    with written_aside(smk.output.growth) as path:
        table.to_parquet(path)
    exponents = fits(table)
    with written_aside(smk.output.fits) as path:
        exponents.to_parquet(path)
    for axis in ("nodes", "users"):
        save_still(growth_figure(table, exponents, axis), smk.output[f"{axis}_figure"])
    found = {"checks": growth_checks(table), "conditions": conditions}
    write_json(smk.output.conditions, found)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
