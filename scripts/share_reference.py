"""Give every node's folder the run's reference: links to the same files."""

from pathlib import Path

from rehearsal.logs import log_to_file
from rehearsal.stores.node_reference import share_reference


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    for contigs in smk.output.contigs:
        share_reference(smk.input, Path(contigs).parents[1])


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
