# Needs: the nodes' stores and people.
# Makes: each node's public facts (which answer what is not paid), and the attacks on the run's nodes.


rule write_public_facts:
    input:
        stores=fill_in(rules.build_variant_store.output.store, country=COUNTRIES),
        people=rules.build_node_folders.output.people,
        consent=local(config["consent"]),
    output:
        facts=expand(
            f"{RESULTS}/nodes/{{country}}/public_facts.sqlite", country=COUNTRIES
        ),
    log:
        f"{LOGS}/write_public_facts.log",
    benchmark:
        f"{BENCHMARKS}/write_public_facts.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("write_public_facts"),
    params:
        code=code_digest("write_public_facts.py"),
        nodes=node_folders,
    message:
        "Public facts of each node"
    script:
        f"{SCRIPTS}/write_public_facts.py"


rule run_membership_attack:
    input:
        stores=fill_in(rules.build_variant_store.output.store, country=COUNTRIES),
        served=served_files,
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
    threads: 2
    resources:
        **needs("run_membership_attack"),
        network=2,
    params:
        code=code_digest("run_membership_attack.py"),
        nodes=node_folders,
        seed=config["seed"],
        stories=RecordedByDigest(INPUTS.stories),
    message:
        "Attacks: can queries reveal who is in a node, or a diagnosis"
    script:
        f"{SCRIPTS}/run_membership_attack.py"
