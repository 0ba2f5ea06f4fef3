"""End the run with an error if any check of the report failed."""

from rehearsal.files import atomic_path, read_json
from rehearsal.logs import log_to_file
from rehearsal.report.failures import list_failures


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    failures = list_failures(read_json(smk.input.summary))
    if failures:
        raise SystemExit("\n".join(failures))
    with atomic_path(smk.output.verdict) as path:
        path.write_text("every check passed\n")


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
