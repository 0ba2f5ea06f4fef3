# Needs: tree sequences, people, and each node's key if genomes are encrypted at rest.
# Makes: results/nodes/{country}/genomes/{block}.bcf + .csi (.c4gh) and variants.sqlite, by one sparse pass per block, and
# results/digests/{block}.parquet, each block's part of the manifest.


rule shard_block:
    input:
        trees=rules.simulate_block.output.trees,
        consequences=rules.simulate_block.output.consequences,
        reference=rules.make_reference.output.fasta,
        indexes=REFERENCE_INDEXES,
        people=rules.simulate_people.output.people,
        public_keys=rules.create_genome_keys.output.public if ENCRYPTED_SUFFIX else [],
    output:
        bcf=expand(
            f"{RESULTS}/nodes/{{country}}/genomes/{{{{block}}}}.bcf{ENCRYPTED_SUFFIX}",
            country=COUNTRIES,
        ),
        csi=expand(
            f"{RESULTS}/nodes/{{country}}/genomes/{{{{block}}}}.bcf.csi{ENCRYPTED_SUFFIX}",
            country=COUNTRIES,
        ),
        parts=temp(directory(f"{RESULTS}/shards/{{block}}")),
        # kept: for another export, the manifest reads no genomes again
        digests=f"{RESULTS}/digests/{{block}}.parquet",
    log:
        f"{LOGS}/shard_block/{{block}}.log",
    benchmark:
        f"{BENCHMARKS}/shard_block/{{block}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("shard_block"),
    params:
        number=len(COUNTRIES),
        code=code_digest("shard_block.py"),
        block=lambda wildcards: BLOCKS[wildcards.block],
        countries=COUNTRIES,
    message:
        "Shard {wildcards.block} into {params.number} countries"
    script:
        f"{SCRIPTS}/shard_block.py"


rule build_variant_store:
    input:
        parts=every_block(rules.shard_block.output.parts),
        people=rules.simulate_people.output.people,
    output:
        store=f"{RESULTS}/nodes/{{country}}/variants.sqlite",
    log:
        f"{LOGS}/build_variant_store/{{country}}.log",
    benchmark:
        f"{BENCHMARKS}/build_variant_store/{{country}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("build_variant_store"),
    params:
        code=code_digest("build_variant_store.py"),
    message:
        "Variant store of {wildcards.country}"
    script:
        f"{SCRIPTS}/build_variant_store.py"
