# Needs: the nodes' settings and public facts, the forms of consent; the exports' metadata; the inventory of others' datasets.
# Makes: metadata of every node's datasets, which it serves as a FAIR Data Point, and a catalogue of all datasets and exports.

CATALOGUE_FILES = [
    "catalogue.ttl",
    "catalogue.jsonld",
    "descriptors.json",
    "documents.json",
]


rule write_node_catalogues:
    input:
        settings=rules.build_node_folders.output.settings,
        public_facts=rules.write_public_facts.output.facts,
        consent=local(config["consent"]),
    output:
        nodes=expand(
            f"{RESULTS}/nodes/{{country}}/catalogue/{{file}}",
            country=COUNTRIES,
            file=CATALOGUE_FILES,
        ),
    log:
        f"{LOGS}/write_node_catalogues.log",
    benchmark:
        f"{BENCHMARKS}/write_node_catalogues.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("write_node_catalogues"),
    params:
        number=len(COUNTRIES),
        code=code_digest("write_node_catalogues.py"),
    message:
        "Catalogues: metadata of the datasets of {params.number} countries"
    script:
        f"{SCRIPTS}/write_node_catalogues.py"


rule write_catalogue:
    input:
        # files of the rule before, by name
        nodes=expand(
            f"{RESULTS}/nodes/{{country}}/catalogue/catalogue.ttl", country=COUNTRIES
        ),
        described=expand(
            f"{RESULTS}/nodes/{{country}}/catalogue/descriptors.json",
            country=COUNTRIES,
        ),
        exports=fill_in(rules.export_catalogue.output.turtle, name=EXPORTS),
        exported=fill_in(rules.export_catalogue.output.datasets, name=EXPORTS),
        inventory=local(config["policy"]["inventory"]),
    output:
        turtle=f"{RESULTS}/catalogue/catalogue.ttl",
        json_ld=f"{RESULTS}/catalogue/catalogue.jsonld",
        datasets=f"{RESULTS}/catalogue/datasets.json",
        others_turtle=f"{RESULTS}/catalogue/synthetic_datasets.ttl",
        others_json_ld=f"{RESULTS}/catalogue/synthetic_datasets.jsonld",
    log:
        f"{LOGS}/write_catalogue.log",
    benchmark:
        f"{BENCHMARKS}/write_catalogue.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        **needs("write_catalogue"),
    params:
        code=code_digest("write_catalogue.py"),
    message:
        "Catalogue of all datasets, and of others' synthetic ones"
    script:
        f"{SCRIPTS}/write_catalogue.py"
