"""Judge the federated association study, and draw it beside the truth and a meta-analysis."""

import pandas as pd

from rehearsal.evaluation.analyses.findings import gwas_facts, gwas_table
from rehearsal.evaluation.analyses.judge import Judged, judge_regressions
from rehearsal.files import write_json, write_parquet
from rehearsal.logs import log_to_file
from rehearsal.phenotypes.trait_reader import read_traits
from rehearsal.report.figures.association import (
    manhattan_figure,
    methods_figure,
    quantile_figure,
)
from rehearsal.report.figures.rendering import save_still


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    (plan,) = smk.params.plan
    judged = Judged.read(plan, smk.params.genes, smk.input)
    outcome = plan.gwas["outcome"] if plan.gwas else ""
    traits = [one.name for one in read_traits(smk.input.traits).measurements if one.code == outcome]
    table = gwas_table(judged)
    facts = gwas_facts(table, pd.read_parquet(smk.input.effects), traits)
    rows = list(judge_regressions(judged, "gwas"))
    write_json(smk.output.judged, {"rows": rows, "facts": facts | {"outcome": outcome}})
    write_parquet(smk.output.table, table)
    save_still(manhattan_figure(table), smk.output.manhattan)
    save_still(quantile_figure(table), smk.output.quantiles)
    save_still(methods_figure(table), smk.output.methods)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
