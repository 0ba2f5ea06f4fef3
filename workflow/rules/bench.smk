# Needs: the node folders, the suite with its truth, distances, the issuer.
# Makes: whether distance is what the table says, the network as seen from each capital, and what faults do to it.


rule measured_distance:
    input:
        pairs=rules.distances.output.pairs,
        latency=rules.ask.output.latency,
    output:
        distance=f"{RESULTS}/bench/distance.parquet",
    log:
        f"{LOGS}/measured_distance.log",
    benchmark:
        f"{BENCHMARKS}/measured_distance.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        mem_mb=500,
        runtime=10,
    params:
        code=code("bench/distance.py", "network/emulation", "node/distance.py"),
        countries=COUNTRIES,
        network=config["network"],
        rounds=config["bench"]["distance"]["rounds"],
    message:
        "Distance: measured round trips beside the table"
    script:
        f"{SCRIPTS}/measured_distance.py"


rule capitals:
    input:
        distance=rules.measured_distance.output.distance,  # not both at once
        pairs=rules.distances.output.pairs,
        suite=rules.suite.output.suite,
        settings=rules.node_people.output.settings,
        people=rules.node_people.output.people,
        stores=expand(rules.variant_store.output.store, country=COUNTRIES),
        issuer=rules.issuer.output,
    output:
        capitals=f"{RESULTS}/bench/capitals.parquet",
    log:
        f"{LOGS}/capitals.log",
    benchmark:
        f"{BENCHMARKS}/capitals.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        mem_mb=len(COUNTRIES) * 100 + 1000,
        runtime=30,
    params:
        number=len(COUNTRIES),
        code=code("bench/capitals.py", "network", "node"),
        nodes={country: f"{RESULTS}/nodes/{country}" for country in COUNTRIES},
        network=config["network"],
        queries=config["bench"]["capitals"]["queries"],
        seed=config["seed"],
        logs=f"{LOGS}/capitals",
    message:
        "The network as seen from {params.number} capitals"
    script:
        f"{SCRIPTS}/capitals.py"


rule faults:
    input:
        capitals=rules.capitals.output.capitals,  # not both at once
        suite=rules.suite.output.suite,
        truth=rules.suite.output.truth,
        settings=rules.node_people.output.settings,
        people=rules.node_people.output.people,
        stores=expand(rules.variant_store.output.store, country=COUNTRIES),
        issuer=rules.issuer.output,
    output:
        faults=f"{RESULTS}/bench/faults.parquet",
    log:
        f"{LOGS}/faults.log",
    benchmark:
        f"{BENCHMARKS}/faults.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        mem_mb=2500,
        runtime=30,
    params:
        code=code("bench", "network", "node"),
        nodes={country: f"{RESULTS}/nodes/{country}" for country in COUNTRIES},
        asker=config["network"]["asker"],
        faults=config["bench"]["faults"],
        logs=f"{LOGS}/faults",
    message:
        "Faults: nodes and the network are broken, and mended"
    script:
        f"{SCRIPTS}/faults.py"
