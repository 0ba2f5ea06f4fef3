"""Round-trip times between the asking capital and every node."""

from pathlib import Path

from rehearsal.files import written_aside
from rehearsal.logs import logged_to
from rehearsal.network.distance import read_distances, rtt_matrix


def main(smk):
    matrix = rtt_matrix(smk.params.countries, read_distances(Path(smk.input.distances)))
    seen = matrix[matrix["asker"] == smk.params.asker].reset_index(drop=True)
    with written_aside(smk.output.distances) as path:
        seen.to_parquet(path)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
