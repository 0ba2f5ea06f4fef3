# Needs: the node folders, the suite with its truth, distances, the issuer.
# Makes: whether distance is what the table says, the network as seen from each capital, and what faults, load, growth
# and hung nodes do to it. Nodes of others are never put under load: all are ours here.


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
        code=code_digest("measured_distance.py"),
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
        code=code_digest("capitals.py"),
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
        code=code_digest("faults.py"),
        nodes={country: f"{RESULTS}/nodes/{country}" for country in COUNTRIES},
        asker=config["network"]["asker"],
        faults=config["bench"]["faults"],
        logs=f"{LOGS}/faults",
    message:
        "Faults: nodes and the network are broken, and mended"
    script:
        f"{SCRIPTS}/faults.py"


rule load:
    input:
        faults=rules.faults.output.faults,  # not both at once
        suite=rules.suite.output.suite,
        truth=rules.suite.output.truth,
        pairs=rules.distances.output.pairs,
        settings=rules.node_people.output.settings,
        people=rules.node_people.output.people,
        stores=expand(rules.variant_store.output.store, country=COUNTRIES),
        issuer=rules.issuer.output,
        shares=rules.public_shares.output.shares,
    output:
        load=f"{RESULTS}/bench/load.parquet",
        knee=f"{RESULTS}/bench/knee.json",
        histograms=directory(f"{RESULTS}/bench/histograms"),
        figure=report(
            f"{RESULTS}/bench/load.svg",
            caption="../report/load.rst",
            category="Bench",
            labels={"figure": "latency against load"},
        ),
    log:
        f"{LOGS}/load.log",
    benchmark:
        f"{BENCHMARKS}/load.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        mem_mb=len(COUNTRIES) * 100 + 1500,
        runtime=60,
    params:
        number=len(COUNTRIES),
        code=code_digest("load.py"),
        nodes={country: f"{RESULTS}/nodes/{country}" for country in COUNTRIES},
        network=config["network"],
        load=config["bench"]["load"],
        seed=config["seed"],
        logs=f"{LOGS}/load",
    message:
        "Load on {params.number} nodes: a ramp up to the knee"
    script:
        f"{SCRIPTS}/load.py"


rule growth:
    input:
        knee=rules.load.output.knee,  # not both at once
        suite=rules.suite.output.suite,
        truth=rules.suite.output.truth,
        people=rules.people.output.people,
        settings=rules.node_people.output.settings,
        stores=expand(rules.variant_store.output.store, country=COUNTRIES),
        issuer=rules.issuer.output,
        shares=rules.public_shares.output.shares,
    output:
        growth=f"{RESULTS}/bench/growth.parquet",
        fits=f"{RESULTS}/bench/growth_fits.parquet",
        conditions=f"{RESULTS}/bench/growth.json",
        nodes_figure=report(
            f"{RESULTS}/bench/growth_nodes.svg",
            caption="../report/growth.rst",
            category="Bench",
            labels={"figure": "growth with nodes"},
        ),
        users_figure=report(
            f"{RESULTS}/bench/growth_users.svg",
            caption="../report/growth.rst",
            category="Bench",
            labels={"figure": "growth with users"},
        ),
    log:
        f"{LOGS}/growth.log",
    benchmark:
        f"{BENCHMARKS}/growth.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        mem_mb=len(COUNTRIES) * 150 + 2000,
        runtime=60,
    params:
        code=code_digest("growth.py"),
        nodes={country: f"{RESULTS}/nodes/{country}" for country in COUNTRIES},
        network=config["network"],
        growth=config["bench"]["growth"],
        seed=config["seed"],
        logs=f"{LOGS}/growth",
    message:
        "Growth: more nodes, more people, more users"
    script:
        f"{SCRIPTS}/growth.py"


rule policy:
    input:
        distances=rules.distances.output.distances,
    output:
        policy=f"{RESULTS}/bench/policy.parquet",
        figure=report(
            f"{RESULTS}/bench/policy.svg",
            caption="../report/policy.rst",
            category="Bench",
            labels={"figure": "what hung nodes cost"},
        ),
    log:
        f"{LOGS}/policy.log",
    benchmark:
        f"{BENCHMARKS}/policy.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=1500,
        runtime=30,
    params:
        code=code_digest("policy.py"),
        policy=config["bench"]["policy"],
        deadline_s=config["network"]["deadline_s"],
        logs=f"{LOGS}/policy",
    message:
        "What hung nodes cost, by how answers are collected"
    script:
        f"{SCRIPTS}/policy.py"
