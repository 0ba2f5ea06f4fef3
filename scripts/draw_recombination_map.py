"""Draw the recombination map of a contig: hotspots at random places."""

from rehearsal.genomes.hotspots import Hotspots, hotspot_map, write_hapmap
from rehearsal.logs import log_to_file


def main(smk):
    """Run the job.

    Args:
        smk: Snakemake's description of the job: its inputs, outputs, params and wildcards.
    """
    contig, genome = smk.wildcards.contig, smk.params.genome
    drawn = hotspot_map(
        contig, genome["recombination_rate"], Hotspots.of_genome(genome), smk.params.seed
    )
    print(f"{contig}: {100 * drawn.total_mass:.2f} cM, {len(drawn.rate)} stretches")
    write_hapmap(drawn, contig, smk.output.map)


if __name__ == "__main__":
    with log_to_file(snakemake.log[0]):
        main(snakemake)
