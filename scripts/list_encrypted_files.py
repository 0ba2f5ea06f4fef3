"""Remove the plain files of an export, and list the encrypted ones."""

from pathlib import Path

from rehearsal.export.settings import METADATA
from rehearsal.files import atomic_path
from rehearsal.formats.crypt4gh import remove_plain
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    folder = Path(smk.output.listing).parent
    encrypted = remove_plain(folder, METADATA)
    names = [str(file.relative_to(folder)) for file in encrypted]
    with atomic_path(smk.output.listing) as path:
        path.write_text("\n".join(["file", *names]) + "\n")


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
