"""Subjects, samples, runs and analyses of everybody, with the quality figures of their variants."""

import pandas as pd

from rehearsal.files import written_aside
from rehearsal.logs import logged_to
from rehearsal.model import InputError
from rehearsal.phenotypes.sequencing import sequencing_tables
from rehearsal.phenotypes.traits import read_traits
from rehearsal.phenotypes.variant_counts import add_up


def main(smk):
    people = pd.read_parquet(smk.input.people)
    sequencing = read_traits(smk.input.traits).sequencing
    if sequencing is None:
        raise InputError(smk.input.traits, "sequencing", "expected how people were sequenced")
    tables = sequencing_tables(
        people,
        add_up(map(pd.read_parquet, smk.input.counts), len(people)),
        sequencing,
        smk.params.seed,
        smk.params.reference_year,
    )
    for name in ("subjects", "biosamples", "runs", "analyses"):
        with written_aside(smk.output[name]) as path:
            getattr(tables, name).to_parquet(path)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
