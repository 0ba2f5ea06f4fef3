# Needs: the nodes' stores and people.
# Makes: each node's public shares (what its prices rest on), and the membership attack on the run's nodes.


rule public_shares:
    input:
        stores=expand(rules.variant_store.output.store, country=COUNTRIES),
        people=rules.node_people.output.people,
    output:
        shares=expand(
            f"{RESULTS}/nodes/{{country}}/public_shares.npz", country=COUNTRIES
        ),
    log:
        f"{LOGS}/public_shares.log",
    benchmark:
        f"{BENCHMARKS}/public_shares.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(10),
        runtime=60,
    params:
        code=code_digest("public_shares.py"),
        nodes={country: f"{RESULTS}/nodes/{country}" for country in COUNTRIES},
    message:
        "What is public about each node's alleles and terms"
    script:
        f"{SCRIPTS}/public_shares.py"


rule membership:
    input:
        stores=expand(rules.variant_store.output.store, country=COUNTRIES),
        individuals=rules.node_people.output.individuals,
        shares=rules.public_shares.output.shares,
    output:
        table=f"{RESULTS}/privacy/membership.parquet",
        summary=f"{RESULTS}/privacy/privacy.json",
        figure=report(
            f"{RESULTS}/privacy/power.svg",
            caption="../report/privacy.rst",
            category="Privacy",
            labels={"figure": "the membership attack"},
        ),
    log:
        f"{LOGS}/membership.log",
    benchmark:
        f"{BENCHMARKS}/membership.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        code=code_digest("membership.py"),
        nodes={country: f"{RESULTS}/nodes/{country}" for country in COUNTRIES},
        seed=config["seed"],
    message:
        "Membership attack: who can be found in a node by asking"
    script:
        f"{SCRIPTS}/membership.py"
