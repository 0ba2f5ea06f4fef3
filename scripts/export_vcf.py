"""Bgzipped VCF of an export's people on one contig, with its index."""

from rehearsal.export.selection import load_genotypes
from rehearsal.export.vcf import write_vcf
from rehearsal.logs import logged_to


def main(smk):
    genotypes = load_genotypes(
        smk.params.export,
        smk.wildcards.place,
        smk.input.trees,
        smk.input.people,
        smk.input.carriers,
        smk.input.patients,
    )
    write_vcf(genotypes, smk.output.vcf)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
