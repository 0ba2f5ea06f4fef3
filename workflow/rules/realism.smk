# Needs: the people, the tree sequences, the recombination maps, the model's expected F_ST.
# Makes: results/realism/ (a table of realism measures, and figures), principal components of the people, and
# allele-frequency spectra.

# Windows around planted variants are not measured: they are short, and planted variants are not natural.
SHORTEST_MEASURED = 1_000_000
MEASURED = [
    name
    for name, block in BLOCKS.items()
    if block.length >= SHORTEST_MEASURED
    and (name in AUTOSOMES or block.contig == "chrX")
    and not pseudo_autosomal(block.contig, block.start)
] or list(BLOCKS)


rule measure_block_realism:
    input:
        trees=rules.simulate_block.output.trees,
        people=rules.simulate_people.output.people,
        map=recombination_map,
        reference=rules.make_reference.output.fasta,
        indexes=REFERENCE_INDEXES,
    output:
        measures=temp(f"{RESULTS}/realism/blocks/{{block}}.npz"),
    log:
        f"{LOGS}/measure_block_realism/{{block}}.log",
    benchmark:
        f"{BENCHMARKS}/measure_block_realism/{{block}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("measure_block_realism"),
    params:
        code=code_digest("measure_block_realism.py"),
        block=lambda wildcards: BLOCKS[wildcards.block],
        planted=RecordedByDigest(INPUTS.planted),
        seed=config["seed"],
    message:
        "Realism of {wildcards.block}"
    script:
        f"{SCRIPTS}/measure_block_realism.py"


rule judge_realism:
    input:
        measures=every_block(rules.measure_block_realism.output.measures, MEASURED),
        people=rules.simulate_people.output.people,
        expected=rules.build_demography.output.expected,
        maps=MAPS.values(),
    output:
        table=report(
            f"{RESULTS}/realism/realism.tsv",
            caption="../report/realism.rst",
            category="Realism",
            labels={"figure": "table"},
        ),
        contigs=f"{RESULTS}/realism/contigs.tsv",
        map=f"{RESULTS}/realism/map.svg",
        fst=f"{RESULTS}/realism/fst.svg",
        distance=f"{RESULTS}/realism/distance.svg",
        spectrum=f"{RESULTS}/realism/spectrum.svg",
        linkage=f"{RESULTS}/realism/linkage.svg",
        sample_size=f"{RESULTS}/realism/sample_size.svg",
    log:
        f"{LOGS}/judge_realism.log",
    benchmark:
        f"{BENCHMARKS}/judge_realism.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("judge_realism"),
    params:
        code=code_digest("judge_realism.py"),
        countries=RecordedByDigest(INPUTS.countries),
        blocks=RecordedByDigest(INPUTS.blocks),
        measured=RecordedByDigest(BLOCKS[name] for name in MEASURED),
        maps=lambda wildcards, input: dict(zip(MAPS, input.maps)),
        seed=config["seed"],
    message:
        "Realism: measured against published and predicted figures"
    script:
        f"{SCRIPTS}/judge_realism.py"


rule measure_block_structure:
    input:
        trees=rules.simulate_block.output.trees,
        people=rules.simulate_people.output.people,
    output:
        structure=temp(f"{RESULTS}/cohort/structure/{{block}}.npz"),
    log:
        f"{LOGS}/measure_block_structure/{{block}}.log",
    benchmark:
        f"{BENCHMARKS}/measure_block_structure/{{block}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("measure_block_structure"),
    params:
        code=code_digest("measure_block_structure.py"),
        seed=config["seed"],
    message:
        "Structure of {wildcards.block}: common sites and spectra"
    script:
        f"{SCRIPTS}/measure_block_structure.py"


rule compute_structure:
    input:
        blocks=every_block(rules.measure_block_structure.output.structure),
        trees=every_block(rules.simulate_block.output.trees),
        people=rules.simulate_people.output.people,
    output:
        components=f"{RESULTS}/cohort/principal_components.parquet",
        spectrum=f"{RESULTS}/cohort/frequency_spectrum.parquet",
    log:
        f"{LOGS}/compute_structure.log",
    benchmark:
        f"{BENCHMARKS}/compute_structure.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("compute_structure"),
    params:
        code=code_digest("compute_structure.py"),
        seed=config["seed"],
    message:
        "Structure: principal components and frequency spectrum of the people"
    script:
        f"{SCRIPTS}/compute_structure.py"
