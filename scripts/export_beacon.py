"""Beacon documents of an export's people and their variants."""

from rehearsal.export.beacon_json import write_beacon_json
from rehearsal.export.selection import by_contig, load_genotypes, load_people, load_tables
from rehearsal.logs import logged_to


def main(smk):
    chosen = (smk.params.export, smk.wildcards.place)
    cohort = (smk.input.people, smk.input.carriers, smk.input.patients)
    people, _ = load_people(*chosen, *cohort)
    write_beacon_json(
        f"{smk.wildcards.name}-{smk.wildcards.place}",
        people,
        load_tables(people, smk.input.tables),
        (load_genotypes(*chosen, trees, *cohort) for trees in by_contig(smk.input.trees)),
        smk.output.folder,
        smk.params.reference_year,
    )


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
