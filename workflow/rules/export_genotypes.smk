# Needs: people, tree sequences, `exports` in the configuration.
# Makes: genotypes in results/exports/{name}/{place}/, where a place is a country or `pooled`; see docs/reference/export-formats.md.
# One job per country and contig; for tree sequences one per block, because blocks share no trees.


EXPORTED = f"{RESULTS}/exports/{{name}}/{{place}}"
# tables from which the people of an export are selected: all people, carriers of planted variants, patients of stories
COHORT = [
    rules.simulate_people.output.people,
    rules.simulate_phenotypes.output.carriers,
    rules.simulate_people.output.patients,
]


rule export_bcf:
    input:
        trees=trees_of_contig,
        cohort=COHORT,
        consequences=consequences_of_contig,
    output:
        bcf=f"{EXPORTED}/{{contig}}.bcf",
        csi=f"{EXPORTED}/{{contig}}.bcf.csi",
    log:
        f"{LOGS}/export_bcf/{{name}}/{{place}}/{{contig}}.log",
    benchmark:
        f"{BENCHMARKS}/export_bcf/{{name}}/{{place}}/{{contig}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("export_bcf"),
    params:
        **export_params("bcf"),
    message:
        "Export {wildcards.name}: {params.format} of {wildcards.place}, {wildcards.contig}"
    script:
        f"{SCRIPTS}/export_{{params.format}}.py"


use rule export_bcf as export_vcf with:
    output:
        vcf=f"{EXPORTED}/{{contig}}.vcf.gz",
        tbi=f"{EXPORTED}/{{contig}}.vcf.gz.tbi",
    log:
        f"{LOGS}/export_vcf/{{name}}/{{place}}/{{contig}}.log",
    benchmark:
        f"{BENCHMARKS}/export_vcf/{{name}}/{{place}}/{{contig}}.tsv"
    resources:
        **needs("export_vcf"),
    params:
        **export_params("vcf"),


use rule export_bcf as export_pgen with:
    input:
        trees=trees_of_contig,
        cohort=COHORT,
        consequences=consequences_of_contig,
        phenotypes=[
            rules.simulate_phenotypes.output.measurements,
            rules.simulate_phenotypes.output.diseases,
        ],
    output:
        pgen=f"{EXPORTED}/{{contig}}.pgen",
        pvar=f"{EXPORTED}/{{contig}}.pvar",
        match=f"{EXPORTED}/{{contig}}.match.pvar",
        psam=f"{EXPORTED}/{{contig}}.psam",
    log:
        f"{LOGS}/export_pgen/{{name}}/{{place}}/{{contig}}.log",
    benchmark:
        f"{BENCHMARKS}/export_pgen/{{name}}/{{place}}/{{contig}}.tsv"
    resources:
        **needs("export_pgen"),
    params:
        **export_params("pgen", reference_year=config["cohort"]["reference_year"]),


use rule export_bcf as export_zarr with:
    output:
        zarr=f"{EXPORTED}/{{contig}}.vcz.zip",
    log:
        f"{LOGS}/export_zarr/{{name}}/{{place}}/{{contig}}.log",
    benchmark:
        f"{BENCHMARKS}/export_zarr/{{name}}/{{place}}/{{contig}}.tsv"
    resources:
        **needs("export_zarr"),
    params:
        **export_params("zarr"),


use rule export_bcf as export_trees with:
    input:
        trees=[rules.simulate_block.output.trees],
        cohort=COHORT,
    output:
        trees=f"{EXPORTED}/{{block}}.tsz",
    log:
        f"{LOGS}/export_trees/{{name}}/{{place}}/{{block}}.log",
    benchmark:
        f"{BENCHMARKS}/export_trees/{{name}}/{{place}}/{{block}}.tsv"
    resources:
        **needs("export_trees"),
    params:
        **export_params("trees"),
    message:
        "Export {wildcards.name}: {params.format} of {wildcards.place}, {wildcards.block}"


use rule export_trees as export_grg with:
    output:
        grg=f"{EXPORTED}/{{block}}.grg",
    log:
        f"{LOGS}/export_grg/{{name}}/{{place}}/{{block}}.log",
    benchmark:
        f"{BENCHMARKS}/export_grg/{{name}}/{{place}}/{{block}}.tsv"
    resources:
        **needs("export_grg"),
    params:
        **export_params("grg"),


use rule export_bcf as export_reads with:
    input:
        fasta=rules.make_reference.output.fasta,
        indexes=REFERENCE_INDEXES,
        trees=trees_of_reads,
        cohort=COHORT,
    output:
        folder=directory(f"{EXPORTED}/reads"),
    log:
        f"{LOGS}/export_reads/{{name}}/{{place}}.log",
    benchmark:
        f"{BENCHMARKS}/export_reads/{{name}}/{{place}}.tsv"
    resources:
        **needs("export_reads"),
    params:
        **export_params("reads", seed=config["seed"]),
    message:
        "Export {wildcards.name}: {params.format} of {wildcards.place}"
