"""A folder of an export, each of its files encrypted for the recipients."""

from rehearsal.formats.crypt4gh import encrypt_folder
from rehearsal.logs import log_to_file


def main(smk):
    encrypt_folder(smk.input.folder, smk.output.encrypted, *smk.input.recipients)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
