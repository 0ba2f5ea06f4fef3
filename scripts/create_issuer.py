"""The issuer of this run's tokens: its keys, and the public ones in every node's folder."""

from pathlib import Path

from rehearsal.files import written_aside
from rehearsal.logs import logged_to
from rehearsal.network.issuer import make_issuer


def main(smk):
    issuer = make_issuer(Path(smk.output.settings).parent)
    public = Path(smk.output.public).read_bytes()
    for trusted in smk.output.trusted:
        with written_aside(trusted) as path:
            path.write_bytes(public)
    print(issuer.url)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
