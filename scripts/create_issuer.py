"""Make the issuer of the run's tokens, and put its public keys into every node's folder."""

from pathlib import Path

from rehearsal.files import atomic_path
from rehearsal.logs import log_to_file
from rehearsal.network.issuer import make_issuer


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    issuer = make_issuer(Path(smk.output.settings).parent)
    public = Path(smk.output.public).read_bytes()
    for trusted in smk.output.trusted:
        with atomic_path(trusted) as path:
            path.write_bytes(public)
    print(issuer.url)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
