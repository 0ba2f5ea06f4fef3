"""Judge the federated gene burden."""

from rehearsal.evaluation.analyses.findings import burden_table
from rehearsal.evaluation.analyses.judge import Judged, judge_regressions
from rehearsal.files import atomic_path, write_json
from rehearsal.logs import log_to_file

KEYS = ("outcome", "weights", "consequences", "largest_frequency")  # of the plan, for the page


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    (plan,) = smk.params.plan
    judged = Judged.read(plan, smk.params.genes, smk.input)
    rows, table = list(judge_regressions(judged, "burden")), burden_table(judged)
    facts = {key: plan.burden[key] if plan.burden else "" for key in KEYS}
    write_json(smk.output.judged, {"rows": rows, "facts": facts})
    with atomic_path(smk.output.table) as path:
        table.to_csv(path, sep="\t", index=False)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
