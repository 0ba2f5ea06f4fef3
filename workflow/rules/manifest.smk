# Needs: everything that the seed decides.
# Makes: results/manifest.json: path, bytes and digest of every such file, to compare runs by;
# results/ro-crate-metadata.json: the same as a research object crate.


rule digest_block:
    input:
        trees=rules.simulate_block.output.trees,
        bcf=rules.shard_block.output.bcf,
        secret_keys=rules.genome_keys.output.secret if SEALED else [],
    output:
        digests=temp(f"{RESULTS}/digests/{{block}}.parquet"),
    log:
        f"{LOGS}/digest_block/{{block}}.log",
    benchmark:
        f"{BENCHMARKS}/digest_block/{{block}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=500,
        runtime=120,
    params:
        code=code_digest("digest_block.py"),
    message:
        "Digests of {wildcards.block}"
    script:
        f"{SCRIPTS}/digest_block.py"


rule manifest:
    input:
        digests=expand(rules.digest_block.output.digests, block=BLOCKS),
        demography=rules.demography.output,
        people=rules.people.output,
        phenotypes=rules.phenotypes.output,
        sequencing=rules.sequencing.output,
        phenopackets=rules.phenopackets.output,
        consent=rules.consent.output,
        nodes=rules.node_people.output,
        scoring_files=rules.scoring_files.output,
        stores=expand(rules.variant_store.output.store, country=COUNTRIES),
        distances=rules.distances.output,
        suite=rules.suite.output,
        patients=rules.patients.output,
        story_truth=rules.story_truth.output,
        structure=rules.structure.output,
        realism=rules.realism.output,
        public_shares=rules.public_shares.output,
        membership=rules.membership.output,
        exports=[file for file in exported_files() if not file.endswith(".c4gh")],
        catalogue=rules.catalogue.output,
    output:
        manifest=f"{RESULTS}/manifest.json",
    log:
        f"{LOGS}/manifest.log",
    benchmark:
        f"{BENCHMARKS}/manifest.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        mem_mb=500,
        runtime=120,
    params:
        code=code_digest("manifest.py"),
        config=config,
    message:
        "Manifest: every file that the seed decides, with its digest"
    script:
        f"{SCRIPTS}/manifest.py"


rule ro_crate:
    input:
        manifest=rules.manifest.output.manifest,
    output:
        crate=f"{RESULTS}/ro-crate-metadata.json",
    log:
        f"{LOGS}/ro_crate.log",
    benchmark:
        f"{BENCHMARKS}/ro_crate.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=300,
        runtime=10,
    params:
        code=code_digest("ro_crate.py"),
        title=describe_run(),
        reference_year=config["cohort"]["reference_year"],
    message:
        "Research object crate of the run"
    script:
        f"{SCRIPTS}/ro_crate.py"
