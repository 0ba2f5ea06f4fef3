"""Metadata of every node's datasets, and of all of them together with the exports."""

import json
from pathlib import Path

import pandas as pd

from rehearsal import __version__
from rehearsal.catalogue.dcat import json_ld, new_graph, turtle
from rehearsal.catalogue.descriptor import as_json
from rehearsal.catalogue.node_catalogue import describe_node, write_catalogue
from rehearsal.files import written_aside
from rehearsal.logs import logged_to
from rehearsal.node.settings import NodeSettings
from rehearsal.stores.variant_store import VariantStore


def main(smk):
    consent = pd.read_parquet(smk.input.consent)
    everything, described = new_graph(), []
    for settings, store in zip(smk.input.settings, smk.input.stores, strict=True):
        folder = Path(settings).parent
        variants = VariantStore.open(store)
        own = consent[consent["individual"].isin(variants.individuals)]
        descriptors = describe_node(
            NodeSettings.read(folder), len(variants.individuals), variants.count, own
        )
        variants.close()
        everything += write_catalogue(folder, descriptors, __version__)
        described += [as_json(one) for one in descriptors]
    for graph, datasets in zip(smk.input.exports, smk.input.exported, strict=True):
        everything.parse(graph, format="turtle")
        described += json.loads(Path(datasets).read_text(encoding="utf-8"))
    texts = {
        smk.output.turtle: turtle(everything),
        smk.output.json_ld: json_ld(everything),
        smk.output.datasets: json.dumps(described, indent=1) + "\n",
    }
    for file, text in texts.items():
        with written_aside(file) as aside:
            aside.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
