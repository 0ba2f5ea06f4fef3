# Needs: the pooled cohort (for the truth) and the node folders (for the answers).
# Makes: the query suite, the truth, every node's answer and its judgement, latency figures.


rule block_sites:
    input:
        trees=rules.simulate_block.output.trees,
    output:
        sites=temp(f"{RESULTS}/queries/sites/{{block}}.parquet"),
    log:
        f"{LOGS}/block_sites/{{block}}.log",
    benchmark:
        f"{BENCHMARKS}/block_sites/{{block}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(8),
        runtime=60,
    params:
        code=code_digest("block_sites.py"),
        block=lambda wildcards: BLOCKS[wildcards.block],
    message:
        "Sites of {wildcards.block}, to draw queries from"
    script:
        f"{SCRIPTS}/block_sites.py"


rule suite:
    input:
        sites=expand(rules.block_sites.output.sites, block=BLOCKS),
        trees=expand(rules.simulate_block.output.trees, block=BLOCKS),
        people=rules.people.output.people,
        diseases=rules.phenotypes.output.diseases,
        measurements=rules.phenotypes.output.measurements,
        features=rules.phenotypes.output.features,
        consent=rules.consent.output.consent,
        templates=config["queries"],
    output:
        suite=f"{RESULTS}/queries/suite.json",
        truth=f"{RESULTS}/truth/answers.json",
    log:
        f"{LOGS}/suite.log",
    benchmark:
        f"{BENCHMARKS}/suite.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(20, base_mb=600 + memory_of_sites()),
        runtime=60,
    params:
        code=code_digest("suite.py"),
        blocks=INPUTS.blocks,
        genes=INPUTS.genes,
        variants=INPUTS.planted,
        seed=config["seed"],
    message:
        "Query suite: drawn from the cohort"
    script:
        f"{SCRIPTS}/suite.py"


rule ask:
    input:
        suite=rules.suite.output.suite,
        truth=rules.suite.output.truth,
        pairs=rules.distances.output.pairs,
        settings=rules.node_people.output.settings,
        people=rules.node_people.output.people,
        catalogues=rules.catalogue.output.nodes,
        stores=expand(rules.variant_store.output.store, country=COUNTRIES),
        issuer=rules.issuer.output,
        shares=rules.public_shares.output.shares,
        scores=rules.scoring_files.output,
        foreign=optional(config["network"]["nodes"]),
    output:
        answers=f"{RESULTS}/queries/answers.parquet",
        latency=f"{RESULTS}/bench/latency.parquet",
        conditions=f"{RESULTS}/bench/conditions.json",
    log:
        f"{LOGS}/ask.log",
    benchmark:
        f"{BENCHMARKS}/ask.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        mem_mb=len(COUNTRIES) * 100 + 1000,
        runtime=60,
    params:
        number=len(COUNTRIES),
        code=code_digest("ask.py"),
        nodes={country: f"{RESULTS}/nodes/{country}" for country in COUNTRIES},
        foreign=INPUTS.foreign,
        network=config["network"],
        logs=f"{LOGS}/nodes",
    message:
        "Ask {params.number} nodes the whole suite, from {params.network[asker]}"
    script:
        f"{SCRIPTS}/ask.py"
