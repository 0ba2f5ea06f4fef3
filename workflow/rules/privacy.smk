# Needs: the nodes' stores and people.
# Makes: each node's public facts (which answer what is not paid), and the attacks on the run's nodes.


rule write_public_facts:
    input:
        stores=expand(rules.build_variant_store.output.store, country=COUNTRIES),
        people=rules.build_node_folders.output.people,
        consent=config["consent"],
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
        nodes={country: f"{RESULTS}/nodes/{country}" for country in COUNTRIES},
    message:
        "Public facts of each node"
    script:
        f"{SCRIPTS}/write_public_facts.py"


rule run_membership_attack:
    input:
        stores=expand(rules.build_variant_store.output.store, country=COUNTRIES),
        individuals=rules.build_node_folders.output.individuals,
        people=rules.build_node_folders.output.people,
        settings=rules.build_node_folders.output.settings,
        tumours=rules.build_node_folders.output.tumours,
        public_facts=rules.write_public_facts.output.facts,
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
    params:
        code=code_digest("run_membership_attack.py"),
        nodes={country: f"{RESULTS}/nodes/{country}" for country in COUNTRIES},
        seed=config["seed"],
        stories=by_digest(INPUTS.stories),
    message:
        "Attacks: can queries reveal who is in a node, or a diagnosis"
    script:
        f"{SCRIPTS}/run_membership_attack.py"
