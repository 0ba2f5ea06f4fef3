# Functions that list the inputs of rules by the outputs of others, once these are known.


def served_files(wildcards):
    """List what nodes serve beside stores and people: a storage brings to a machine only a rule's inputs.

    A million people have 34,000 files of genomes. Without a storage they are there with the stores.
    """
    keys = rules.create_genome_keys.output if ENCRYPTED_SUFFIX else []
    genomes = rules.shard_block.output
    return [
        *rules.make_reference.output.shared,
        *rules.build_node_folders.output,
        *rules.write_scoring_files.output,
        *rules.write_phenopackets.output,
        *rules.write_public_facts.output,
        *rules.write_node_catalogues.output,
        *rules.create_issuer.output.trusted,
        *keys,
        *(rules.create_analysis_keys.output if INPUTS.analyses else []),
        *(fill_in([*genomes.bcf, *genomes.csi], block=BLOCKS) if IN_STORAGE else []),
    ]


def node_folders(wildcards, input):
    """Return the nodes' folders by country, from a rule's stores: params get no prefix of a module."""
    folders = [Path(store).parent for store in input.stores]
    return {folder.name: str(folder) for folder in folders}


def care_results(wildcards):
    """Return the costs and effects of care; nothing if the configuration names no assumptions."""
    return {"care": rules.assess_care.output.economics} if ECONOMICS else {}


def analysis_results(wildcards):
    """Return the results of the federated analyses by name; nothing without them."""
    if not config["analyses"]:
        return {}
    return {
        "played": rules.run_analyses.output.played,
        "pca": rules.federated_pca.output.judged,
        "gwas": rules.federated_gwas.output.judged,
        "burden": rules.federated_burden.output.judged,
        "logistic": rules.federated_logistic.output.judged,
        "gwas_table": rules.federated_gwas.output.table,
        "burden_table": rules.federated_burden.output.table,
        "federated_components": rules.federated_pca.output.components,
    }


def bench_results(wildcards):
    """Return the results of the bench by name; nothing without a bench."""
    files = BENCH_RESULTS if config["bench"] else {}
    return {name: f"{RESULTS}/bench/{file}" for name, file in files.items()}
