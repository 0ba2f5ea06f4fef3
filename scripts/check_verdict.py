"""End the run well only if everything that was checked holds."""

from rehearsal.files import read_json, written_aside
from rehearsal.logs import logged_to
from rehearsal.report.failures import list_failures


def main(smk):
    failures = list_failures(read_json(smk.input.summary))
    if failures:
        raise SystemExit("\n".join(failures))
    with written_aside(smk.output.verdict) as path:
        path.write_text("every check passed\n")


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
