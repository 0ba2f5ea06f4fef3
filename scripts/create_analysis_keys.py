"""Make the keys of the run's analyses, and put the public ones into every node's folder."""

from pathlib import Path

from rehearsal.evaluation.analyses.keys import make_analysis_keys
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    folders = [Path(accepted).parent for accepted in smk.output.accepted]
    make_analysis_keys(Path(smk.output.coordinator), folders)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
