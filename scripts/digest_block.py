"""Compute digests of a block's trees and of its files in all nodes' folders."""

from dataclasses import asdict
from pathlib import Path

import pandas as pd

from rehearsal.files import atomic_path
from rehearsal.logs import log_to_file
from rehearsal.manifest import digest_files


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    nodes, name = Path(smk.input.bcf[0]).parents[2], Path(smk.input.bcf[0]).name
    genomes = [nodes / country / "genomes" / name for country in smk.params.countries]
    files = [Path(smk.input.trees), *genomes]
    entries = digest_files(Path(smk.output.digests).parents[1], files)
    with atomic_path(smk.output.digests) as path:
        pd.DataFrame(map(asdict, entries)).to_parquet(path)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
