# Needs: the node folders (for the analyses), the pooled cohort (for the truth).
# Makes: federated principal components, a genome-wide association study, a gene burden and a regression of a disease, with
# their judgement by the truth. All nodes play all steps in one run each; what a part shows is drawn by a rule of its own.

ANALYSED_GENES = sorted(
    {gene.name for gene in INPUTS.genes}
    & {transcript.gene for transcript in INPUTS.transcripts}
)
ANALYSES = {
    "plan": RecordedByDigest([INPUTS.analyses]),
    "genes": ANALYSED_GENES,
}


rule run_analyses:
    input:
        stores=fill_in(rules.build_variant_store.output.store, country=COUNTRIES),
        served=served_files,
        issuer=rules.create_issuer.output,
        coordinator=rules.create_analysis_keys.output.coordinator,
    output:
        played=f"{RESULTS}/analyses/played.json",
        results=f"{RESULTS}/analyses/results.npz",
    log:
        f"{LOGS}/run_analyses.log",
    benchmark:
        f"{BENCHMARKS}/run_analyses.tsv"
    priority: 2  # before other jobs of the network: what follows is computed while these wait
    conda:
        "../../envs/rehearsal.yaml"
    threads: 4
    resources:
        **needs("run_analyses"),
        network=2,
    params:
        **ANALYSES,
        number=len(COUNTRIES),
        code=code_digest("run_analyses.py"),
        nodes=node_folders,
        foreign=[node.country for node in INPUTS.foreign],
        network=config["network"],
    message:
        "Federated analyses: in sandboxes at {params.number} nodes"
    script:
        f"{SCRIPTS}/run_analyses.py"


rule compute_analysis_truth:
    input:
        played=rules.run_analyses.output.played,
        trees=every_block(rules.simulate_block.output.trees),
        people=rules.simulate_people.output.people,
        measurements=rules.simulate_phenotypes.output.measurements,
        consent=rules.draw_consent.output.consent,
        diseases=rules.simulate_phenotypes.output.diseases,
        transcripts=local(config["transcripts"]),
        gene_model=optional(config["genome"]["gene_model"]),
        reference=rules.make_reference.output.fasta,
        indexes=REFERENCE_INDEXES,
    output:
        answers=f"{RESULTS}/truth/analyses.npz",
        people=f"{RESULTS}/truth/analysed_people.parquet",
    log:
        f"{LOGS}/compute_analysis_truth.log",
    benchmark:
        f"{BENCHMARKS}/compute_analysis_truth.tsv"
    priority: 1
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("compute_analysis_truth"),
    params:
        **ANALYSES,
        code=code_digest("compute_analysis_truth.py"),
        blocks=RecordedByDigest(INPUTS.blocks),
        gene_model=config["genome"]["gene_model"],
        reference_year=config["cohort"]["reference_year"],
    message:
        "Federated analyses: the right answers, from the pooled cohort"
    script:
        f"{SCRIPTS}/compute_analysis_truth.py"


rule federated_pca:
    input:
        played=rules.run_analyses.output.played,
        results=rules.run_analyses.output.results,
        answers=rules.compute_analysis_truth.output.answers,
        people=rules.compute_analysis_truth.output.people,
    output:
        judged=f"{RESULTS}/analyses/pca.json",
        components=f"{RESULTS}/analyses/components.parquet",
        figure=report(
            f"{RESULTS}/analyses/components.svg",
            caption="../report/federated_pca.rst",
            category="Federated analyses",
            labels={"figure": "components by country"},
        ),
    log:
        f"{LOGS}/federated_pca.log",
    benchmark:
        f"{BENCHMARKS}/federated_pca.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("federated_pca"),
    params:
        **ANALYSES,
        code=code_digest("federated_pca.py"),
        countries=RecordedByDigest(INPUTS.countries),
    message:
        "Federated principal components: judged and drawn"
    script:
        f"{SCRIPTS}/federated_pca.py"


rule federated_gwas:
    input:
        played=rules.run_analyses.output.played,
        results=rules.run_analyses.output.results,
        answers=rules.compute_analysis_truth.output.answers,
        people=rules.compute_analysis_truth.output.people,
        effects=rules.simulate_phenotypes.output.effects,
        traits=local(config["traits"]),
    output:
        judged=f"{RESULTS}/analyses/gwas.json",
        table=f"{RESULTS}/analyses/gwas.parquet",
        manhattan=report(
            f"{RESULTS}/analyses/manhattan.svg",
            caption="../report/federated_gwas.rst",
            category="Federated analyses",
            labels={"figure": "Manhattan plot"},
        ),
        quantiles=report(
            f"{RESULTS}/analyses/quantiles.svg",
            caption="../report/federated_gwas.rst",
            category="Federated analyses",
            labels={"figure": "quantiles of p-values"},
        ),
        methods=report(
            f"{RESULTS}/analyses/methods.svg",
            caption="../report/federated_gwas.rst",
            category="Federated analyses",
            labels={"figure": "joined sums and meta-analysis against the truth"},
        ),
    log:
        f"{LOGS}/federated_gwas.log",
    benchmark:
        f"{BENCHMARKS}/federated_gwas.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("federated_gwas"),
    params:
        **ANALYSES,
        code=code_digest("federated_gwas.py"),
    message:
        "Federated association study: judged and drawn"
    script:
        f"{SCRIPTS}/federated_gwas.py"


rule federated_burden:
    input:
        played=rules.run_analyses.output.played,
        results=rules.run_analyses.output.results,
        answers=rules.compute_analysis_truth.output.answers,
        people=rules.compute_analysis_truth.output.people,
    output:
        judged=f"{RESULTS}/analyses/burden.json",
        table=f"{RESULTS}/analyses/burden.tsv",
    log:
        f"{LOGS}/federated_burden.log",
    benchmark:
        f"{BENCHMARKS}/federated_burden.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("federated_burden"),
    params:
        **ANALYSES,
        code=code_digest("federated_burden.py"),
    message:
        "Federated gene burden: judged"
    script:
        f"{SCRIPTS}/federated_burden.py"


rule federated_logistic:
    input:
        played=rules.run_analyses.output.played,
        results=rules.run_analyses.output.results,
        answers=rules.compute_analysis_truth.output.answers,
        people=rules.compute_analysis_truth.output.people,
    output:
        judged=f"{RESULTS}/analyses/logistic.json",
    log:
        f"{LOGS}/federated_logistic.log",
    benchmark:
        f"{BENCHMARKS}/federated_logistic.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("federated_logistic"),
    params:
        **ANALYSES,
        code=code_digest("federated_logistic.py"),
    message:
        "Federated regression of a disease: judged"
    script:
        f"{SCRIPTS}/federated_logistic.py"
