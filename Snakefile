from snakemake.utils import min_version

min_version("9.0")


configfile: "config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
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
include: "workflow/rules/query.smk"
include: "workflow/rules/stories.smk"


if config["bench"]:

    include: "workflow/rules/bench.smk"


include: "workflow/rules/realism.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/manifest.smk"


rule all:
    default_target: True
    input:
        rules.check_verdict.output,
        rules.write_manifest.output,
        exported_files(),
        rules.write_ro_crate.output,


onstart:
    print(describe_run())


onsuccess:
    # not after --until an earlier rule
    if os.path.exists(f"{RESULTS}/report/index.html"):
        print(f"The report: {RESULTS}/report/index.html")
