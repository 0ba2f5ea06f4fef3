"""Write metadata of an export, one dataset per place."""

from pathlib import Path

import pandas as pd

from rehearsal import __version__
from rehearsal.catalogue.export_datasets import describe_export, write_metadata_files
from rehearsal.export.selection import load_people
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    export, consent = smk.params.export, pd.read_parquet(smk.input.consent)
    described = [
        describe_export(
            export,
            smk.params.number,
            place,
            smk.params.names,
            load_people(export, place, *smk.input.cohort)[0],
            consent,
            smk.params.blocks,
            smk.params.reference_year,
        )
        for place in export.places
    ]
    write_metadata_files(described, __version__, Path(smk.output.turtle).parent)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
