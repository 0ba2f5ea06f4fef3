# Needs: the nodes' settings, stores and consent; the exports' metadata.
# Makes: metadata of every node's datasets, which it serves as a FAIR Data Point, and of all together with the exports.

CATALOGUE_FILES = [
    "catalogue.ttl",
    "catalogue.jsonld",
    "descriptors.json",
    "documents.json",
]


rule catalogue:
    input:
        settings=rules.node_people.output.settings,
        stores=expand(rules.variant_store.output.store, country=COUNTRIES),
        consent=rules.consent.output.consent,
        exports=expand(rules.export_catalogue.output.turtle, name=EXPORTS),
        exported=expand(rules.export_catalogue.output.datasets, name=EXPORTS),
    output:
        nodes=expand(
            f"{RESULTS}/nodes/{{country}}/catalogue/{{file}}",
            country=COUNTRIES,
            file=CATALOGUE_FILES,
        ),
        turtle=f"{RESULTS}/catalogue/catalogue.ttl",
        json_ld=f"{RESULTS}/catalogue/catalogue.jsonld",
        datasets=f"{RESULTS}/catalogue/datasets.json",
    log:
        f"{LOGS}/catalogue.log",
    benchmark:
        f"{BENCHMARKS}/catalogue.tsv"
    conda:
        "../../envs/rehearsal.yaml"
    resources:
        mem_mb=500,
        runtime=10,
    params:
        number=len(COUNTRIES),
        code=code_digest("catalogue.py"),
    message:
        "Catalogue: metadata of the datasets of {params.number} countries"
    script:
        f"{SCRIPTS}/catalogue.py"
