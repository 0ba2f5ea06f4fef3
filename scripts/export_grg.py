"""The genotype representation graph of an export's people in one block."""

from rehearsal.export.selection import load_genotypes
from rehearsal.export.trees import write_grg
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
    write_grg(genotypes, smk.output.grg)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
