# Needs: all other rules.
# Makes: the lists of files that the targets of the Snakefile ask for. Temporary files are in none.


def files_of(*rules_of_whole_run):
    """List the files that rules with one job make."""
    return [file for rule in rules_of_whole_run for file in rule.output]


def dataset_files(wildcards):
    """List the people, their genomes and phenotypes, and what is known of them."""
    return [
        *files_of(rules.build_demography, rules.simulate_people, rules.make_reference),
        *files_of(rules.simulate_phenotypes, rules.simulate_sample_metadata),
        *files_of(rules.draw_consent, rules.compute_structure, rules.judge_realism),
        *(MAPS.values() if DRAWS_MAPS else []),
        *fill_in(rules.simulate_block.output, block=BLOCKS),
        *(rules.list_heteroplasmy.output if HAS_CHRM else []),
    ]


def genome_files(block):
    """List the first country's genomes of a block, which stand for all that one job makes, and deleted ones.

    A million people have 34,000 of these files: to plan with all costs 4 s.
    """
    shard = rules.shard_block.output
    first, *others = fill_in([*shard.bcf, *shard.csi], block=[block])
    is_there = Path(first).exists()
    return [first, *(file for file in others if is_there and not Path(file).exists())]


def federation_files(wildcards):
    """List the nodes' folders, the queries and stories with their answers, and the attacks."""
    return [
        *files_of(rules.create_issuer, rules.build_node_folders),
        *files_of(rules.write_phenopackets, rules.write_scoring_files),
        *files_of(rules.write_public_facts, rules.write_node_catalogues),
        *(rules.create_genome_keys.output if ENCRYPTED_SUFFIX else []),
        *[file for block in BLOCKS for file in genome_files(block)],
        *fill_in(rules.build_variant_store.output, country=COUNTRIES),
        *files_of(rules.compute_distances, rules.draw_queries, rules.run_queries),
        *files_of(rules.choose_patients, rules.compute_story_truth, rules.run_stories),
        *files_of(rules.run_membership_attack),
    ]


def bench_files(wildcards):
    """List the measurements; nothing without a bench."""
    if not config["bench"]:
        return []
    return [
        *files_of(rules.measure_distance, rules.measure_capital_latency),
        *files_of(rules.inject_faults, rules.measure_load, rules.measure_growth),
        *files_of(rules.compare_collection_policies),
    ]


def report_files(wildcards):
    """List the pages, the verdict, and the metadata of the whole run."""
    return [
        *files_of(rules.build_report, rules.check_verdict, rules.write_catalogue),
        *files_of(rules.write_manifest, rules.write_ro_crate),
    ]
