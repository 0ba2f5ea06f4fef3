"""Write Phenopackets of all people and families, two files per country."""

from dataclasses import fields

import pandas as pd

from rehearsal.errors import mismatch
from rehearsal.export.clinical_tables import ClinicalTables
from rehearsal.export.json_lines import write_json_lines
from rehearsal.export.phenopacket_interpretations import GeneKnowledge
from rehearsal.export.phenopackets import Phenopackets
from rehearsal.logs import Progress, log_to_file
from rehearsal.phenotypes.trait_reader import read_traits


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    tables = ClinicalTables(
        **{one.name: pd.read_parquet(smk.input[one.name]) for one in fields(ClinicalTables)}
    )
    genes = GeneKnowledge.of(read_traits(smk.input.traits))
    outputs = zip(smk.output.phenopackets, smk.output.families, strict=True)
    files = dict(zip(smk.params.countries, outputs, strict=True))
    progress = Progress(len(files), "countries")
    for country, part in tables.by_country():
        packets = Phenopackets(part, genes, smk.params.reference_year)
        everybody, families = files.pop(country)
        write_json_lines(packets, everybody)
        write_json_lines(packets.families(), families)
        progress.step()
    if files:
        raise ValueError(
            mismatch("countries", "people in each of them", f"none in {' '.join(files)}")
        )


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
