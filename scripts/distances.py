"""Round-trip times between the asking capital and every node."""

from rehearsal.files import written_aside
from rehearsal.logs import logged_to
from rehearsal.network.distance import distances_from


def main(smk):
    distances = distances_from(smk.params.asker, smk.params.countries, smk.input.distances)
    with written_aside(smk.output.distances) as path:
        distances.to_parquet(path)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
