"""An export of which only encrypted files are left, and their names."""

from pathlib import Path

from rehearsal.export.settings import METADATA
from rehearsal.files import atomic_path
from rehearsal.formats.crypt4gh import remove_plain
from rehearsal.logs import log_to_file


def main(smk):
    folder = Path(smk.output.listing).parent
    encrypted = remove_plain(folder, METADATA)
    names = [str(file.relative_to(folder)) for file in encrypted]
    with atomic_path(smk.output.listing) as path:
        path.write_text("\n".join(["file", *names]) + "\n")


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
