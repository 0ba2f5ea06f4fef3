# Needs: the nodes' stores and people.
# Makes: each node's public frequencies (the basis of its privacy prices), and the membership attack on the run's nodes.


rule compute_public_frequencies:
    input:
        stores=expand(rules.build_variant_store.output.store, country=COUNTRIES),
        people=rules.build_node_folders.output.people,
    output:
        frequencies=expand(
            f"{RESULTS}/nodes/{{country}}/public_frequencies.npz", country=COUNTRIES
        ),
    log:
        f"{LOGS}/compute_public_frequencies.log",
    benchmark:
        f"{BENCHMARKS}/compute_public_frequencies.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(10),
        runtime=60,
    params:
        code=code_digest("compute_public_frequencies.py"),
        nodes={country: f"{RESULTS}/nodes/{country}" for country in COUNTRIES},
    message:
        "Public frequencies of each node's alleles and terms"
    script:
        f"{SCRIPTS}/compute_public_frequencies.py"


rule run_membership_attack:
    input:
        stores=expand(rules.build_variant_store.output.store, country=COUNTRIES),
        individuals=rules.build_node_folders.output.individuals,
        public_frequencies=rules.compute_public_frequencies.output.frequencies,
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
        f"{LOGS}/run_membership_attack.log",
    benchmark:
        f"{BENCHMARKS}/run_membership_attack.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=3000,
        runtime=30,
    params:
        code=code_digest("run_membership_attack.py"),
        nodes={country: f"{RESULTS}/nodes/{country}" for country in COUNTRIES},
        seed=config["seed"],
    message:
        "Membership attack: can queries reveal who is in a node"
    script:
        f"{SCRIPTS}/run_membership_attack.py"
