# Needs: all files whose content the seed decides.
# Makes: results/manifest.json (path, size and digest of each of these files, to compare runs), and
# results/ro-crate-metadata.json (the same as a research object crate).


rule write_manifest:
    input:
        digests=every_block(rules.shard_block.output.digests),
        demography=rules.build_demography.output,
        maps=(
            fill_in(rules.draw_recombination_map.output.map, contig=MAPS)
            if DRAWS_MAPS
            else []
        ),
        reference=[
            rules.make_reference.output.contigs,
            rules.make_reference.output.genes,
        ],
        people=rules.simulate_people.output,
        consequences=every_block(rules.simulate_block.output.consequences),
        heteroplasmy=rules.list_heteroplasmy.output if HAS_CHRM else [],
        phenotypes=rules.simulate_phenotypes.output,
        sequencing=rules.simulate_sample_metadata.output,
        phenopackets=rules.write_phenopackets.output,
        consent=rules.draw_consent.output,
        nodes=rules.build_node_folders.output,
        scoring_files=rules.write_scoring_files.output,
        stores=fill_in(rules.build_variant_store.output.store, country=COUNTRIES),
        distances=rules.compute_distances.output,
        suite=rules.draw_queries.output,
        patients=rules.choose_patients.output,
        story_truth=rules.compute_story_truth.output,
        structure=rules.compute_structure.output,
        realism=rules.judge_realism.output,
        public_facts=rules.write_public_facts.output,
        membership=rules.run_membership_attack.output,
        exports=[file for file in exported_files() if not file.endswith(".c4gh")],
        catalogue=[
            *rules.write_node_catalogues.output,
            *rules.write_catalogue.output,
        ],
    output:
        manifest=f"{RESULTS}/manifest.json",
    log:
        f"{LOGS}/write_manifest.log",
    benchmark:
        f"{BENCHMARKS}/write_manifest.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        **needs("write_manifest"),
    params:
        code=code_digest("write_manifest.py"),
        config=config,
    message:
        "Manifest: digests of all files that the seed decides"
    script:
        f"{SCRIPTS}/write_manifest.py"


rule write_ro_crate:
    input:
        manifest=rules.write_manifest.output.manifest,
    output:
        crate=f"{RESULTS}/ro-crate-metadata.json",
    log:
        f"{LOGS}/write_ro_crate.log",
    benchmark:
        f"{BENCHMARKS}/write_ro_crate.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("write_ro_crate"),
    params:
        code=code_digest("write_ro_crate.py"),
        title=describe_run(),
        reference_year=config["cohort"]["reference_year"],
    message:
        "Research object crate of the run"
    script:
        f"{SCRIPTS}/write_ro_crate.py"
