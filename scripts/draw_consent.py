"""Draw what each person permits."""

from pathlib import Path

import pandas as pd

from rehearsal.files import atomic_path
from rehearsal.logs import log_to_file
from rehearsal.phenotypes.consent import draw_consent, read_consent


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    people = pd.read_parquet(smk.input.people)
    ids = pd.read_parquet(smk.input.patients).set_index(["story", "handle"])["individual"]
    overrides = {
        ids[one.story, one.handle]: one.consent
        for one in smk.params.patients
        if one.consent is not None
    }
    drawn = draw_consent(people, read_consent(Path(smk.input.shares)), smk.params.seed, overrides)
    with atomic_path(smk.output.consent) as path:
        drawn.to_parquet(path)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
