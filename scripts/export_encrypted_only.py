"""An export of which only encrypted files are left: their names, and how large they are."""

from pathlib import Path

from rehearsal.export.crypt4gh import remove_plain
from rehearsal.files import written_aside
from rehearsal.logs import logged_to


def main(smk):
    folder = Path(smk.output.listing).parent
    rows = [(file.relative_to(folder), file.stat().st_size) for file in remove_plain(folder)]
    with written_aside(smk.output.listing) as path:
        path.write_text("file\tbytes\n" + "".join(f"{name}\t{size}\n" for name, size in rows))


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
