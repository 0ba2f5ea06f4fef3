"""Join the realism measures of all blocks and compare them with published values."""

import pandas as pd

from rehearsal.files import atomic_path
from rehearsal.logs import log_to_file
from rehearsal.realism.contigs import contig_table, genetic_lengths
from rehearsal.realism.figures import FIGURES, save_figures
from rehearsal.realism.measures import join, read_measures
from rehearsal.realism.panel import choose_panel
from rehearsal.realism.published import compare_with, expected_crossovers
from rehearsal.realism.rows import write_rows
from rehearsal.realism.table import realism_table


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    morgans = genetic_lengths(smk.params.blocks, smk.params.maps)
    panel = choose_panel(pd.read_parquet(smk.input.people), smk.params.seed)
    parts = [read_measures(path) for path in smk.input.measures]
    joined = join(parts)
    known = compare_with(
        panel,
        smk.params.countries,
        pd.read_parquet(smk.input.expected),
        expected_crossovers(parts, [morgans[block.id] for block in smk.params.measured]),
    )
    write_rows(realism_table(joined, panel, known), smk.output.table)
    with atomic_path(smk.output.contigs) as path:
        contig_table(smk.params.blocks, morgans).to_csv(path, sep="\t", index=False)
    save_figures(joined, panel, known, {name: smk.output[name] for name in FIGURES})


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
