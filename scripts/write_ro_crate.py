"""Write the metadata of the results as a research object crate."""

import json
from pathlib import Path

from rehearsal.catalogue.ro_crate import write_crate
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    manifest = json.loads(Path(smk.input.manifest).read_text())
    write_crate(Path(smk.output.crate), manifest, smk.params.title, smk.params.reference_year)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
