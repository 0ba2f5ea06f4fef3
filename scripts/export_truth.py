"""Write the facts about an export, and the right answers to queries about it."""

from pathlib import Path

import pandas as pd

from rehearsal.evaluation.known_answers import write_known_answers
from rehearsal.files import atomic_path
from rehearsal.logs import log_to_file
from rehearsal.model import Block
from rehearsal.truth.sources import TruthSources
from rehearsal.truth.subcohort import select_subcohort
from rehearsal.truth.subcohort_facts import SubcohortFacts

CLINICAL = ("diseases", "features", "measurements")
DRAWN = ("effects", "genetic_values", "untreated_values")


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    people, carriers, patients = map(pd.read_parquet, smk.input.cohort)
    tables = {name: pd.read_parquet(smk.input[name]) for name in (*CLINICAL, *DRAWN)}
    trees = {Block.from_id(Path(path).stem): Path(path) for path in smk.input.trees}
    facts = SubcohortFacts(
        TruthSources(trees, people, *(tables[name] for name in CLINICAL)),
        smk.params.planted,
        carriers,
        *(tables[name] for name in DRAWN),
        select_subcohort(smk.params.export, people, carriers, patients),
    )
    templates, seed = Path(smk.input.templates), smk.params.seed
    with atomic_path(smk.output.folder) as folder:
        write_known_answers(facts, templates, seed, smk.params.reference_year, folder)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
