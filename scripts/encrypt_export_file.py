"""Encrypt a file of an export for its recipients."""

from rehearsal.formats.crypt4gh import encrypt_file
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    encrypt_file(smk.input.file, smk.output.encrypted, *smk.input.recipients)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
