# Needs: the pooled cohort (for the truth) and the node folders (for the answers).
# Makes: the query suite, the truth, every node's answers with their judgement, latency figures.


rule list_block_sites:
    input:
        trees=rules.simulate_block.output.trees,
    output:
        sites=temp(f"{RESULTS}/queries/sites/{{block}}.parquet"),
    log:
        f"{LOGS}/list_block_sites/{{block}}.log",
    benchmark:
        f"{BENCHMARKS}/list_block_sites/{{block}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("list_block_sites"),
    params:
        code=code_digest("list_block_sites.py"),
        block=lambda wildcards: BLOCKS[wildcards.block],
        blocks=len(BLOCKS),
        seed=config["seed"],
    message:
        "Sites of {wildcards.block}, to draw queries from"
    script:
        f"{SCRIPTS}/list_block_sites.py"


rule draw_queries:
    input:
        sites=every_block(rules.list_block_sites.output.sites),
        trees=every_block(rules.simulate_block.output.trees),
        people=rules.simulate_people.output.people,
        diseases=rules.simulate_phenotypes.output.diseases,
        measurements=rules.simulate_phenotypes.output.measurements,
        features=rules.simulate_phenotypes.output.features,
        consent=rules.draw_consent.output.consent,
        templates=local(config["queries"]),
        transcripts=local(config["transcripts"]),
        gene_model=optional(config["genome"]["gene_model"]),
        reference=rules.make_reference.output.fasta,
        indexes=REFERENCE_INDEXES,
    output:
        suite=f"{RESULTS}/queries/suite.json",
        truth=f"{RESULTS}/truth/answers.json",
    log:
        f"{LOGS}/draw_queries.log",
    benchmark:
        f"{BENCHMARKS}/draw_queries.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("draw_queries"),
    params:
        code=code_digest("draw_queries.py"),
        blocks=RecordedByDigest(INPUTS.blocks),
        genes=RecordedByDigest(INPUTS.genes),
        gene_model=config["genome"]["gene_model"],
        variants=RecordedByDigest(INPUTS.planted),
        seed=config["seed"],
    message:
        "Query suite: drawn from the cohort"
    script:
        f"{SCRIPTS}/draw_queries.py"


rule run_queries:
    input:
        suite=rules.draw_queries.output.suite,
        truth=rules.draw_queries.output.truth,
        pairs=rules.compute_distances.output.pairs,
        stores=fill_in(rules.build_variant_store.output.store, country=COUNTRIES),
        served=served_files,
        issuer=rules.create_issuer.output,
        foreign=optional(config["network"]["nodes"]),
    output:
        answers=f"{RESULTS}/queries/answers.parquet",
        latency=f"{RESULTS}/bench/latency.parquet",
        conditions=f"{RESULTS}/bench/conditions.json",
        audit=directory(f"{RESULTS}/queries/audit"),
    log:
        f"{LOGS}/run_queries.log",
    benchmark:
        f"{BENCHMARKS}/run_queries.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        **needs("run_queries"),
        network=4,
    params:
        number=len(COUNTRIES),
        code=code_digest("run_queries.py"),
        nodes=node_folders,
        foreign=RecordedByDigest(INPUTS.foreign),
        network=config["network"],
    message:
        "Send the query suite to {params.number} nodes, from {params.network[asker]}"
    script:
        f"{SCRIPTS}/run_queries.py"
