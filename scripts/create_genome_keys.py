"""Make a key pair for every node, to encrypt its genomes."""

from pathlib import Path

from rehearsal.formats.crypt4gh import make_key_pair
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    for secret in smk.output.secret:
        make_key_pair(Path(secret).parent)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
