"""A country's variant store from its parts of all blocks."""

import pandas as pd

from rehearsal.logs import logged_to
from rehearsal.node.variant_store import build_store


def main(smk):
    people = pd.read_parquet(smk.input.people)
    mine = people[people["country"] == smk.wildcards.country]
    build_store(smk.input.parts, mine, smk.output.store)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
