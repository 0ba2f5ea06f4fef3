"""Judge the federated regression of a disease."""

from rehearsal.evaluation.analyses.findings import logistic_facts
from rehearsal.evaluation.analyses.judge import Judged, judge_regressions
from rehearsal.files import write_json
from rehearsal.logs import log_to_file

KEYS = ("outcome", "covariates", "window", "least_frequency")  # of the plan, for the page


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    (plan,) = smk.params.plan
    judged = Judged.read(plan, smk.params.genes, smk.input)
    facts = {key: plan.logistic[key] if plan.logistic else "" for key in KEYS}
    rows = list(judge_regressions(judged, "logistic"))
    write_json(smk.output.judged, {"rows": rows, "facts": facts | logistic_facts(judged)})


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
