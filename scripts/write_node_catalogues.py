"""Write the metadata of every node's datasets into its folder."""

from contextlib import closing
from pathlib import Path

from rehearsal import __version__
from rehearsal.catalogue.dataset_descriptor import summarise_forms
from rehearsal.catalogue.node_datasets import describe_node_datasets, write_node_catalogue
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
    for settings, public_facts in zip(smk.input.settings, smk.input.public_facts, strict=True):
        folder = Path(settings).parent
        with closing(PublicFacts.open(public_facts)) as facts:
            descriptors = describe_node_datasets(NodeSettings.read(folder), facts, terms)
        write_node_catalogue(folder, descriptors, __version__)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
