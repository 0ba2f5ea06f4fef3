# Needs: all other rules.
# Makes: the lists of files that the targets of the Snakefile ask for. Temporary files are in none.

from asked import asked_lines
from needs import endless_exports
from rehearsal.logs import note
from terminal import tells_plan

for line in endless_exports(EXPORTS.values(), SIZES):
    note(line)

# what Snakemake's own lines about planned jobs leave out
if workflow.is_main_process and tells_plan(workflow.output_settings):
    wildcards_of = {
        name: getattr(rules, name).rule.wildcard_names
        for name in NEEDS
        if rules.has(name) and getattr(rules, name).output  # no stories: no job
    }
    print(*asked_lines(wildcards_of, SIZES, BENCH_SECONDS), sep="\n", file=sys.stderr)


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


def analysis_files(wildcards):
    """List the federated analyses; nothing without them."""
    if not config["analyses"]:
        return []
    return [
        *files_of(rules.run_analyses, rules.compute_analysis_truth),
        *files_of(rules.federated_pca, rules.federated_gwas, rules.federated_burden),
        *files_of(rules.federated_logistic),
    ]


def put_old_report_away():
    """Take away the report of an earlier run that the planned jobs make untrue; keep its page under another name.

    If they fail on the way, no verdict of other answers stays behind.
    """
    pages, shown = rules.build_report.output, rules.build_report.input
    files = {
        *pages,
        *(file for file in shown if isinstance(file, str)),
        *analysis_files(None),
        *bench_files(None),
    }
    planned = {file for job in workflow.dag.needrun_jobs() for file in job.output}
    if workflow.touch or IN_STORAGE or not planned & files:
        return
    for file in (pages.summary, pages.junit, *rules.check_verdict.output):
        Path(file).unlink(missing_ok=True)
    if Path(pages.page).exists():
        Path(pages.page).replace(earlier_page())


def earlier_page():
    """Return the path of the page of an earlier run, while this run has none."""
    return Path(rules.build_report.output.page).with_name("earlier.html")


def page_line():
    """Say where the page is; nothing before there is one."""
    page, earlier = Path(rules.build_report.output.page), earlier_page()
    if page.exists():
        earlier.unlink(missing_ok=True)
        passed = Path(rules.check_verdict.output.verdict).exists()
        return f"The page{'' if passed else ', without the verdict that all checks passed'}: {page}\n"
    if earlier.exists():
        return f"The page of an earlier run: {earlier}; the target report makes a new one: -- report\n"
    return ""


def report_files(wildcards):
    """List the pages, the verdict, and the metadata of the whole run."""
    return [
        *files_of(rules.build_report, rules.check_verdict, rules.write_catalogue),
        *files_of(rules.write_manifest, rules.write_ro_crate),
    ]
