# Needs: countries, demography parameters (or a demes file), planted variants.
# Makes: the demographic model and its drawing, the people, one tree sequence a block.


rule demography:
    message:
        "Demography: the model of {params.count} countries"
    input:
        countries=config["countries"],
        parameters=config["demography"]["parameters"],
        model=optional(config["demography"]["model"]),
    output:
        model=f"{RESULTS}/demography/europe.demes.yaml",
        drawing=report(
            f"{RESULTS}/demography/europe.demes.svg",
            caption="../report/demography.rst",
            category="Cohort",
            labels={"figure": "demographic model"},
        ),
        expected=f"{RESULTS}/demography/expected_fst.parquet",
    params:
        count=len(COUNTRIES),
        code=code("europe"),
        countries=INPUTS.countries,
    log:
        f"{LOGS}/demography.log",
    benchmark:
        f"{BENCHMARKS}/demography.tsv"
    resources:
        mem_mb=1000,
        runtime=10,
    script:
        f"{SCRIPTS}/demography.py"


rule people:
    message:
        "People: {params.count} individuals, their sexes, ages and families"
    input:
        countries=config["countries"],
        variants=config["variants"],
    output:
        people=f"{RESULTS}/cohort/people.parquet",
        planted=f"{RESULTS}/cohort/planted.parquet",
    params:
        count=PEOPLE,
        code=code("genomes/pedigree.py"),
        countries=INPUTS.countries,
        numbers=INPUTS.numbers,
        variants=INPUTS.planted,
        family_share=config["cohort"]["family_share"],
        seed=config["seed"],
    log:
        f"{LOGS}/people.log",
    benchmark:
        f"{BENCHMARKS}/people.tsv"
    resources:
        mem_mb=memory_for(2),
        runtime=10,
    script:
        f"{SCRIPTS}/people.py"


rule simulate_block:
    message:
        "Simulate {wildcards.block}"
    input:
        model=rules.demography.output.model,
        people=rules.people.output.people,
        planted=rules.people.output.planted,
        map=recombination_map,
        reference=optional(config["genome"]["reference_fasta"]),
    output:
        trees=f"{RESULTS}/cohort/blocks/{{block}}.trees",
    params:
        code=code("genomes"),
        block=lambda wildcards: BLOCKS[wildcards.block],
        variants=INPUTS.planted,
        genome=config["genome"],
        seed=config["seed"],
    log:
        f"{LOGS}/simulate/{{block}}.log",
    benchmark:
        f"{BENCHMARKS}/simulate/{{block}}.tsv"
    resources:
        mem_mb=memory_for(5),
        runtime=60,
    script:
        f"{SCRIPTS}/simulate_block.py"
