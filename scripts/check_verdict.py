"""End the run well only if everything that was checked holds."""

import json
from pathlib import Path

from rehearsal.files import written_aside
from rehearsal.logs import logged_to
from rehearsal.report.summary import verdict


def main(smk):
    failures = verdict(json.loads(Path(smk.input.summary).read_text()))
    if failures:
        raise SystemExit("\n".join(failures))
    with written_aside(smk.output.verdict) as path:
        path.write_text("every check passed\n")


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
