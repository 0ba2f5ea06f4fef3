"""A folder of an export, each of its files encrypted for the recipients."""

from rehearsal.formats.crypt4gh import encrypt_folder
from rehearsal.logs import logged_to


def main(smk):
    encrypt_folder(smk.input.folder, smk.output.encrypted, *smk.input.recipients)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
