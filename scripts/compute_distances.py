"""Compute the round-trip times between all capitals, and those from the asking capital."""

from pathlib import Path

from rehearsal.files import atomic_path
from rehearsal.logs import log_to_file
from rehearsal.network.distance import distances_from, read_bandwidths, read_distances, rtt_matrix


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    table = Path(smk.input.distances)
    pairs = rtt_matrix(smk.params.countries, read_distances(table), read_bandwidths(table))
    with atomic_path(smk.output.pairs) as path:
        pairs.to_parquet(path)
    with atomic_path(smk.output.distances) as path:
        distances_from(smk.params.asker, pairs).to_parquet(path)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
