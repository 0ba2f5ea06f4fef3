"""One sparse pass over a block: every country's BCF and its part of the variant store."""

import pandas as pd
import tskit

from rehearsal.export.shards import write_shards
from rehearsal.logs import logged_to


def main(smk):
    countries = smk.params.countries
    write_shards(
        tskit.load(smk.input.trees),
        smk.params.block,
        pd.read_parquet(smk.input.people),
        dict(zip(countries, smk.output.bcf, strict=True)),
        dict(zip(countries, smk.output.part, strict=True)),
    )


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
