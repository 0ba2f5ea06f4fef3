# Needs: people, phenotypes, genes, distances, the reference.
# Makes: the rest of each node's folder (people, phenotypes, node.yaml, scoring files, drug-gene rules), which can
# then be served or moved.


PERSONAL_TABLES = [
    "diseases",
    "measurements",
    "features",
    "consent",
    "exposures",
    "treatments",
    "missing",
    "excluded_features",
    "candidate_genes",
    "tumour_variants",
    "family_history",
    "subjects",
    "biosamples",
    "runs",
    "analyses",
]


# files of the algorithm that nodes approve, below its folder
ALGORITHM_FILES = (
    sorted(
        path.relative_to(INPUTS.analyses.algorithm).as_posix()
        for path in INPUTS.analyses.algorithm.rglob("*")
        if path.is_file()
    )
    if INPUTS.analyses
    else []
)


rule build_node_folders:
    input:
        fasta=rules.make_reference.output.fasta,
        indexes=REFERENCE_INDEXES,
        people=rules.simulate_people.output.people,
        diseases=rules.simulate_phenotypes.output.diseases,
        measurements=rules.simulate_phenotypes.output.measurements,
        features=rules.simulate_phenotypes.output.features,
        consent=rules.draw_consent.output.consent,
        exposures=rules.simulate_phenotypes.output.exposures,
        treatments=rules.simulate_phenotypes.output.treatments,
        missing=rules.simulate_phenotypes.output.missing,
        excluded_features=rules.simulate_phenotypes.output.excluded_features,
        candidate_genes=rules.simulate_phenotypes.output.candidate_genes,
        tumour_variants=rules.simulate_phenotypes.output.tumour_variants,
        family_history=rules.simulate_phenotypes.output.family_history,
        subjects=rules.simulate_sample_metadata.output.subjects,
        biosamples=rules.simulate_sample_metadata.output.biosamples,
        runs=rules.simulate_sample_metadata.output.runs,
        analyses=rules.simulate_sample_metadata.output.analyses,
        genes=local(config["genes"]),
        analysis_keys=rules.create_analysis_keys.output if INPUTS.analyses else [],
        algorithm=[
            local(f"{INPUTS.analyses.algorithm}/{file}") for file in ALGORITHM_FILES
        ],
    output:
        settings=expand(f"{RESULTS}/nodes/{{country}}/node.yaml", country=COUNTRIES),
        individuals=expand(
            f"{RESULTS}/nodes/{{country}}/individuals.parquet", country=COUNTRIES
        ),
        people=expand(f"{RESULTS}/nodes/{{country}}/people.sqlite", country=COUNTRIES),
        tumours=expand(f"{RESULTS}/nodes/{{country}}/tumours.sqlite", country=COUNTRIES),
        matchmaker=expand(
            f"{RESULTS}/nodes/{{country}}/matchmaker.sqlite", country=COUNTRIES
        ),
        phenotypes=expand(
            f"{RESULTS}/nodes/{{country}}/phenotypes/{{table}}.parquet",
            country=COUNTRIES,
            table=PERSONAL_TABLES,
        ),
        algorithms=[
            f"{RESULTS}/nodes/{country}/algorithms/{INPUTS.analyses.name}/{file}"
            for country in COUNTRIES
            for file in ALGORITHM_FILES
        ],
    log:
        f"{LOGS}/build_node_folders.log",
    benchmark:
        f"{BENCHMARKS}/build_node_folders.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("build_node_folders"),
    params:
        number=len(COUNTRIES),
        code=code_digest("build_node_folders.py"),
        regions=tuple(BLOCKS),
        tables=PERSONAL_TABLES,
        analyses=RecordedByDigest([INPUTS.analyses]),
        countries=RecordedByDigest(INPUTS.countries),
        genes=RecordedByDigest(INPUTS.genes),
        transcripts=RecordedByDigest(INPUTS.transcripts),
        reference_year=config["cohort"]["reference_year"],
    message:
        "Node folders: people and phenotypes of {params.number} countries"
    script:
        f"{SCRIPTS}/build_node_folders.py"


rule write_scoring_files:
    input:
        effects=rules.simulate_phenotypes.output.effects,
        traits=local(config["traits"]),
        drug_genes=local(config["drug_genes"]),
    output:
        scores=expand(f"{RESULTS}/scores/{{trait}}.txt.gz", trait=INPUTS.scored),
        copies=expand(
            f"{RESULTS}/nodes/{{country}}/scores/{{trait}}.txt.gz",
            country=COUNTRIES,
            trait=INPUTS.scored,
        ),
        drug_genes=expand(
            f"{RESULTS}/nodes/{{country}}/drug_genes.tsv", country=COUNTRIES
        ),
    log:
        f"{LOGS}/write_scoring_files.log",
    benchmark:
        f"{BENCHMARKS}/write_scoring_files.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("write_scoring_files"),
    params:
        number=len(COUNTRIES),
        code=code_digest("write_scoring_files.py"),
        traits=INPUTS.scored,
    message:
        "Scoring files and drug-gene rules for {params.number} nodes"
    script:
        f"{SCRIPTS}/write_scoring_files.py"


rule compute_distances:
    input:
        countries=local(INPUTS.country_table),
        distances=local(config["network"]["distances"]),
    output:
        distances=f"{RESULTS}/network/distances.parquet",
        pairs=f"{RESULTS}/network/pairs.parquet",
    log:
        f"{LOGS}/compute_distances.log",
    benchmark:
        f"{BENCHMARKS}/compute_distances.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("compute_distances"),
    params:
        code=code_digest("compute_distances.py"),
        asker=config["network"]["asker"],
        countries=RecordedByDigest(INPUTS.countries),
    message:
        "Distances from {params.asker}"
    script:
        f"{SCRIPTS}/compute_distances.py"
