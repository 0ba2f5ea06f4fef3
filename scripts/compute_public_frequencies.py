"""Count, for each node, how many people at other nodes carry its alleles."""

from pathlib import Path

from rehearsal.logs import log_to_file
from rehearsal.node.privacy.public_frequencies_writer import write_public_frequencies


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    write_public_frequencies({code: Path(folder) for code, folder in smk.params.nodes.items()})


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
