"""The right answers to the stories' questions, from the pooled cohort."""

from pathlib import Path

import orjson

from rehearsal.files import written_aside
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
    with written_aside(smk.output.truth) as path:
        path.write_bytes(orjson.dumps(truths, option=orjson.OPT_INDENT_2))


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
