"""For every node how many people elsewhere carry each of its alleles: what is public."""

from pathlib import Path

from rehearsal.logs import log_to_file
from rehearsal.node.privacy.public_frequencies_writer import write_public_frequencies


def main(smk):
    write_public_frequencies({code: Path(folder) for code, folder in smk.params.nodes.items()})


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
