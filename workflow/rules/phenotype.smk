# Needs: the people and the tree sequences of the blocks.
# Makes: effects and genetic values (truth), planted carriers (truth), the clinical records of all people,
# samples, runs and analyses, and the phenopackets in each node's folder.


rule compute_genetic_values:
    input:
        trees=rules.simulate_block.output.trees,
        consequences=rules.simulate_block.output.consequences,
        people=rules.simulate_people.output.people,
        patients=rules.simulate_people.output.patients,
        traits=local(config["traits"]),
    output:
        effects=temp(f"{RESULTS}/phenotypes/blocks/{{block}}.effects.parquet"),
        values=temp(f"{RESULTS}/phenotypes/blocks/{{block}}.values.parquet"),
        carriers=temp(f"{RESULTS}/phenotypes/blocks/{{block}}.carriers.parquet"),
        damaged=temp(f"{RESULTS}/phenotypes/blocks/{{block}}.damaged.parquet"),
    log:
        f"{LOGS}/compute_genetic_values/{{block}}.log",
    benchmark:
        f"{BENCHMARKS}/compute_genetic_values/{{block}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("compute_genetic_values"),
    params:
        code=code_digest("compute_genetic_values.py"),
        block=lambda wildcards: BLOCKS[wildcards.block],
        blocks=RecordedByDigest(INPUTS.blocks),
        variants=RecordedByDigest(INPUTS.planted),
        patients=RecordedByDigest(INPUTS.patients),
        seed=config["seed"],
    message:
        "Genetic values of {wildcards.block}"
    script:
        f"{SCRIPTS}/compute_genetic_values.py"


rule simulate_phenotypes:
    input:
        people=rules.simulate_people.output.people,
        patients=rules.simulate_people.output.patients,
        effects=every_block(rules.compute_genetic_values.output.effects),
        values=every_block(rules.compute_genetic_values.output.values),
        carriers=every_block(rules.compute_genetic_values.output.carriers),
        damaged=every_block(rules.compute_genetic_values.output.damaged),
        traits=local(config["traits"]),
    output:
        diseases=f"{RESULTS}/phenotypes/diseases.parquet",
        measurements=f"{RESULTS}/phenotypes/measurements.parquet",
        features=f"{RESULTS}/phenotypes/features.parquet",
        exposures=f"{RESULTS}/phenotypes/exposures.parquet",
        treatments=f"{RESULTS}/phenotypes/treatments.parquet",
        missing=f"{RESULTS}/phenotypes/missing.parquet",
        excluded_features=f"{RESULTS}/phenotypes/excluded_features.parquet",
        candidate_genes=f"{RESULTS}/phenotypes/candidate_genes.parquet",
        tumour_variants=f"{RESULTS}/phenotypes/tumour_variants.parquet",
        family_history=f"{RESULTS}/phenotypes/family_history.parquet",
        effects=f"{RESULTS}/truth/effects.parquet",
        genetic_values=f"{RESULTS}/truth/genetic_values.parquet",
        untreated_values=f"{RESULTS}/truth/untreated_values.parquet",
        carriers=f"{RESULTS}/truth/planted_carriers.parquet",
    log:
        f"{LOGS}/simulate_phenotypes.log",
    benchmark:
        f"{BENCHMARKS}/simulate_phenotypes.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("simulate_phenotypes"),
    params:
        code=code_digest("simulate_phenotypes.py"),
        blocks=RecordedByDigest(INPUTS.blocks),
        patients=RecordedByDigest(INPUTS.patients),
        seed=config["seed"],
        reference_year=config["cohort"]["reference_year"],
    message:
        "Phenotypes: traits, diseases, treatments, family history"
    script:
        f"{SCRIPTS}/simulate_phenotypes.py"


rule count_variants:
    input:
        trees=rules.simulate_block.output.trees,
    output:
        counts=temp(f"{RESULTS}/phenotypes/blocks/{{block}}.counts.parquet"),
    log:
        f"{LOGS}/count_variants/{{block}}.log",
    benchmark:
        f"{BENCHMARKS}/count_variants/{{block}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("count_variants"),
    params:
        code=code_digest("count_variants.py"),
    message:
        "Variants per person in {wildcards.block}"
    script:
        f"{SCRIPTS}/count_variants.py"


rule simulate_sample_metadata:
    input:
        people=rules.simulate_people.output.people,
        counts=every_block(rules.count_variants.output.counts, AUTOSOMES),
        traits=local(config["traits"]),
    output:
        subjects=f"{RESULTS}/phenotypes/subjects.parquet",
        biosamples=f"{RESULTS}/phenotypes/biosamples.parquet",
        runs=f"{RESULTS}/phenotypes/runs.parquet",
        analyses=f"{RESULTS}/phenotypes/analyses.parquet",
    log:
        f"{LOGS}/simulate_sample_metadata.log",
    benchmark:
        f"{BENCHMARKS}/simulate_sample_metadata.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("simulate_sample_metadata"),
    params:
        code=code_digest("simulate_sample_metadata.py"),
        seed=config["seed"],
        reference_year=config["cohort"]["reference_year"],
    message:
        "Samples, sequencing runs and analyses"
    script:
        f"{SCRIPTS}/simulate_sample_metadata.py"


rule write_phenopackets:
    input:
        people=rules.simulate_people.output.people,
        carriers=rules.simulate_phenotypes.output.carriers,
        diseases=rules.simulate_phenotypes.output.diseases,
        measurements=rules.simulate_phenotypes.output.measurements,
        features=rules.simulate_phenotypes.output.features,
        excluded_features=rules.simulate_phenotypes.output.excluded_features,
        candidate_genes=rules.simulate_phenotypes.output.candidate_genes,
        exposures=rules.simulate_phenotypes.output.exposures,
        treatments=rules.simulate_phenotypes.output.treatments,
        missing=rules.simulate_phenotypes.output.missing,
        subjects=rules.simulate_sample_metadata.output.subjects,
        biosamples=rules.simulate_sample_metadata.output.biosamples,
        traits=local(config["traits"]),
    output:
        phenopackets=expand(
            f"{RESULTS}/nodes/{{country}}/phenopackets.jsonl.gz", country=COUNTRIES
        ),
        families=expand(
            f"{RESULTS}/nodes/{{country}}/families.jsonl.gz", country=COUNTRIES
        ),
    log:
        f"{LOGS}/write_phenopackets.log",
    benchmark:
        f"{BENCHMARKS}/write_phenopackets.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("write_phenopackets"),
    params:
        number=len(COUNTRIES),
        code=code_digest("write_phenopackets.py"),
        countries=COUNTRIES,
        reference_year=config["cohort"]["reference_year"],
    message:
        "Phenopackets of {params.number} countries"
    script:
        f"{SCRIPTS}/write_phenopackets.py"
