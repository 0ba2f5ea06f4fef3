"""Write the report page, its machine-readable summary, and figures for Snakemake's report."""

from pathlib import Path

from rehearsal.files import read_json
from rehearsal.logs import log_to_file
from rehearsal.manifest import config_digest
from rehearsal.policy.labels import read_labels
from rehearsal.report.html_report import write_report
from rehearsal.report.policy_files import read_policy
from rehearsal.report.provenance import run_facts, stage_times
from rehearsal.report.run_files import read_findings, read_tables, write_files
from rehearsal.report.sheet_files import write_sheets
from rehearsal.report.summary import FederatedAnswers, build_summary, cohort_facts


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    config, files = smk.params.config, dict(smk.input.items())
    tables = read_tables(
        files, smk.params.countries, config["network"]["asker"], smk.params.variants, config["seed"]
    )
    conditions = read_json(smk.input.conditions)
    stages = stage_times(smk.params.benchmarks)
    summary = build_summary(
        run_facts(config["seed"], config_digest(config), stages, conditions),
        cohort_facts(tables.people, tables.spectrum.attrs["variants"], len(smk.params.blocks)),
        FederatedAnswers(tables.answers, tables.codes, config["network"]["deadline_s"]),
        read_findings(files, tables, conditions["audit"]),
        read_policy(files, tables, conditions, smk.params.blocks, config["seed"]),
    )
    folder = Path(smk.output.page).parent
    write_report(folder, summary, tables)
    write_sheets(folder, summary, read_labels(Path(smk.input.labels)))
    write_files(dict(smk.output.items()), summary, tables)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
