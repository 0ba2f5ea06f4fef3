"""A key pair for every node, which its genomes are encrypted for."""

from pathlib import Path

from rehearsal.formats.crypt4gh import make_key_pair
from rehearsal.logs import log_to_file


def main(smk):
    for secret in smk.output.secret:
        make_key_pair(Path(secret).parent)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
