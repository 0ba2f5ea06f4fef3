"""Write scoring files of all polygenic diseases for an export."""

import pandas as pd

from rehearsal.export.scoring_files import write_scoring_file
from rehearsal.files import atomic_path
from rehearsal.formats.scoring_file import SUFFIX
from rehearsal.logs import log_to_file
from rehearsal.phenotypes.trait_reader import read_traits


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    effects = pd.read_parquet(smk.input.effects)
    diseases = {one.name: one for one in read_traits(smk.input.traits).diseases}
    with atomic_path(smk.output.folder) as folder:
        folder.mkdir()
        for name in smk.params.traits:
            write_scoring_file(effects, diseases[name], folder / f"{name}{SUFFIX}")


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
