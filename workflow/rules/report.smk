# Needs: everything before it.
# Makes: the figures, the pages, summary.json, junit.xml;
# ends the run with an error when an answer is wrong.


rule block_structure:
    input:
        trees=rules.simulate_block.output.trees,
        people=rules.people.output.people,
    output:
        structure=temp(f"{RESULTS}/cohort/structure/{{block}}.npz"),
    log:
        f"{LOGS}/block_structure/{{block}}.log",
    benchmark:
        f"{BENCHMARKS}/block_structure/{{block}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(8),
        runtime=60,
    params:
        code=code_digest("block_structure.py"),
        seed=config["seed"],
    message:
        "Structure of {wildcards.block}: common sites and spectra"
    script:
        f"{SCRIPTS}/block_structure.py"


rule structure:
    input:
        blocks=expand(rules.block_structure.output.structure, block=BLOCKS),
        trees=expand(rules.simulate_block.output.trees, block=BLOCKS),
        people=rules.people.output.people,
    output:
        components=f"{RESULTS}/cohort/principal_components.parquet",
        spectrum=f"{RESULTS}/cohort/frequency_spectrum.parquet",
    log:
        f"{LOGS}/structure.log",
    benchmark:
        f"{BENCHMARKS}/structure.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(100),
        runtime=30,
    params:
        code=code_digest("structure.py"),
        seed=config["seed"],
    message:
        "Structure: principal components and frequency spectrum of the people"
    script:
        f"{SCRIPTS}/structure.py"


rule page:
    input:
        people=rules.people.output.people,
        drawing=rules.demography.output.drawing,
        components=rules.structure.output.components,
        spectrum=rules.structure.output.spectrum,
        answers=rules.ask.output.answers,
        latency=rules.ask.output.latency,
        conditions=rules.ask.output.conditions,
        distances=rules.distances.output.distances,
        distance=rules.measured_distance.output.distance,
        capitals=rules.capitals.output.capitals,
        faults=rules.faults.output.faults,
        privacy=rules.membership.output.summary,
        expected_fst=rules.demography.output.expected,
        datasets=rules.catalogue.output.datasets,
        load=rules.load.output.load,
        knee=rules.load.output.knee,
        growth=rules.growth.output.growth,
        growth_fits=rules.growth.output.fits,
        growth_conditions=rules.growth.output.conditions,
        policy=rules.policy.output.policy,
        stories=rules.play.output.stories,
        realism=rules.realism.output.table,
        realism_map=rules.realism.output.map,
        realism_fst=rules.realism.output.fst,
        realism_distance=rules.realism.output.distance,
        realism_linkage=rules.realism.output.linkage,
        realism_sample_size=rules.realism.output.sample_size,
        countries=config["countries"],
    output:
        page=report(
            f"{RESULTS}/report/index.html",
            caption="../report/page.rst",
            category="Verdict",
            labels={"figure": "the page"},
        ),
        countries=expand(
            f"{RESULTS}/report/countries/{{country}}.html", country=COUNTRIES
        ),
        stories=expand(f"{RESULTS}/report/stories/{{story}}.html", story=STORIES),
        catalogue=f"{RESULTS}/report/catalogue.html",
        summary=f"{RESULTS}/report/summary.json",
        junit=f"{RESULTS}/report/junit.xml",
        map=report(
            f"{RESULTS}/report/figures/map.svg",
            caption="../report/map.rst",
            category="Network",
            labels={"figure": "the nodes on the map"},
        ),
        node_latency=report(
            f"{RESULTS}/report/figures/latency_by_country.svg",
            caption="../report/latency.rst",
            category="Network",
            labels={"figure": "latency by country"},
        ),
        kind_latency=report(
            f"{RESULTS}/report/figures/latency_by_kind.svg",
            caption="../report/latency.rst",
            category="Network",
            labels={"figure": "latency by kind of query"},
        ),
        spectrum=report(
            f"{RESULTS}/report/figures/spectrum.svg",
            caption="../report/spectrum.rst",
            category="Cohort",
            labels={"figure": "allele-frequency spectrum"},
        ),
        components=report(
            f"{RESULTS}/report/figures/principal_components.svg",
            caption="../report/principal_components.rst",
            category="Cohort",
            labels={"figure": "principal components"},
        ),
        cohort=report(
            f"{RESULTS}/report/cohort.csv",
            caption="../report/cohort.rst",
            category="Cohort",
            labels={"figure": "the cohort by country"},
        ),
    log:
        f"{LOGS}/page.log",
    benchmark:
        f"{BENCHMARKS}/page.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=1500,
        runtime=15,
    params:
        code=code_digest("page.py"),
        config=config,
        countries=INPUTS.countries,
        blocks=list(BLOCKS),
        benchmarks=BENCHMARKS,
    message:
        "Report: the page, summary.json and figures"
    script:
        f"{SCRIPTS}/page.py"


rule verdict:
    input:
        summary=rules.page.output.summary,
    output:
        verdict=f"{RESULTS}/report/verdict.txt",
    log:
        f"{LOGS}/verdict.log",
    benchmark:
        f"{BENCHMARKS}/verdict.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=200,
        runtime=5,
    params:
        code=code_digest("verdict.py"),
    message:
        "Verdict"
    script:
        f"{SCRIPTS}/verdict.py"
