"""The membership attack on the run's nodes, before and after protections."""

from pathlib import Path

from rehearsal.attack.attacked_node import read_nodes
from rehearsal.attack.membership_table import (
    membership_table,
    privacy_summary,
    protection_ladder,
)
from rehearsal.files import write_json, written_aside
from rehearsal.logs import logged_to
from rehearsal.report.figures.membership import power_figure
from rehearsal.report.figures.rendering import save_still
from rehearsal.seeds import derive_seed


def main(smk):
    nodes = read_nodes({code: Path(folder) for code, folder in smk.params.nodes.items()})
    seed = derive_seed(smk.params.seed, "membership")
    table = membership_table(nodes, protection_ladder(), seed)
    with written_aside(smk.output.table) as path:
        table.to_parquet(path)
    summary = privacy_summary(table)
    write_json(smk.output.summary, summary)
    save_still(power_figure(summary["table"]), smk.output.figure)


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
