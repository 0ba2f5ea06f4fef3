"""Write bgzipped VCF of an export's people on one contig, with its index."""

import pandas as pd

from rehearsal.export.selection import load_genotypes
from rehearsal.export.vcf import write_vcf
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    export, place = smk.params.export, smk.wildcards.place
    genotypes = load_genotypes(export, place, smk.input.trees, *smk.input.cohort)
    consequences = pd.concat(map(pd.read_parquet, smk.input.consequences))
    write_vcf(genotypes, smk.output.vcf, consequences, export.vcf_version)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
