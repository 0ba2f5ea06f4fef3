"""For every node how many people elsewhere carry each of its alleles: what is public."""

from pathlib import Path

from rehearsal.bench.public_shares import write_public_shares
from rehearsal.logs import logged_to


def main(smk):
    write_public_shares({code: Path(folder) for code, folder in smk.params.nodes.items()})


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
