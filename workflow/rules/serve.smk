# Needs: people, phenotypes, genes, distances.
# Makes: the rest of each node's folder (people, phenotypes, node.yaml), so that it can be served or moved.


rule node_people:
    message:
        "Node folders: people and phenotypes of {params.count} countries"
    input:
        people=rules.people.output.people,
        diseases=rules.phenotypes.output.diseases,
        measurements=rules.phenotypes.output.measurements,
        features=rules.phenotypes.output.features,
        genes=config["genes"],
    output:
        settings=expand(f"{RESULTS}/nodes/{{country}}/node.yaml", country=COUNTRIES),
        individuals=expand(f"{RESULTS}/nodes/{{country}}/individuals.parquet", country=COUNTRIES),
        people=expand(f"{RESULTS}/nodes/{{country}}/people.sqlite", country=COUNTRIES),
        phenotypes=expand(
            f"{RESULTS}/nodes/{{country}}/phenotypes/{{table}}.parquet",
            country=COUNTRIES,
            table=["diseases", "measurements", "features"],
        ),
    params:
        count=len(COUNTRIES),
        code=code("node/people.py", "node/settings.py"),
        countries=INPUTS.countries,
        genes=INPUTS.genes,
        nodes=f"{RESULTS}/nodes",
    log:
        f"{LOGS}/node_people.log",
    benchmark:
        f"{BENCHMARKS}/node_people.tsv"
    resources:
        mem_mb=memory_for(4),
        runtime=30,
    script:
        f"{SCRIPTS}/node_people.py"


rule distances:
    message:
        "Distances from {params.asker}"
    input:
        countries=config["countries"],
        distances=config["network"]["distances"],
    output:
        distances=f"{RESULTS}/network/distances.parquet",
    params:
        code=code("network/distance.py"),
        asker=config["network"]["asker"],
        countries=INPUTS.countries,
    log:
        f"{LOGS}/distances.log",
    benchmark:
        f"{BENCHMARKS}/distances.tsv"
    resources:
        mem_mb=500,
        runtime=5,
    script:
        f"{SCRIPTS}/distances.py"
