"""Round-trip times between all capitals, and those of the asking one apart."""

from pathlib import Path

from rehearsal.files import written_aside
from rehearsal.logs import logged_to
from rehearsal.network.distance import distances_from, read_bandwidths, read_distances, rtt_matrix


def main(smk):
    table = Path(smk.input.distances)
    pairs = rtt_matrix(smk.params.countries, read_distances(table), read_bandwidths(table))
    with written_aside(smk.output.pairs) as path:
        pairs.to_parquet(path)
    with written_aside(smk.output.distances) as path:
        distances_from(smk.params.asker, pairs).to_parquet(path)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
