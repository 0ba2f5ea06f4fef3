# Needs: the node folders, the suite with its truth, distances, the issuer.
# Makes: measurements of emulated distance, of the network from each capital, and of the effects of faults, load, growth
# and hung nodes. Other settings of the bench repeat nothing; `make bench` does. Nodes of other operators are never put under load: these rules use only the run's own.


rule measure_distance:
    input:
        pairs=rules.compute_distances.output.pairs,
        latency=rules.run_queries.output.latency,
    output:
        distance=f"{RESULTS}/bench/distance.parquet",
    log:
        f"{LOGS}/measure_distance.log",
    benchmark:
        f"{BENCHMARKS}/measure_distance.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        **needs("measure_distance"),
        network=4,
    params:
        code=code_digest("measure_distance.py"),
        countries=COUNTRIES,
        foreign=[node.country for node in INPUTS.foreign],
        network=config["network"],
        distance=Unrecorded(config["bench"]["distance"]),
    message:
        "Distance: measured round trips against the table"
    script:
        f"{SCRIPTS}/measure_distance.py"


rule measure_capital_latency:
    input:
        pairs=rules.compute_distances.output.pairs,
        suite=rules.draw_queries.output.suite,
        stores=fill_in(rules.build_variant_store.output.store, country=COUNTRIES),
        served=served_files,
        issuer=rules.create_issuer.output,
    output:
        capitals=f"{RESULTS}/bench/capitals.parquet",
    log:
        f"{LOGS}/measure_capital_latency.log",
    benchmark:
        f"{BENCHMARKS}/measure_capital_latency.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        **needs("measure_capital_latency"),
        network=4,
    params:
        number=len(COUNTRIES),
        code=code_digest("measure_capital_latency.py"),
        nodes=node_folders,
        network=config["network"],
        capitals=Unrecorded(config["bench"]["capitals"]),
        seed=config["seed"],
    message:
        "Latency of the network from {params.number} capitals"
    script:
        f"{SCRIPTS}/measure_capital_latency.py"


rule inject_faults:
    input:
        suite=rules.draw_queries.output.suite,
        truth=rules.draw_queries.output.truth,
        stores=fill_in(rules.build_variant_store.output.store, country=COUNTRIES),
        served=served_files,
        issuer=rules.create_issuer.output,
        coordinator=(
            rules.create_analysis_keys.output.coordinator if INPUTS.analyses else []
        ),
    output:
        faults=f"{RESULTS}/bench/faults.parquet",
    log:
        f"{LOGS}/inject_faults.log",
    benchmark:
        f"{BENCHMARKS}/inject_faults.tsv"
    priority: 1  # faults mostly wait, so they go beside the truth of the analyses
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        **needs("inject_faults"),
        network=3,
    params:
        code=code_digest("inject_faults.py"),
        nodes=node_folders,
        asker=config["network"]["asker"],
        faults=Unrecorded(config["bench"]["faults"]),
    message:
        "Faults: break and restore nodes and the network"
    script:
        f"{SCRIPTS}/inject_faults.py"


rule compare_collection_policies:
    input:
        distances=rules.compute_distances.output.distances,
    output:
        policy=f"{RESULTS}/bench/policy.parquet",
        figure=report(
            f"{RESULTS}/bench/policy.svg",
            caption="../report/policy.rst",
            category="Bench",
            labels={"figure": "what hung nodes cost"},
        ),
    log:
        f"{LOGS}/compare_collection_policies.log",
    benchmark:
        f"{BENCHMARKS}/compare_collection_policies.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("compare_collection_policies"),
        network=1,
    params:
        code=code_digest("compare_collection_policies.py"),
        policy=Unrecorded(config["bench"]["policy"]),
        deadline_s=config["network"]["deadline_s"],
    message:
        "Cost of hung nodes under each collection policy"
    script:
        f"{SCRIPTS}/compare_collection_policies.py"


rule measure_load:
    input:
        suite=rules.draw_queries.output.suite,
        truth=rules.draw_queries.output.truth,
        pairs=rules.compute_distances.output.pairs,
        stores=fill_in(rules.build_variant_store.output.store, country=COUNTRIES),
        served=served_files,
        issuer=rules.create_issuer.output,
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
        f"{LOGS}/measure_load.log",
    benchmark:
        f"{BENCHMARKS}/measure_load.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        **needs("measure_load"),
        network=4,
    params:
        number=len(COUNTRIES),
        code=code_digest("measure_load.py"),
        nodes=node_folders,
        network=config["network"],
        load=Unrecorded(config["bench"]["load"]),
        seed=config["seed"],
    message:
        "Load on {params.number} nodes: a ramp until saturation"
    script:
        f"{SCRIPTS}/measure_load.py"


rule measure_growth:
    input:
        suite=rules.draw_queries.output.suite,
        truth=rules.draw_queries.output.truth,
        people=rules.simulate_people.output.people,
        stores=fill_in(rules.build_variant_store.output.store, country=COUNTRIES),
        served=served_files,
        issuer=rules.create_issuer.output,
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
        f"{LOGS}/measure_growth.log",
    benchmark:
        f"{BENCHMARKS}/measure_growth.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        **needs("measure_growth"),
        network=4,
    params:
        code=code_digest("measure_growth.py"),
        nodes=node_folders,
        network=config["network"],
        growth=Unrecorded(config["bench"]["growth"]),
        seed=config["seed"],
    message:
        "Growth: more nodes, more people, more users"
    script:
        f"{SCRIPTS}/measure_growth.py"
