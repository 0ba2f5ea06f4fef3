"""Write Phenopackets of an export's people and families."""

from rehearsal.export.clinical_tables import ClinicalTables
from rehearsal.export.json_lines import write_json_lines
from rehearsal.export.phenopacket_interpretations import GeneKnowledge
from rehearsal.export.phenopackets import Phenopackets
from rehearsal.export.selection import load_people, load_tables
from rehearsal.logs import log_to_file
from rehearsal.phenotypes.trait_reader import read_traits


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    people, carriers = load_people(smk.params.export, smk.wildcards.place, *smk.input.cohort)
    tables = load_tables(people, smk.input.tables)
    genes = GeneKnowledge.of(read_traits(smk.input.traits))
    clinical = ClinicalTables(people=people, carriers=carriers, **tables)
    packets = Phenopackets(clinical, genes, smk.params.reference_year)
    write_json_lines(packets, smk.output.people)
    write_json_lines(packets.families(), smk.output.families)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
