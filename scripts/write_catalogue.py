"""Write the metadata of every node's datasets, and a catalogue of all with the exports."""

import json
from contextlib import closing
from pathlib import Path

from rehearsal import __version__
from rehearsal.catalogue.dataset_descriptor import descriptor_to_json, summarise_forms
from rehearsal.catalogue.health_dcat_ap import new_graph, to_json_ld, to_turtle
from rehearsal.catalogue.node_datasets import describe_node_datasets, write_node_catalogue
from rehearsal.files import write_text
from rehearsal.logs import log_to_file
from rehearsal.node.privacy.public_facts import PublicFacts
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.phenotypes.consent import read_consent


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    terms = summarise_forms(read_consent(Path(smk.input.consent)))
    everything, described = new_graph(), []
    for settings, public_facts in zip(smk.input.settings, smk.input.public_facts, strict=True):
        folder = Path(settings).parent
        with closing(PublicFacts.open(public_facts)) as facts:
            descriptors = describe_node_datasets(NodeSettings.read(folder), facts, terms)
        everything += write_node_catalogue(folder, descriptors, __version__)
        described += [descriptor_to_json(one) for one in descriptors]
    for graph, datasets in zip(smk.input.exports, smk.input.exported, strict=True):
        everything.parse(graph, format="turtle")
        described += json.loads(Path(datasets).read_text(encoding="utf-8"))
    texts = {
        smk.output.turtle: to_turtle(everything),
        smk.output.json_ld: to_json_ld(everything),
        smk.output.datasets: json.dumps(described, indent=1) + "\n",
    }
    for file, text in texts.items():
        write_text(file, text)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
