"""Join the metadata of all nodes and exports in one catalogue; describe others' datasets."""

import json
from pathlib import Path

from rehearsal.catalogue.health_dcat_ap import new_graph, to_json_ld, to_turtle
from rehearsal.catalogue.inventory import read_inventory
from rehearsal.catalogue.inventory_graph import build_inventory_graph
from rehearsal.files import write_text
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    everything, described = new_graph(), []
    graphs = [*smk.input.nodes, *smk.input.exports]
    datasets = [*smk.input.described, *smk.input.exported]
    for graph, descriptors in zip(graphs, datasets, strict=True):
        everything.parse(graph, format="turtle")
        described += json.loads(Path(descriptors).read_text(encoding="utf-8"))
    others = build_inventory_graph(read_inventory(Path(smk.input.inventory)))
    texts = {
        smk.output.turtle: to_turtle(everything),
        smk.output.json_ld: to_json_ld(everything),
        smk.output.datasets: json.dumps(described, indent=1) + "\n",
        smk.output.others_turtle: to_turtle(others),
        smk.output.others_json_ld: to_json_ld(others),
    }
    for file, text in texts.items():
        write_text(file, text)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
