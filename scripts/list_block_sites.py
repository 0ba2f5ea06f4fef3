"""Every alternate allele of a block with its copies in the cohort, counted by the truth's code."""

from rehearsal.files import written_aside
from rehearsal.logs import logged_to
from rehearsal.truth.pooled_sites import pooled_sites


def main(smk):
    with written_aside(smk.output.sites) as path:
        pooled_sites({smk.params.block: smk.input.trees}).to_parquet(path)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
