# Needs: exported files, people, tree sequences and phenotypes.
# Makes: results/exports/{name}/truth/ (the facts about an export, and queries with their right answers), its metadata,
# and copies of the files that are encrypted for recipients.


rule export_truth:
    input:
        trees=trees_of_export,
        cohort=COHORT,
        diseases=rules.simulate_phenotypes.output.diseases,
        features=rules.simulate_phenotypes.output.features,
        measurements=rules.simulate_phenotypes.output.measurements,
        effects=rules.simulate_phenotypes.output.effects,
        genetic_values=rules.simulate_phenotypes.output.genetic_values,
        untreated_values=rules.simulate_phenotypes.output.untreated_values,
        templates=f"{ROOT}/config/dataset_queries.yaml",
    output:
        folder=directory(f"{RESULTS}/exports/{{name}}/truth"),
    log:
        f"{LOGS}/export_truth/{{name}}.log",
    benchmark:
        f"{BENCHMARKS}/export_truth/{{name}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("export_truth"),
    params:
        code=code_digest("export_truth.py"),
        export=export_of,
        requested=requested_of,
        planted=RecordedByDigest(INPUTS.planted),
        seed=config["seed"],
        reference_year=config["cohort"]["reference_year"],
    message:
        "Export {wildcards.name}: facts and right answers"
    script:
        f"{SCRIPTS}/export_truth.py"


rule export_catalogue:
    input:
        cohort=COHORT,
        consent=rules.draw_consent.output.consent,
    output:
        turtle=f"{RESULTS}/exports/{{name}}/catalogue.ttl",
        json_ld=f"{RESULTS}/exports/{{name}}/catalogue.jsonld",
        datasets=f"{RESULTS}/exports/{{name}}/datasets.json",
    log:
        f"{LOGS}/export_catalogue/{{name}}.log",
    benchmark:
        f"{BENCHMARKS}/export_catalogue/{{name}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("export_catalogue"),
    params:
        code=code_digest("export_catalogue.py"),
        export=export_of,
        requested=requested_of,
        number=lambda wildcards: list(EXPORTS).index(wildcards.name) + 1,
        names={country.code: country.name for country in INPUTS.countries},
        blocks=RecordedByDigest(INPUTS.blocks),
        reference_year=config["cohort"]["reference_year"],
    message:
        "Export {wildcards.name}: metadata"
    script:
        f"{SCRIPTS}/export_catalogue.py"


rule encrypt_export_file:
    input:
        file=f"{EXPORTED}/{{file}}",
        recipients=recipients_of,
    output:
        encrypted=f"{EXPORTED}/{{file}}.c4gh",
    log:
        f"{LOGS}/encrypt_export_file/{{name}}/{{place}}/{{file}}.log",
    benchmark:
        f"{BENCHMARKS}/encrypt_export_file/{{name}}/{{place}}/{{file}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("encrypt_export_file"),
    params:
        code=code_digest("encrypt_export_file.py"),
    message:
        "Export {wildcards.name}: encrypt {wildcards.place}/{wildcards.file}"
    script:
        f"{SCRIPTS}/encrypt_export_file.py"


rule encrypt_export_folder:
    input:
        folder=f"{RESULTS}/exports/{{name}}/{{folder}}",
        recipients=recipients_of,
    output:
        encrypted=directory(f"{RESULTS}/exports/{{name}}/{{folder}}.c4gh"),
    log:
        f"{LOGS}/encrypt_export_folder/{{name}}/{{folder}}.log",
    benchmark:
        f"{BENCHMARKS}/encrypt_export_folder/{{name}}/{{folder}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("encrypt_export_folder"),
    params:
        code=code_digest("encrypt_export_folder.py"),
    message:
        "Export {wildcards.name}: encrypt the files in {wildcards.folder}"
    script:
        f"{SCRIPTS}/encrypt_export_folder.py"


rule list_encrypted_files:
    input:
        encrypted=encrypted_files,
    output:
        listing=f"{RESULTS}/exports/{{name}}/encrypted.tsv",
    log:
        f"{LOGS}/list_encrypted_files/{{name}}.log",
    benchmark:
        f"{BENCHMARKS}/list_encrypted_files/{{name}}.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("list_encrypted_files"),
    params:
        code=code_digest("list_encrypted_files.py"),
    message:
        "Export {wildcards.name}: remove plain files"
    script:
        f"{SCRIPTS}/list_encrypted_files.py"
