"""Compute the right answers to the stories' queries from the pooled cohort."""

from pathlib import Path

from rehearsal.files import write_json
from rehearsal.logs import log_to_file
from rehearsal.stories.expected import compute_answers
from rehearsal.stories.pooled_cohort import PooledCohort


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    cohort = PooledCohort(
        Path(smk.output.truth).parents[1],
        dict(zip(smk.params.blocks, map(Path, smk.input.trees), strict=True)),
        smk.params.genes,
        smk.params.variants,
        smk.params.reference_year,
    )
    expected = {story.name: compute_answers(story, cohort) for story in smk.params.stories}
    write_json(smk.output.truth, expected, newline=False)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
