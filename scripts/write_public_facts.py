"""Write the public facts of each node, from the people of the other nodes."""

from pathlib import Path

from rehearsal.logs import log_to_file
from rehearsal.node.privacy.public_facts_writer import write_public_facts
from rehearsal.phenotypes.consent import read_consent


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    folders = {code: Path(folder) for code, folder in smk.params.nodes.items()}
    write_public_facts(folders, read_consent(Path(smk.input.consent)))


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
