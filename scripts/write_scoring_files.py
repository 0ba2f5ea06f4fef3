"""Write the files that every node gets: scoring files, and rules on drugs and genes."""

import shutil
from pathlib import Path

import pandas as pd

from rehearsal.export.scoring_files import write_scoring_file
from rehearsal.files import atomic_path
from rehearsal.logs import log_to_file
from rehearsal.phenotypes.trait_reader import read_traits


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    effects = pd.read_parquet(smk.input.effects)
    diseases = {one.name: one for one in read_traits(smk.input.traits).diseases}
    written = {}
    for trait, output in zip(smk.params.traits, smk.output.scores, strict=True):
        write_scoring_file(effects, diseases[trait], Path(output))
        written[Path(output).name] = output
    sources = {copy: written[Path(copy).name] for copy in smk.output.copies}
    sources |= dict.fromkeys(smk.output.drug_genes, smk.input.drug_genes)
    for copy, source in sources.items():
        with atomic_path(copy) as path:
            shutil.copyfile(source, path)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
