"""Compute the right answers of the federated analyses, for the nodes that took part."""

from pathlib import Path

import pandas as pd

from rehearsal.evaluation.analyses.right_answers import CohortFiles, RightAnswers, write_answers
from rehearsal.files import read_json, write_parquet
from rehearsal.logs import log_to_file
from rehearsal.truth.gene_consequences import GeneTruth


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    (plan,) = smk.params.plan
    names = "people", "measurements", "consent", "diseases"
    tables = (pd.read_parquet(smk.input[name]) for name in names)
    cohort = CohortFiles(
        dict(zip(smk.params.blocks, map(Path, smk.input.trees), strict=True)),
        *tables,
        GeneTruth.of_files(smk.input.transcripts, smk.params.gene_model, smk.input.reference),
        smk.params.reference_year,
    )
    right = RightAnswers(plan, cohort)
    write_parquet(smk.output.people, right.count_people())
    played = read_json(smk.input.played)
    steps = plan.steps(smk.params.genes, played["approving"])
    write_answers(right.compute(steps, played["present"]), Path(smk.output.answers))


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
