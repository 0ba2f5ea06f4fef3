"""Who is in the cohort: sexes, ages, families, patients of stories, and who carries what was
planted in named people."""

from rehearsal.files import written_aside
from rehearsal.genomes.pedigree import patient_ids, plan_people
from rehearsal.logs import logged_to
from rehearsal.seeds import derive_seed


def main(smk):
    people, planted = plan_people(
        smk.params.countries,
        smk.params.numbers,
        smk.params.family_share,
        smk.params.variants,
        derive_seed(smk.params.seed, "people"),
        smk.params.patients,
    )
    tables = {
        smk.output.people: people,
        smk.output.planted: planted,
        smk.output.patients: patient_ids(smk.params.patients, people),
    }
    for output, table in tables.items():
        with written_aside(output) as path:
            table.to_parquet(path)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
