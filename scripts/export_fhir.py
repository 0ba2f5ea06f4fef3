"""Write FHIR bundles of an export's people."""

from rehearsal.export.fhir import FhirBundles
from rehearsal.export.json_lines import write_json_lines
from rehearsal.export.selection import load_people, load_tables
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    people, _ = load_people(smk.params.export, smk.wildcards.place, *smk.input.cohort)
    tables = load_tables(people, smk.input.tables)
    bundles = FhirBundles(people, tables, smk.params.reference_year)
    write_json_lines(bundles, smk.output.people)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
