"""Write the manifest of a run: the digests of all blocks and all other files."""

from pathlib import Path

import pandas as pd

from rehearsal.logs import log_to_file
from rehearsal.manifest import FileEntry, digest_files, files_below, write_manifest
from rehearsal.report.provenance import PACKAGES, versions


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    tables = map(pd.read_parquet, smk.input.digests)
    entries = [FileEntry(*row) for table in tables for row in table.itertuples(index=False)]
    others = files_below(file for file in smk.input if file not in set(smk.input.digests))
    entries += digest_files(Path(smk.output.manifest).parent, others, smk.threads)
    config = smk.params.config
    write_manifest(Path(smk.output.manifest), entries, config["seed"], config, versions(PACKAGES))


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
