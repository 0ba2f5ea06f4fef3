"""Judge the nodes that took part and the federated principal components, and draw them."""

from rehearsal.evaluation.analyses.findings import component_table
from rehearsal.evaluation.analyses.judge import Judged, judge_components, judge_nodes
from rehearsal.files import write_json, write_parquet
from rehearsal.logs import log_to_file
from rehearsal.report.figures.components import components_figure
from rehearsal.report.figures.rendering import save_still


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    (plan,) = smk.params.plan
    judged = Judged.read(plan, smk.params.genes, smk.input)
    rows = [*judge_nodes(judged), *judge_components(judged)]
    table = component_table(judged)
    write_json(smk.output.judged, {"rows": rows, "facts": table.attrs})
    write_parquet(smk.output.components, table)
    save_still(components_figure(table, smk.params.countries), smk.output.figure)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
