"""Simulate one block of all people's genomes as a tree sequence, and annotate its alleles."""

from functools import partial

import demes
import pandas as pd

from rehearsal.demography.model import to_msprime
from rehearsal.files import write_parquet
from rehearsal.genomes.planting_plan import rows_that_lack
from rehearsal.genomes.recombination import contig_map
from rehearsal.genomes.reference import read_reference
from rehearsal.genomes.reference_identity import ReferenceIdentity
from rehearsal.genomes.selection import annotate_under_selection
from rehearsal.genomes.simulate import SimulationSettings, simulate_block, write_trees
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    block, genome = smk.params.block, smk.params.genome
    demography = to_msprime(demes.load(smk.input.model))
    people, plan = pd.read_parquet(smk.input.people), pd.read_parquet(smk.input.planted)
    ts = simulate_block(
        block,
        people,
        plan,
        smk.params.variants,
        SimulationSettings.of_genome(genome, demography, smk.params.seed),
        contig_map(block.contig, smk.input.map[0] if smk.input.map else None),
        read_reference(smk.input.reference, block),
        ReferenceIdentity.read(smk.input.contigs, smk.input.reference),
    )
    ts, consequences = annotate_under_selection(
        ts,
        block,
        partial(read_reference, smk.input.reference),
        smk.params.transcripts,
        smk.params.variants,
        rows_that_lack(plan, people),
        smk.params.seed,
    )
    print(f"{block}: {ts.num_individuals} people, {ts.num_sites} sites, {ts.num_trees} trees")
    write_trees(ts, smk.output.trees)
    write_parquet(smk.output.consequences, consequences)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
