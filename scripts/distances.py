"""Round-trip times between the asking capital and every node."""

from pathlib import Path

from rehearsal.files import written_aside
from rehearsal.logs import logged_to
from rehearsal.network.distance import distances_from


def main(smk):
    seen = distances_from(smk.params.asker, smk.params.countries, Path(smk.input.distances))
    with written_aside(smk.output.distances) as path:
        seen.to_parquet(path)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
