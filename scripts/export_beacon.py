"""Write Beacon documents of an export's people and their variants."""

from rehearsal.export.beacon_json import write_beacon_json
from rehearsal.export.selection import group_by_contig, load_genotypes, load_people, load_tables
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    chosen = (smk.params.export, smk.wildcards.place)
    people, _ = load_people(*chosen, *smk.input.cohort)
    write_beacon_json(
        f"{smk.wildcards.name}-{smk.wildcards.place}",
        people,
        load_tables(people, smk.input.tables),
        (
            load_genotypes(*chosen, trees, *smk.input.cohort)
            for trees in group_by_contig(smk.input.trees)
        ),
        smk.output.folder,
        smk.params.reference_year,
    )


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
