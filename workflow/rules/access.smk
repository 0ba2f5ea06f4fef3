# Needs: the people; the nodes' folders are made here or in other rules, whichever comes first.
# Makes: consent records; the key pairs of genomes at rest, where they are encrypted; and the issuer that nodes trust: its keys are of this run and differ from run to run.


rule consent:
    input:
        people=rules.people.output.people,
        patients=rules.people.output.patients,
        shares=config["consent"],
    output:
        consent=f"{RESULTS}/phenotypes/consent.parquet",
    log:
        f"{LOGS}/consent.log",
    benchmark:
        f"{BENCHMARKS}/consent.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(1),
        runtime=10,
    params:
        code=code_digest("consent.py"),
        patients=INPUTS.patients,
        seed=config["seed"],
    message:
        "Consent: what each person permits"
    script:
        f"{SCRIPTS}/consent.py"


rule issuer:
    output:
        settings=f"{RESULTS}/issuer/issuer.json",
        public=f"{RESULTS}/issuer/jwks.json",
        secret=f"{RESULTS}/issuer/keys.json",
        trusted=expand(
            f"{RESULTS}/nodes/{{country}}/issuer.jwks.json", country=COUNTRIES
        ),
    log:
        f"{LOGS}/issuer.log",
    benchmark:
        f"{BENCHMARKS}/issuer.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=300,
        runtime=5,
    params:
        number=len(COUNTRIES),
        code=code_digest("issuer.py"),
    message:
        "Issuer of tokens: new keys, which {params.number} nodes trust"
    script:
        f"{SCRIPTS}/issuer.py"


rule genome_keys:
    output:
        secret=expand(f"{RESULTS}/nodes/{{country}}/keys/c4gh.sec", country=COUNTRIES),
        public=expand(f"{RESULTS}/nodes/{{country}}/keys/c4gh.pub", country=COUNTRIES),
    log:
        f"{LOGS}/genome_keys.log",
    benchmark:
        f"{BENCHMARKS}/genome_keys.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=300,
        runtime=5,
    params:
        number=len(COUNTRIES),
        code=code_digest("genome_keys.py"),
    message:
        "New key pairs for the genomes of {params.number} nodes"
    script:
        f"{SCRIPTS}/genome_keys.py"
