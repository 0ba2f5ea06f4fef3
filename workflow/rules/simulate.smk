# Needs: countries, demography parameters (or a demes file), planted variants.
# Makes: the demographic model and its drawing, the people, the reference, one tree sequence per block.


rule build_demography:
    input:
        countries=local(INPUTS.country_table),
        parameters=local(config["demography"]["parameters"]),
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
    log:
        f"{LOGS}/build_demography.log",
    benchmark:
        f"{BENCHMARKS}/build_demography.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("build_demography"),
    params:
        number=len(COUNTRIES),
        code=code_digest("build_demography.py"),
        countries=RecordedByDigest(INPUTS.countries),
    message:
        "Demography: the model of {params.number} countries"
    script:
        f"{SCRIPTS}/build_demography.py"


rule simulate_people:
    input:
        countries=local(INPUTS.country_table),
        variants=local(config["variants"]),
    output:
        people=f"{RESULTS}/cohort/people.parquet",
        planted=f"{RESULTS}/cohort/planted.parquet",
        patients=f"{RESULTS}/cohort/patients.parquet",
    log:
        f"{LOGS}/simulate_people.log",
    benchmark:
        f"{BENCHMARKS}/simulate_people.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("simulate_people"),
    params:
        number=PEOPLE,
        code=code_digest("simulate_people.py"),
        countries=RecordedByDigest(INPUTS.countries),
        numbers=INPUTS.numbers,
        variants=RecordedByDigest(INPUTS.planted),
        patients=RecordedByDigest(INPUTS.patients),
        cohort=config["cohort"],
        seed=config["seed"],
    message:
        "People: {params.number} individuals, with sexes, ages and families"
    script:
        f"{SCRIPTS}/simulate_people.py"


rule draw_recombination_map:
    output:
        map=f"{RESULTS}/recombination/{{contig}}.map.gz",
    log:
        f"{LOGS}/draw_recombination_map/{{contig}}.log",
    benchmark:
        f"{BENCHMARKS}/draw_recombination_map/{{contig}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("draw_recombination_map"),
    params:
        code=code_digest("draw_recombination_map.py"),
        genome=config["genome"],
        seed=config["seed"],
    message:
        "Recombination map of {wildcards.contig}: hotspots at random places"
    script:
        f"{SCRIPTS}/draw_recombination_map.py"


rule make_reference:
    input:
        fasta=optional(config["genome"]["reference_fasta"]),
        bases=optional(config["genome"]["reference_bases"]),
        masks=optional(config["genome"]["masks"]),
        variants=local(config["variants"]),
        transcripts=GENE_MODEL,
    output:
        fasta=f"{RESULTS}/reference/reference.fa.gz",
        fai=f"{RESULTS}/reference/reference.fa.gz.fai",
        gzi=f"{RESULTS}/reference/reference.fa.gz.gzi",
        contigs=f"{RESULTS}/reference/contigs.json",
        genes=f"{RESULTS}/reference/genes.gff3.gz",
        genes_index=f"{RESULTS}/reference/genes.gff3.gz.tbi",
        # links to the same files: all names of a file must be made by one job
        shared=expand(
            f"{RESULTS}/nodes/{{country}}/reference/{{file}}",
            country=COUNTRIES,
            file=[
                "reference.fa.gz",
                "reference.fa.gz.fai",
                "reference.fa.gz.gzi",
                "contigs.json",
                "genes.gff3.gz",
            ],
        ),
    log:
        f"{LOGS}/make_reference.log",
    benchmark:
        f"{BENCHMARKS}/make_reference.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("make_reference"),
    params:
        number=len({block.contig for block in INPUTS.blocks}),
        code=code_digest("make_reference.py"),
        blocks=RecordedByDigest(INPUTS.blocks),
        variants=RecordedByDigest(INPUTS.planted),
        transcripts=RecordedByDigest(INPUTS.transcripts),
        genome=config["genome"],
        seed=config["seed"],
    message:
        "Reference: bases of {params.number} contigs"
    script:
        f"{SCRIPTS}/make_reference.py"


# of the FASTA file; without a storage they are there with it
REFERENCE_INDEXES = (
    [rules.make_reference.output.fai, rules.make_reference.output.gzi]
    if IN_STORAGE
    else []
)


rule simulate_block:
    input:
        model=rules.build_demography.output.model,
        people=rules.simulate_people.output.people,
        planted=rules.simulate_people.output.planted,
        map=recombination_map,
        reference=rules.make_reference.output.fasta,
        indexes=REFERENCE_INDEXES,
        contigs=rules.make_reference.output.contigs,
        transcripts=GENE_MODEL,
    output:
        trees=f"{RESULTS}/cohort/blocks/{{block}}.trees",
        consequences=f"{RESULTS}/cohort/consequences/{{block}}.parquet",
    log:
        f"{LOGS}/simulate_block/{{block}}.log",
    benchmark:
        f"{BENCHMARKS}/simulate_block/{{block}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("simulate_block"),
    params:
        code=code_digest("simulate_block.py"),
        block=lambda wildcards: BLOCKS[wildcards.block],
        variants=RecordedByDigest(INPUTS.planted),
        transcripts=transcripts_of_block,
        genome=config["genome"],
        seed=config["seed"],
    message:
        "Simulate {wildcards.block}"
    script:
        f"{SCRIPTS}/simulate_block.py"


rule list_heteroplasmy:
    input:
        trees=fill_in(
            rules.simulate_block.output.trees,
            block=[name for name, block in BLOCKS.items() if block.contig == "chrM"],
        ),
        people=rules.simulate_people.output.people,
    output:
        mixtures=f"{RESULTS}/truth/heteroplasmy.parquet",
    log:
        f"{LOGS}/list_heteroplasmy.log",
    benchmark:
        f"{BENCHMARKS}/list_heteroplasmy.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("list_heteroplasmy"),
    params:
        code=code_digest("list_heteroplasmy.py"),
    message:
        "Heteroplasmy: the people with two alleles at a site of chrM"
    script:
        f"{SCRIPTS}/list_heteroplasmy.py"
