"""What is in an export, and the right answers to questions about it."""

from pathlib import Path

import pandas as pd

from rehearsal.files import written_aside
from rehearsal.logs import logged_to
from rehearsal.model import Block
from rehearsal.truth.known_answers import Facts, write_known_answers
from rehearsal.truth.subcohort import part_of

TABLES = ("diseases", "features", "measurements", "effects", "genetic_values")


def main(smk):
    people, carriers, patients = map(pd.read_parquet, smk.input.cohort)
    tables = {name: pd.read_parquet(smk.input[name]) for name in TABLES}
    facts = Facts(
        trees={Block.from_id(Path(path).stem): Path(path) for path in smk.input.trees},
        people=people,
        planted=smk.params.planted,
        carriers=carriers,
        part=part_of(smk.params.export, people, carriers, patients),
        **tables,
    )
    templates, seed = Path(smk.input.templates), smk.params.seed
    with written_aside(smk.output.folder) as folder:
        write_known_answers(facts, templates, seed, smk.params.reference_year, folder)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
