# Needs: the pooled cohort (for the truth), the node folders (for the answers), config/stories.
# Makes: the patients of each story, the right answers, and the results of each story.


STORIES = [story.name for story in INPUTS.stories]


rule choose_patients:
    input:
        planted=rules.simulate_people.output.patients,
        people=rules.simulate_people.output.people,
        phenotypes=rules.simulate_phenotypes.output,
        consent=rules.draw_consent.output.consent,
    output:
        patients=f"{RESULTS}/truth/patients.parquet",
    log:
        f"{LOGS}/choose_patients.log",
    benchmark:
        f"{BENCHMARKS}/choose_patients.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("choose_patients"),
    params:
        code=code_digest("choose_patients.py"),
        choices=RecordedByDigest(
            choice for story in INPUTS.stories for choice in story.choices
        ),
        reference_year=config["cohort"]["reference_year"],
    message:
        "Patients of the stories: planted and selected"
    script:
        f"{SCRIPTS}/choose_patients.py"


rule compute_story_truth:
    input:
        trees=every_block(rules.simulate_block.output.trees),
        people=rules.simulate_people.output.people,
        phenotypes=rules.simulate_phenotypes.output,
        consent=rules.draw_consent.output.consent,
        patients=rules.choose_patients.output.patients,
        scores=rules.write_scoring_files.output,
    output:
        truth=f"{RESULTS}/truth/stories.json",
    log:
        f"{LOGS}/compute_story_truth.log",
    benchmark:
        f"{BENCHMARKS}/compute_story_truth.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("compute_story_truth"),
    params:
        code=code_digest("compute_story_truth.py"),
        stories=RecordedByDigest(INPUTS.stories),
        blocks=RecordedByDigest(INPUTS.blocks),
        genes=RecordedByDigest(INPUTS.genes),
        variants=RecordedByDigest(INPUTS.planted),
        reference_year=config["cohort"]["reference_year"],
    message:
        "Stories: the right answers, from the pooled cohort"
    script:
        f"{SCRIPTS}/compute_story_truth.py"


rule run_stories:
    input:
        truth=rules.compute_story_truth.output.truth,
        patients=rules.choose_patients.output.patients,
        pairs=rules.compute_distances.output.pairs,
        stores=fill_in(rules.build_variant_store.output.store, country=COUNTRIES),
        served=served_files,
        issuer=rules.create_issuer.output,
    output:
        stories=expand(f"{RESULTS}/stories/{{story}}.json", story=STORIES),
    log:
        f"{LOGS}/run_stories.log",
    benchmark:
        f"{BENCHMARKS}/run_stories.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        **needs("run_stories"),
        network=2,
    params:
        number=len(STORIES),
        code=code_digest("run_stories.py"),
        stories=RecordedByDigest(INPUTS.stories),
        nodes=node_folders,
        foreign=RecordedByDigest(INPUTS.foreign),
        network=config["network"],
    message:
        "Run {params.number} stories"
    script:
        f"{SCRIPTS}/run_stories.py"
