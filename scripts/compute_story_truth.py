"""The right answers to the stories' questions, from the pooled cohort."""

from pathlib import Path

from rehearsal.files import write_json
from rehearsal.logs import logged_to
from rehearsal.stories.expected import truth_of
from rehearsal.stories.pooled_cohort import Cohort


def main(smk):
    cohort = Cohort(
        Path(smk.output.truth).parents[1],
        dict(zip(smk.params.blocks, map(Path, smk.input.trees), strict=True)),
        smk.params.genes,
        smk.params.variants,
        smk.params.reference_year,
    )
    truths = {story.name: truth_of(story, cohort) for story in smk.params.stories}
    write_json(smk.output.truth, truths, newline=False)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
