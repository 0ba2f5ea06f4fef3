from snakemake.utils import min_version

min_version("9.0")


configfile: "config/config.yaml"


# of all rules, with --software-deployment-method apptainer; the Dockerfile says how to make it
container: f"{workflow.current_basedir}/rehearsal.sif"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/inputs.smk"
include: "workflow/rules/simulate.smk"
include: "workflow/rules/phenotype.smk"
include: "workflow/rules/access.smk"
include: "workflow/rules/shard.smk"
include: "workflow/rules/export_genotypes.smk"
include: "workflow/rules/export_phenotypes.smk"
include: "workflow/rules/export_delivery.smk"
include: "workflow/rules/serve.smk"
include: "workflow/rules/privacy.smk"
include: "workflow/rules/catalogue.smk"
include: "workflow/rules/stories.smk"
include: "workflow/rules/care.smk"
include: "workflow/rules/query.smk"


if config["analyses"]:

    include: "workflow/rules/analyses.smk"


if config["bench"]:

    include: "workflow/rules/bench.smk"


include: "workflow/rules/realism.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/manifest.smk"
include: "workflow/rules/targets.smk"


# Targets. Each asks for every file that docs/reference/files.md promises of its part: a deleted one is made again.


rule all:
    default_target: True
    input:
        dataset_files,
        exported_files(),
        federation_files,
        analysis_files,
        bench_files,
        report_files,
    message:
        "Every file of the run is there"


rule dataset:
    input:
        dataset_files,
    message:
        "The people, genomes and phenotypes are there"


rule exports:
    input:
        exported_files(),
    message:
        (
            "The exports are there"
            if EXPORTS
            else "There is nothing to export: the configuration has no exports"
        )


rule federation:
    input:
        federation_files,
    message:
        "The nodes, queries and answers are there"


rule analyses:
    input:
        analysis_files,
    message:
        (
            "The federated analyses are there"
            if config["analyses"]
            else "There is nothing to analyse: analyses is null in the configuration"
        )


rule bench:
    input:
        bench_files,
    message:
        (
            "The measurements are there"
            if config["bench"]
            else "There is nothing to measure: bench is null in the configuration"
        )


rule report:
    input:
        report_files,
    message:
        "The pages and the verdict are there"


onstart:
    print(describe_run())
    put_old_report_away()


onsuccess:
    print(page_line(), end="")


onerror:
    TERMINAL.tell_failures()
    # which is of this run
    if TERMINAL.failed("check_verdict"):
        print(f"The page: {rules.build_report.output.page}")
