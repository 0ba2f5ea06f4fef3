# Needs: the people and the tree sequences of the blocks.
# Makes: effects and genetic values (truth), planted carriers (truth), diseases, measurements, features.


rule genetic_values:
    input:
        trees=rules.simulate_block.output.trees,
        people=rules.people.output.people,
        traits=config["traits"],
    output:
        effects=temp(f"{RESULTS}/phenotypes/blocks/{{block}}.effects.parquet"),
        values=temp(f"{RESULTS}/phenotypes/blocks/{{block}}.values.parquet"),
        carriers=temp(f"{RESULTS}/phenotypes/blocks/{{block}}.carriers.parquet"),
    log:
        f"{LOGS}/genetic_values/{{block}}.log",
    benchmark:
        f"{BENCHMARKS}/genetic_values/{{block}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(5),
        runtime=30,
    params:
        code=code("phenotypes", "genomes/planting.py"),
        block=lambda wildcards: BLOCKS[wildcards.block],
        blocks=INPUTS.blocks,
        variants=INPUTS.planted,
        seed=config["seed"],
    message:
        "Genetic values of {wildcards.block}"
    script:
        f"{SCRIPTS}/genetic_values.py"


rule phenotypes:
    input:
        people=rules.people.output.people,
        effects=expand(rules.genetic_values.output.effects, block=BLOCKS),
        values=expand(rules.genetic_values.output.values, block=BLOCKS),
        carriers=expand(rules.genetic_values.output.carriers, block=BLOCKS),
        traits=config["traits"],
    output:
        diseases=f"{RESULTS}/phenotypes/diseases.parquet",
        measurements=f"{RESULTS}/phenotypes/measurements.parquet",
        features=f"{RESULTS}/phenotypes/features.parquet",
        effects=f"{RESULTS}/truth/effects.parquet",
        genetic_values=f"{RESULTS}/truth/genetic_values.parquet",
        carriers=f"{RESULTS}/truth/planted_carriers.parquet",
    log:
        f"{LOGS}/phenotypes.log",
    benchmark:
        f"{BENCHMARKS}/phenotypes.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=memory_for(8),
        runtime=30,
    params:
        code=code("phenotypes"),
        seed=config["seed"],
        reference_year=config["cohort"]["reference_year"],
    message:
        "Phenotypes: traits, diseases, measurements"
    script:
        f"{SCRIPTS}/phenotypes.py"
