# Needs: people, tree sequences, phenotypes; what `exports` in the configuration asks for.
# Makes: results/exports/{name}/{place}/..., a place being a country or `pooled`; see docs/formats.md;
# results/exports/{name}/truth/, what is in them and the right answers to questions about it; their metadata beside.
# One job a country and contig; tree sequences one a block, for blocks share no trees.


EXPORTED = f"{RESULTS}/exports/{{name}}/{{place}}"
# what an export's people are chosen from: everybody, carriers of planted variants, patients of stories
COHORT = [
    rules.simulate_people.output.people,
    rules.simulate_phenotypes.output.carriers,
    rules.simulate_people.output.patients,
]


rule export_bcf:
    input:
        trees=trees_of_contig,
        cohort=COHORT,
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
        mem_mb=memory_for(4, base_mb=1000),
        runtime=240,
    params:
        code=code_digest("export_bcf.py"),
        export=export_of,
    message:
        "Export {wildcards.name}: BCF of {wildcards.place}, {wildcards.contig}"
    script:
        f"{SCRIPTS}/export_bcf.py"


rule export_vcf:
    input:
        trees=trees_of_contig,
        cohort=COHORT,
    output:
        vcf=f"{EXPORTED}/{{contig}}.vcf.gz",
        tbi=f"{EXPORTED}/{{contig}}.vcf.gz.tbi",
    log:
        f"{LOGS}/export_vcf/{{name}}/{{place}}/{{contig}}.log",
    benchmark:
        f"{BENCHMARKS}/export_vcf/{{name}}/{{place}}/{{contig}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(4, base_mb=1000),
        runtime=240,
    params:
        code=code_digest("export_vcf.py"),
        export=export_of,
    message:
        "Export {wildcards.name}: VCF of {wildcards.place}, {wildcards.contig}"
    script:
        f"{SCRIPTS}/export_vcf.py"


rule export_pgen:
    input:
        trees=trees_of_contig,
        cohort=COHORT,
        phenotypes=[
            rules.simulate_phenotypes.output.measurements,
            rules.simulate_phenotypes.output.diseases,
        ],
    output:
        pgen=f"{EXPORTED}/{{contig}}.pgen",
        pvar=f"{EXPORTED}/{{contig}}.pvar",
        psam=f"{EXPORTED}/{{contig}}.psam",
    log:
        f"{LOGS}/export_pgen/{{name}}/{{place}}/{{contig}}.log",
    benchmark:
        f"{BENCHMARKS}/export_pgen/{{name}}/{{place}}/{{contig}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(4, base_mb=1000),
        runtime=240,
    params:
        code=code_digest("export_pgen.py"),
        export=export_of,
    message:
        "Export {wildcards.name}: PGEN of {wildcards.place}, {wildcards.contig}"
    script:
        f"{SCRIPTS}/export_pgen.py"


rule export_zarr:
    input:
        trees=trees_of_contig,
        cohort=COHORT,
    output:
        zarr=f"{EXPORTED}/{{contig}}.vcz.zip",
    log:
        f"{LOGS}/export_zarr/{{name}}/{{place}}/{{contig}}.log",
    benchmark:
        f"{BENCHMARKS}/export_zarr/{{name}}/{{place}}/{{contig}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(8, base_mb=1000),
        runtime=240,
    params:
        code=code_digest("export_zarr.py"),
        export=export_of,
    message:
        "Export {wildcards.name}: VCF Zarr of {wildcards.place}, {wildcards.contig}"
    script:
        f"{SCRIPTS}/export_zarr.py"


rule export_trees:
    input:
        trees=[rules.simulate_block.output.trees],
        cohort=COHORT,
    output:
        trees=f"{EXPORTED}/{{block}}.tsz",
    log:
        f"{LOGS}/export_trees/{{name}}/{{place}}/{{block}}.log",
    benchmark:
        f"{BENCHMARKS}/export_trees/{{name}}/{{place}}/{{block}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(4, base_mb=1000),
        runtime=240,
    params:
        code=code_digest("export_trees.py"),
        export=export_of,
    message:
        "Export {wildcards.name}: tree sequence of {wildcards.place}, {wildcards.block}"
    script:
        f"{SCRIPTS}/export_trees.py"


rule export_grg:
    input:
        trees=[rules.simulate_block.output.trees],
        cohort=COHORT,
    output:
        grg=f"{EXPORTED}/{{block}}.grg",
    log:
        f"{LOGS}/export_grg/{{name}}/{{place}}/{{block}}.log",
    benchmark:
        f"{BENCHMARKS}/export_grg/{{name}}/{{place}}/{{block}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(4, base_mb=1000),
        runtime=240,
    params:
        code=code_digest("export_grg.py"),
        export=export_of,
    message:
        "Export {wildcards.name}: GRG of {wildcards.place}, {wildcards.block}"
    script:
        f"{SCRIPTS}/export_grg.py"


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
            rules.simulate_sequencing.output.subjects,
            rules.simulate_sequencing.output.biosamples,
        ],
        traits=config["traits"],
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
        mem_mb=memory_for(6, base_mb=1000),
        runtime=120,
    params:
        code=code_digest("export_phenopackets.py"),
        export=export_of,
        reference_year=config["cohort"]["reference_year"],
    message:
        "Export {wildcards.name}: phenopackets of {wildcards.place}"
    script:
        f"{SCRIPTS}/export_phenopackets.py"


rule export_tables:
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
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(6, base_mb=1000),
        runtime=120,
    params:
        code=code_digest("export_tables.py"),
        export=export_of,
    message:
        "Export {wildcards.name}: phenotypes of {wildcards.place}"
    script:
        f"{SCRIPTS}/export_tables.py"


rule export_omop:
    input:
        cohort=COHORT,
        tables=[
            rules.simulate_phenotypes.output.diseases,
            rules.simulate_phenotypes.output.measurements,
            rules.simulate_phenotypes.output.features,
            rules.simulate_phenotypes.output.exposures,
            rules.simulate_phenotypes.output.treatments,
            rules.simulate_sequencing.output.subjects,
        ],
    output:
        folder=directory(f"{EXPORTED}/omop"),
    log:
        f"{LOGS}/export_omop/{{name}}/{{place}}.log",
    benchmark:
        f"{BENCHMARKS}/export_omop/{{name}}/{{place}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(6, base_mb=1000),
        runtime=120,
    params:
        code=code_digest("export_omop.py"),
        export=export_of,
        reference_year=config["cohort"]["reference_year"],
    message:
        "Export {wildcards.name}: OMOP tables of {wildcards.place}"
    script:
        f"{SCRIPTS}/export_omop.py"


rule export_beacon:
    input:
        cohort=COHORT,
        tables=[
            rules.simulate_phenotypes.output.diseases,
            rules.simulate_phenotypes.output.measurements,
            rules.simulate_phenotypes.output.features,
            rules.simulate_phenotypes.output.exposures,
            rules.simulate_phenotypes.output.treatments,
            rules.simulate_sequencing.output.biosamples,
            rules.simulate_sequencing.output.runs,
            rules.simulate_sequencing.output.analyses,
        ],
        trees=trees_of_export,
    output:
        folder=directory(f"{EXPORTED}/beacon"),
    log:
        f"{LOGS}/export_beacon/{{name}}/{{place}}.log",
    benchmark:
        f"{BENCHMARKS}/export_beacon/{{name}}/{{place}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(6, base_mb=1000),
        runtime=120,
    params:
        code=code_digest("export_beacon.py"),
        export=export_of,
        reference_year=config["cohort"]["reference_year"],
    message:
        "Export {wildcards.name}: Beacon documents of {wildcards.place}"
    script:
        f"{SCRIPTS}/export_beacon.py"


rule export_gwas:
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
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(6, base_mb=1000),
        runtime=120,
    params:
        code=code_digest("export_gwas.py"),
        export=export_of,
        reference_year=config["cohort"]["reference_year"],
    message:
        "Export {wildcards.name}: summary statistics of {wildcards.place}"
    script:
        f"{SCRIPTS}/export_gwas.py"


rule export_scores:
    input:
        effects=rules.simulate_phenotypes.output.effects,
        traits=config["traits"],
    output:
        folder=directory(f"{EXPORTED}/scores"),
    log:
        f"{LOGS}/export_scores/{{name}}/{{place}}.log",
    benchmark:
        f"{BENCHMARKS}/export_scores/{{name}}/{{place}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=1000,
        runtime=30,
    params:
        code=code_digest("export_scores.py"),
        traits=INPUTS.scored,
    message:
        "Export {wildcards.name}: scoring files for {wildcards.place}"
    script:
        f"{SCRIPTS}/export_scores.py"


rule export_reads:
    input:
        **(
            {"fasta": config["genome"]["reference_fasta"]}
            if config["genome"]["reference_fasta"]
            else {}
        ),
        trees=trees_of_reads,
        cohort=COHORT,
    output:
        folder=directory(f"{EXPORTED}/reads"),
    log:
        f"{LOGS}/export_reads/{{name}}/{{place}}.log",
    benchmark:
        f"{BENCHMARKS}/export_reads/{{name}}/{{place}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(4, base_mb=3000),
        runtime=240,
    params:
        code=code_digest("export_reads.py"),
        export=export_of,
        seed=config["seed"],
    message:
        "Export {wildcards.name}: reads of {wildcards.place}"
    script:
        f"{SCRIPTS}/export_reads.py"


rule export_truth:
    input:
        trees=trees_of_export,
        cohort=COHORT,
        diseases=rules.simulate_phenotypes.output.diseases,
        features=rules.simulate_phenotypes.output.features,
        measurements=rules.simulate_phenotypes.output.measurements,
        effects=rules.simulate_phenotypes.output.effects,
        genetic_values=rules.simulate_phenotypes.output.genetic_values,
        templates=f"{ROOT}/config/dataset_queries.yaml",
    output:
        folder=directory(f"{RESULTS}/exports/{{name}}/truth"),
    log:
        f"{LOGS}/export_truth/{{name}}.log",
    benchmark:
        f"{BENCHMARKS}/export_truth/{{name}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(20),
        runtime=240,
    params:
        code=code_digest("export_truth.py"),
        export=export_of,
        planted=INPUTS.planted,
        seed=config["seed"],
        reference_year=config["cohort"]["reference_year"],
    message:
        "Export {wildcards.name}: the truth about it"
    script:
        f"{SCRIPTS}/export_truth.py"


rule export_catalogue:
    input:
        cohort=COHORT,
        consent=rules.draw_consent.output.consent,
    output:
        turtle=f"{RESULTS}/exports/{{name}}/catalogue.ttl",
        json_ld=f"{RESULTS}/exports/{{name}}/catalogue.jsonld",
        datasets=f"{RESULTS}/exports/{{name}}/datasets.json",
    log:
        f"{LOGS}/export_catalogue/{{name}}.log",
    benchmark:
        f"{BENCHMARKS}/export_catalogue/{{name}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(4),
        runtime=10,
    params:
        code=code_digest("export_catalogue.py"),
        export=export_of,
        number=lambda wildcards: list(EXPORTS).index(wildcards.name) + 1,
        names={country.code: country.name for country in INPUTS.countries},
        blocks=INPUTS.blocks,
        reference_year=config["cohort"]["reference_year"],
    message:
        "Export {wildcards.name}: metadata"
    script:
        f"{SCRIPTS}/export_catalogue.py"


rule encrypt_export_file:
    input:
        file=f"{EXPORTED}/{{file}}",
        recipients=recipients_of,
    output:
        encrypted=f"{EXPORTED}/{{file}}.c4gh",
    log:
        f"{LOGS}/encrypt_export_file/{{name}}/{{place}}/{{file}}.log",
    benchmark:
        f"{BENCHMARKS}/encrypt_export_file/{{name}}/{{place}}/{{file}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=500,
        runtime=120,
    params:
        code=code_digest("encrypt_export_file.py"),
    message:
        "Export {wildcards.name}: {wildcards.place}/{wildcards.file} encrypted"
    script:
        f"{SCRIPTS}/encrypt_export_file.py"


rule encrypt_export_folder:
    input:
        folder=f"{RESULTS}/exports/{{name}}/{{folder}}",
        recipients=recipients_of,
    output:
        encrypted=directory(f"{RESULTS}/exports/{{name}}/{{folder}}.c4gh"),
    log:
        f"{LOGS}/encrypt_export_folder/{{name}}/{{folder}}.log",
    benchmark:
        f"{BENCHMARKS}/encrypt_export_folder/{{name}}/{{folder}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=500,
        runtime=120,
    params:
        code=code_digest("encrypt_export_folder.py"),
    message:
        "Export {wildcards.name}: {wildcards.folder} encrypted, each of its files"
    script:
        f"{SCRIPTS}/encrypt_export_folder.py"


rule list_encrypted_files:
    input:
        encrypted=encrypted_files,
    output:
        listing=f"{RESULTS}/exports/{{name}}/encrypted.tsv",
    log:
        f"{LOGS}/list_encrypted_files/{{name}}.log",
    benchmark:
        f"{BENCHMARKS}/list_encrypted_files/{{name}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=300,
        runtime=10,
    params:
        code=code_digest("list_encrypted_files.py"),
    message:
        "Export {wildcards.name}: plain files are removed"
    script:
        f"{SCRIPTS}/list_encrypted_files.py"
