# Needs: people, their phenotypes, `exports` in the configuration.
# Makes: phenotypes, and files that join them with genotypes, in results/exports/{name}/{place}/; see docs/reference/export-formats.md.


YEAR = config["cohort"]["reference_year"]


rule export_phenopackets:
    input:
        cohort=COHORT,
        tables=[
            rules.simulate_phenotypes.output.diseases,
            rules.simulate_phenotypes.output.measurements,
            rules.simulate_phenotypes.output.features,
            rules.simulate_phenotypes.output.excluded_features,
            rules.simulate_phenotypes.output.candidate_genes,
            rules.simulate_phenotypes.output.exposures,
            rules.simulate_phenotypes.output.treatments,
            rules.simulate_phenotypes.output.missing,
            rules.simulate_sample_metadata.output.subjects,
            rules.simulate_sample_metadata.output.biosamples,
        ],
        traits=local(config["traits"]),
    output:
        people=f"{EXPORTED}/phenopackets.jsonl.gz",
        families=f"{EXPORTED}/families.jsonl.gz",
    log:
        f"{LOGS}/export_phenopackets/{{name}}/{{place}}.log",
    benchmark:
        f"{BENCHMARKS}/export_phenopackets/{{name}}/{{place}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("export_phenopackets"),
    params:
        **export_params("phenopackets", reference_year=YEAR),
    message:
        "Export {wildcards.name}: {params.format} of {wildcards.place}"
    script:
        f"{SCRIPTS}/export_{{params.format}}.py"


use rule export_phenopackets as export_fhir with:
    input:
        cohort=COHORT,
        tables=[
            rules.simulate_phenotypes.output.diseases,
            rules.simulate_phenotypes.output.measurements,
            rules.simulate_phenotypes.output.features,
            rules.simulate_phenotypes.output.excluded_features,
            rules.simulate_phenotypes.output.exposures,
            rules.simulate_phenotypes.output.treatments,
            rules.simulate_phenotypes.output.missing,
            rules.simulate_sample_metadata.output.subjects,
        ],
    output:
        people=f"{EXPORTED}/fhir.jsonl.gz",
    log:
        f"{LOGS}/export_fhir/{{name}}/{{place}}.log",
    benchmark:
        f"{BENCHMARKS}/export_fhir/{{name}}/{{place}}.tsv"
    resources:
        **needs("export_fhir"),
    params:
        **export_params("fhir", reference_year=YEAR),


use rule export_phenopackets as export_tables with:
    input:
        cohort=COHORT,
        tables=[
            rules.simulate_phenotypes.output.diseases,
            rules.simulate_phenotypes.output.measurements,
            rules.simulate_phenotypes.output.features,
            rules.simulate_phenotypes.output.exposures,
            rules.simulate_phenotypes.output.treatments,
            rules.simulate_phenotypes.output.missing,
        ],
    output:
        folder=directory(f"{EXPORTED}/tables"),
    log:
        f"{LOGS}/export_tables/{{name}}/{{place}}.log",
    benchmark:
        f"{BENCHMARKS}/export_tables/{{name}}/{{place}}.tsv"
    resources:
        **needs("export_tables"),
    params:
        **export_params("tables"),


use rule export_phenopackets as export_omop with:
    input:
        cohort=COHORT,
        tables=[
            rules.simulate_phenotypes.output.diseases,
            rules.simulate_phenotypes.output.measurements,
            rules.simulate_phenotypes.output.features,
            rules.simulate_phenotypes.output.exposures,
            rules.simulate_phenotypes.output.treatments,
            rules.simulate_sample_metadata.output.subjects,
        ],
    output:
        folder=directory(f"{EXPORTED}/omop"),
    log:
        f"{LOGS}/export_omop/{{name}}/{{place}}.log",
    benchmark:
        f"{BENCHMARKS}/export_omop/{{name}}/{{place}}.tsv"
    resources:
        **needs("export_omop"),
    params:
        **export_params("omop", reference_year=YEAR),


use rule export_phenopackets as export_beacon with:
    input:
        cohort=COHORT,
        tables=[
            rules.simulate_phenotypes.output.diseases,
            rules.simulate_phenotypes.output.measurements,
            rules.simulate_phenotypes.output.features,
            rules.simulate_phenotypes.output.exposures,
            rules.simulate_phenotypes.output.treatments,
            rules.simulate_sample_metadata.output.biosamples,
            rules.simulate_sample_metadata.output.runs,
            rules.simulate_sample_metadata.output.analyses,
        ],
        trees=trees_of_export,
    output:
        folder=directory(f"{EXPORTED}/beacon"),
    log:
        f"{LOGS}/export_beacon/{{name}}/{{place}}.log",
    benchmark:
        f"{BENCHMARKS}/export_beacon/{{name}}/{{place}}.tsv"
    resources:
        **needs("export_beacon"),
    params:
        **export_params("beacon", reference_year=YEAR),


use rule export_phenopackets as export_gwas with:
    input:
        cohort=COHORT,
        tables=[
            rules.simulate_phenotypes.output.diseases,
            rules.simulate_phenotypes.output.measurements,
        ],
        effects=rules.simulate_phenotypes.output.effects,
        trees=trees_of_export,
    output:
        folder=directory(f"{EXPORTED}/gwas"),
    log:
        f"{LOGS}/export_gwas/{{name}}/{{place}}.log",
    benchmark:
        f"{BENCHMARKS}/export_gwas/{{name}}/{{place}}.tsv"
    resources:
        **needs("export_gwas"),
    params:
        **export_params("gwas", reference_year=YEAR),


use rule export_phenopackets as export_scores with:
    input:
        effects=rules.simulate_phenotypes.output.effects,
        traits=local(config["traits"]),
    output:
        folder=directory(f"{EXPORTED}/scores"),
    log:
        f"{LOGS}/export_scores/{{name}}/{{place}}.log",
    benchmark:
        f"{BENCHMARKS}/export_scores/{{name}}/{{place}}.tsv"
    resources:
        **needs("export_scores"),
    params:
        **export_params("scores", traits=INPUTS.scored),
