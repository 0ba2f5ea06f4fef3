# Needs: the pooled cohort (for the truth), the node folders (for the answers), config/stories.
# Makes: who is whose patient, the right answers, and what came of every story.


STORIES = [story.name for story in INPUTS.stories]


rule patients:
    input:
        planted=rules.people.output.patients,
        people=rules.people.output.people,
        phenotypes=rules.phenotypes.output,
        consent=rules.consent.output.consent,
    output:
        patients=f"{RESULTS}/truth/patients.parquet",
    log:
        f"{LOGS}/patients.log",
    benchmark:
        f"{BENCHMARKS}/patients.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(2),
        runtime=10,
    params:
        code=code_digest("patients.py"),
        choices=[choice for story in INPUTS.stories for choice in story.choices],
        reference_year=config["cohort"]["reference_year"],
    message:
        "Patients of the stories: planted and chosen"
    script:
        f"{SCRIPTS}/patients.py"


rule story_truth:
    input:
        trees=expand(rules.simulate_block.output.trees, block=BLOCKS),
        people=rules.people.output.people,
        phenotypes=rules.phenotypes.output,
        consent=rules.consent.output.consent,
        patients=rules.patients.output.patients,
        scores=rules.scoring_files.output,
    output:
        truth=f"{RESULTS}/truth/stories.json",
    log:
        f"{LOGS}/story_truth.log",
    benchmark:
        f"{BENCHMARKS}/story_truth.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(20),
        runtime=30,
    params:
        code=code_digest("story_truth.py"),
        stories=INPUTS.stories,
        blocks=INPUTS.blocks,
        genes=INPUTS.genes,
        variants=INPUTS.planted,
        reference_year=config["cohort"]["reference_year"],
    message:
        "Stories: the right answers, from the pooled cohort"
    script:
        f"{SCRIPTS}/story_truth.py"


rule play:
    input:
        truth=rules.story_truth.output.truth,
        patients=rules.patients.output.patients,
        pairs=rules.distances.output.pairs,
        settings=rules.node_people.output.settings,
        people=rules.node_people.output.people,
        stores=expand(rules.variant_store.output.store, country=COUNTRIES),
        issuer=rules.issuer.output,
        shares=rules.public_shares.output.shares,
        scores=rules.scoring_files.output,
        after=rules.ask.output.answers,  # one set of nodes at a time
    output:
        stories=expand(f"{RESULTS}/stories/{{story}}.json", story=STORIES),
    log:
        f"{LOGS}/play.log",
    benchmark:
        f"{BENCHMARKS}/play.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        mem_mb=len(COUNTRIES) * 100 + 1000,
        runtime=30,
    params:
        number=len(STORIES),
        code=code_digest("play.py"),
        stories=INPUTS.stories,
        nodes={country: f"{RESULTS}/nodes/{country}" for country in COUNTRIES},
        foreign=INPUTS.foreign,
        network=config["network"],
        logs=f"{LOGS}/stories",
    message:
        "Play {params.number} stories"
    script:
        f"{SCRIPTS}/play.py"
