"""Write what each node's folder holds besides genomes: people, phenotypes, settings."""

from functools import partial
from pathlib import Path

import pandas as pd

from rehearsal.evaluation.analyses.plan import approve_algorithm
from rehearsal.files import write_parquet
from rehearsal.genomes.reference import read_reference
from rehearsal.logs import in_progress, log_to_file
from rehearsal.network.issuer import rehearsal_access
from rehearsal.node.matchmaker.index import FILE_NAME as MATCHMAKER
from rehearsal.node.matchmaker.index_writer import build_matchmaker_index
from rehearsal.node.settings.node_settings import TUMOURS, NodeSettings
from rehearsal.stores.ontology import HumanPhenotypeOntology
from rehearsal.stores.people_store_writer import COLUMNS, build_people
from rehearsal.stores.tumour_store_writer import build_tumours, tumour_effects


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    people, ontology = pd.read_parquet(smk.input.people), HumanPhenotypeOntology()
    tables = {name: pd.read_parquet(smk.input[name]) for name in smk.params.tables}
    read = partial(read_reference, smk.input.fasta)
    effects = tumour_effects(tables["tumour_variants"], read, smk.params.transcripts)
    for number, country in enumerate(in_progress(smk.params.countries, "countries")):
        folder = Path(smk.output.settings[number]).parent
        mine = people[people["country"] == country.code].reset_index(drop=True)
        own = {
            name: table[table["individual"].isin(mine["id"])].reset_index(drop=True)
            for name, table in tables.items()
        }
        write_parquet(folder / "individuals.parquet", mine)
        for name, table in own.items():
            write_parquet(folder / "phenotypes" / f"{name}.parquet", table)
        told = {name: table for name, table in own.items() if name in COLUMNS}
        build_people(mine, told, folder / "people.sqlite", smk.params.reference_year, ontology)
        build_tumours(own["tumour_variants"], mine, folder / TUMOURS, effects)
        build_matchmaker_index(mine["id"], own, folder / MATCHMAKER, ontology)
        settings = NodeSettings.for_country(
            country.code,
            country.name,
            genes=smk.params.genes,
            reference_year=smk.params.reference_year,
            access=rehearsal_access(country.code, has_tumours=True),
            has_tumours=True,
            regions=tuple(smk.params.regions),
        )
        approve_algorithm(settings, smk.params.analyses[0], folder).write(folder)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
