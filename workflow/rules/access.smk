# Needs: the people. The nodes' folders are made here or by other rules.
# Makes: consent records, the key pairs of genomes that are encrypted at rest, the keys of analyses, and the issuer that
# nodes trust. All keys are new in every run.


rule draw_consent:
    input:
        people=rules.simulate_people.output.people,
        patients=rules.simulate_people.output.patients,
        shares=local(config["consent"]),
    output:
        consent=f"{RESULTS}/phenotypes/consent.parquet",
    log:
        f"{LOGS}/draw_consent.log",
    benchmark:
        f"{BENCHMARKS}/draw_consent.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("draw_consent"),
    params:
        code=code_digest("draw_consent.py"),
        patients=RecordedByDigest(INPUTS.patients),
        seed=config["seed"],
    message:
        "Consent: what each person permits"
    script:
        f"{SCRIPTS}/draw_consent.py"


rule create_issuer:
    output:
        settings=f"{RESULTS}/issuer/issuer.json",
        public=f"{RESULTS}/issuer/jwks.json",
        secret=f"{RESULTS}/issuer/keys.json",
        trusted=expand(
            f"{RESULTS}/nodes/{{country}}/issuer.jwks.json", country=COUNTRIES
        ),
    log:
        f"{LOGS}/create_issuer.log",
    benchmark:
        f"{BENCHMARKS}/create_issuer.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("create_issuer"),
    params:
        number=len(COUNTRIES),
        code=code_digest("create_issuer.py"),
    message:
        "Issuer of tokens: new keys, trusted by {params.number} nodes"
    script:
        f"{SCRIPTS}/create_issuer.py"


rule create_genome_keys:
    output:
        secret=expand(f"{RESULTS}/nodes/{{country}}/keys/c4gh.sec", country=COUNTRIES),
        public=expand(f"{RESULTS}/nodes/{{country}}/keys/c4gh.pub", country=COUNTRIES),
    log:
        f"{LOGS}/create_genome_keys.log",
    benchmark:
        f"{BENCHMARKS}/create_genome_keys.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("create_genome_keys"),
    params:
        number=len(COUNTRIES),
        code=code_digest("create_genome_keys.py"),
    message:
        "New key pairs for the genomes of {params.number} nodes"
    script:
        f"{SCRIPTS}/create_genome_keys.py"


rule create_analysis_keys:
    output:
        coordinator=f"{RESULTS}/network/coordinator.pem",
        identities=expand(
            f"{RESULTS}/nodes/{{country}}/keys/identity.pem", country=COUNTRIES
        ),
        accepted=expand(
            f"{RESULTS}/nodes/{{country}}/analysis_keys.json", country=COUNTRIES
        ),
    log:
        f"{LOGS}/create_analysis_keys.log",
    benchmark:
        f"{BENCHMARKS}/create_analysis_keys.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("create_analysis_keys"),
    params:
        number=len(COUNTRIES),
        code=code_digest("create_analysis_keys.py"),
    message:
        "New identity keys for the analyses of {params.number} nodes"
    script:
        f"{SCRIPTS}/create_analysis_keys.py"
