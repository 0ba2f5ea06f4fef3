"""Attack the run's nodes, and ask them the stories' questions as a caller without a token."""

from pathlib import Path

from rehearsal.attack.membership_table import mount_attacks
from rehearsal.files import atomic_path, write_json
from rehearsal.logs import log_to_file
from rehearsal.report.figures.membership import power_figure
from rehearsal.report.figures.rendering import save_still
from rehearsal.seeds import derive_seed
from rehearsal.stories.public_tier import ask_as_public


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    folders = {code: Path(folder) for code, folder in smk.params.nodes.items()}
    table, summary = mount_attacks(folders, derive_seed(smk.params.seed, "membership"))
    summary["stories"] = ask_as_public(smk.params.stories, folders)
    with atomic_path(smk.output.table) as path:
        table.to_parquet(path)
    write_json(smk.output.summary, summary)
    save_still(power_figure(summary["table"]), smk.output.figure)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
