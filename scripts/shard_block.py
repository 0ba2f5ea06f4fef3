"""One sparse pass over a block: every country's BCF and its part of the variant store."""

from pathlib import Path

import pandas as pd
import tskit

from rehearsal.export.shards import write_shards
from rehearsal.files import written_aside
from rehearsal.logs import logged_to


def main(smk):
    countries = smk.params.countries
    with written_aside(smk.output.parts) as folder:
        folder.mkdir()
        write_shards(
            tskit.load(smk.input.trees),
            smk.params.block,
            pd.read_parquet(smk.input.people),
            dict(zip(countries, map(Path, smk.output.bcf), strict=True)),
            {country: folder / f"{country}.parquet" for country in countries},
        )


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
