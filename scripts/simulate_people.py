"""Plan the cohort: sexes, ages, families, patients of stories, and planted carriers."""

from rehearsal.files import write_parquet
from rehearsal.genomes.cohort_mix import CohortMix
from rehearsal.genomes.people import plan_cohort
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    cohort = plan_cohort(
        smk.params.countries,
        smk.params.numbers,
        smk.params.cohort["family_share"],
        smk.params.variants,
        smk.params.seed,
        smk.params.patients,
        CohortMix.of_cohort(smk.params.cohort),
    )
    write_parquet(smk.output.people, cohort.people)
    write_parquet(smk.output.planted, cohort.planted)
    write_parquet(smk.output.patients, cohort.patients)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
