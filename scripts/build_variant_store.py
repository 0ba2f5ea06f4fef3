"""Join a country's parts of all blocks into its variant store."""

from pathlib import Path

import pandas as pd

from rehearsal.logs import log_to_file
from rehearsal.model import Block
from rehearsal.stores.variant_store_part import CONSEQUENCES
from rehearsal.stores.variant_store_writer import build_store


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    country = smk.wildcards.country
    people = pd.read_parquet(smk.input.people)
    folders = [Path(folder) for folder in smk.input.parts]
    parts = [folder / f"{country}.parquet" for folder in folders]
    effects = (
        (Block.from_id(folder.name).contig, pd.read_parquet(folder / CONSEQUENCES))
        for folder in folders
    )
    mine = people[people["country"] == country]
    build_store(parts, mine, Path(smk.output.store), effects)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
