"""Draw the queries of the run from its cohort, and compute the right answers."""

from pathlib import Path

import pandas as pd

from rehearsal.evaluation.suite import QuerySources, draw_suite, write_suite
from rehearsal.evaluation.templates import read_templates
from rehearsal.logs import log_to_file
from rehearsal.seeds import derive_seed
from rehearsal.truth.expected_answers import write_expected_answers
from rehearsal.truth.gene_consequences import GeneTruth
from rehearsal.truth.query_answers import TruthCalculator
from rehearsal.truth.sources import TruthSources


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    trees = dict(zip(smk.params.blocks, map(Path, smk.input.trees), strict=True))
    people = pd.read_parquet(smk.input.people)
    diseases, features, consent = (
        pd.read_parquet(smk.input[name]) for name in ("diseases", "features", "consent")
    )
    measurements = pd.read_parquet(smk.input.measurements, columns=["individual", "code", "value"])
    suite = draw_suite(
        read_templates(Path(smk.input.templates)),
        QuerySources(
            sites=pd.concat(map(pd.read_parquet, smk.input.sites), ignore_index=True),
            planted=smk.params.variants,
            genes=smk.params.genes,
            people=people,
            diseases=diseases,
            features=features,
        ),
        derive_seed(smk.params.seed, "suite"),
    )
    own = GeneTruth.of_files(smk.input.transcripts, smk.params.gene_model, smk.input.reference)
    sources = TruthSources(
        *(trees, people, diseases, features, measurements, smk.params.genes, consent),
        gene_truth=own,
    )
    write_suite(suite, Path(smk.output.suite))
    write_expected_answers(TruthCalculator(sources).compute_answers(suite), Path(smk.output.truth))
    print(f"{len(suite)} queries")


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
