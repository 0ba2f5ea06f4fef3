# Needs: people, phenotypes, genes, distances.
# Makes: the rest of each node's folder (people, phenotypes, node.yaml), so that it can be served or moved.


rule node_people:
    input:
        people=rules.people.output.people,
        diseases=rules.phenotypes.output.diseases,
        measurements=rules.phenotypes.output.measurements,
        features=rules.phenotypes.output.features,
        consent=rules.consent.output.consent,
        genes=config["genes"],
    output:
        settings=expand(f"{RESULTS}/nodes/{{country}}/node.yaml", country=COUNTRIES),
        individuals=expand(
            f"{RESULTS}/nodes/{{country}}/individuals.parquet", country=COUNTRIES
        ),
        people=expand(f"{RESULTS}/nodes/{{country}}/people.sqlite", country=COUNTRIES),
        phenotypes=expand(
            f"{RESULTS}/nodes/{{country}}/phenotypes/{{table}}.parquet",
            country=COUNTRIES,
            table=["diseases", "measurements", "features", "consent"],
        ),
    log:
        f"{LOGS}/node_people.log",
    benchmark:
        f"{BENCHMARKS}/node_people.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(4),
        runtime=30,
    params:
        number=len(COUNTRIES),
        code=code(
            "node/people.py",
            "node/settings.py",
            "node/access_settings.py",
            "node/consent.py",
            "network/issuer.py",
        ),
        countries=INPUTS.countries,
        genes=INPUTS.genes,
        reference_year=config["cohort"]["reference_year"],
    message:
        "Node folders: people and phenotypes of {params.number} countries"
    script:
        f"{SCRIPTS}/node_people.py"


rule distances:
    input:
        countries=config["countries"],
        distances=config["network"]["distances"],
    output:
        distances=f"{RESULTS}/network/distances.parquet",
    log:
        f"{LOGS}/distances.log",
    benchmark:
        f"{BENCHMARKS}/distances.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=500,
        runtime=5,
    params:
        code=code("network/distance.py"),
        asker=config["network"]["asker"],
        countries=INPUTS.countries,
    message:
        "Distances from {params.asker}"
    script:
        f"{SCRIPTS}/distances.py"
