"""How real the cohort is: the measures of all blocks, joined and held against what is known."""

import pandas as pd

from rehearsal.demography.targets import (
    POPRES_CENTROIDS,
    PUBLISHED_FST,
    pca_centroids,
    published_pairs,
)
from rehearsal.files import written_aside
from rehearsal.genomes.recombination import NO_RECOMBINATION, read_hapmap, uniform_map
from rehearsal.logs import logged_to
from rehearsal.realism.contigs import contig_table
from rehearsal.realism.figures import save_figures
from rehearsal.realism.measures import join, read_measures
from rehearsal.realism.panel import choose_panel
from rehearsal.realism.rows import write_rows
from rehearsal.realism.table import Comparison, realism_table


def main(smk):
    morgans = genetic_lengths(smk.params.blocks, smk.params.genome)
    panel = choose_panel(pd.read_parquet(smk.input.people), smk.params.seed)
    # A country may have nobody in this run.
    countries = [country for country in smk.params.countries if country.code in panel.codes]
    codes = [country.code for country in countries]
    parts = [read_measures(path) for path in smk.input.measures]
    joined = join(parts)
    known = Comparison(
        countries=countries,
        expected_fst=pd.read_parquet(smk.input.expected).loc[codes, codes].to_numpy(),
        published=published_pairs(PUBLISHED_FST, countries),
        popres=pca_centroids(POPRES_CENTROIDS, countries),
        crossovers=sum(
            float(part.gametes) * morgans[block.id]
            for part, block in zip(parts, smk.params.measured, strict=True)
        ),
    )
    write_rows(realism_table(joined, panel, known), smk.output.table)
    with written_aside(smk.output.contigs) as path:
        contig_table(smk.params.blocks, morgans).to_csv(path, sep="\t", index=False)
    names = [key for key in smk.output.keys() if key not in ("table", "contigs")]  # noqa: SIM118
    save_figures(joined, panel, known, {name: smk.output[name] for name in names})


def genetic_lengths(blocks, genome):
    """Morgans of each block by its id; a woman's on chrX."""
    lengths = {}
    for contig in dict.fromkeys(block.contig for block in blocks):
        template = genome["recombination_map"]
        if template and contig not in NO_RECOMBINATION:
            recombination = read_hapmap(template.replace("{contig}", contig), contig)
        else:
            recombination = uniform_map(contig, genome["recombination_rate"])
        for block in (block for block in blocks if block.contig == contig):
            ends = recombination.get_cumulative_mass([block.start, block.end])
            lengths[block.id] = float(ends[1] - ends[0])
    return lengths


if __name__ == "__main__":
    with logged_to(snakemake.log[0]):
        main(snakemake)
