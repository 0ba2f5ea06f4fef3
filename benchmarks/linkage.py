"""Print r² by distance for parameters of the drawn recombination map.

Simulates one megabase in the middle of each autosomal region of an overlay, with the people that
the realism rows about linkage disequilibrium use. About 0.6 CPU seconds a region.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import msprime
import numpy as np
import pandas as pd
import yaml
from measuring import header

from rehearsal.demography.model import build_model, to_msprime
from rehearsal.demography.parameters import read_parameters
from rehearsal.genomes.assembly import AUTOSOMES
from rehearsal.genomes.crossover_points import draw_points
from rehearsal.genomes.hotspots import Hotspots, hotspot_map
from rehearsal.model import Block, Country
from rehearsal.realism.linkage import LINKAGE_DISTANCES, LINKAGE_PEOPLE, linkage_sums
from rehearsal.seeds import derive_seed

ROOT = Path(__file__).resolve().parents[1]
MIDDLE = 1_000_000  # bases of each region
LEAST_FREQUENCY = 0.05
SHOWN = (5_000, 100_000)


def middles(overlay: Path) -> list[Block]:
    """List the middle of each autosomal region of an overlay.

    Args:
        overlay: A file of the configuration with ``genome.regions``.
    """
    found = []
    for region in yaml.safe_load(overlay.read_text())["genome"]["regions"]:
        contig, span = region.split(":")
        start, end = map(int, span.split("-"))
        first = (start + end - MIDDLE) // 2
        if contig in AUTOSOMES:
            found.append(Block(contig, first, first + MIDDLE))
    return found


def linkage(
    block: Block, genome: dict[str, Any], hotspots: Hotspots, demography: Any, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Simulate a block and sum r² over pairs of common sites.

    Args:
        block: The block.
        genome: The section ``genome`` of the configuration.
        hotspots: How maps are drawn.
        demography: The model, as msprime has it, of countries alone.
        seed: The root seed.

    Returns:
        The sums and the numbers of pairs, one per distance.
    """
    drawn = hotspot_map(block.contig, genome["recombination_rate"], hotspots, seed)
    codes = [p.name for p in demography.populations if len(p.name) == 2]
    ts = msprime.sim_ancestry(
        dict.fromkeys(codes, LINKAGE_PEOPLE // len(codes)),
        demography=demography,
        recombination_rate=draw_points(block, drawn, seed).concentrated(),
        random_seed=derive_seed(seed, "linkage", block.id),
    )
    ts = msprime.sim_mutations(ts, rate=genome["mutation_rate"], random_seed=1 + seed)
    carried = ts.genotype_matrix()
    common = (np.minimum(carried > 0, 1).mean(axis=1) * 2 - 1) ** 2 < (1 - 2 * LEAST_FREQUENCY) ** 2
    people = np.minimum(carried[common], 1).astype(np.int8)
    return linkage_sums(people[:, 0::2] + people[:, 1::2], ts.sites_position[common])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--overlay", type=Path, default=ROOT / "config/scale/realism.yaml")
    parser.add_argument("--seed", type=int, default=20181, help="root seed")
    parser.add_argument("--every", type=int, default=1, help="use each n-th region")
    for field in fields(Hotspots):
        parser.add_argument(f"--{field.name.replace('_', '-')}", type=float)
    options = parser.parse_args()
    genome = yaml.safe_load((ROOT / "config/config.yaml").read_text())["genome"]
    asked = {f.name: getattr(options, f.name) for f in fields(Hotspots)}
    whole = {"width", "broad_length"}
    hotspots = replace(
        Hotspots.of_genome(genome),
        **{
            name: int(value) if name in whole else value
            for name, value in asked.items()
            if value is not None
        },
    )
    table = pd.read_csv(ROOT / "config/countries.tsv", sep="\t", na_filter=False)
    countries = [Country(**row) for row in table.to_dict("records")]
    model = build_model(countries, read_parameters(ROOT / "config/demography.yaml"))
    demography, began = to_msprime(model), time.process_time()
    parts = [
        linkage(block, genome, hotspots, demography, options.seed)
        for block in middles(options.overlay)[:: options.every]
    ]
    sums, pairs = (np.array(part) for part in zip(*parts, strict=True))
    print(f"{header()}\n{hotspots}\n{len(parts)} Mb, {time.process_time() - began:.0f} CPU-s")
    for distance in SHOWN:
        index = LINKAGE_DISTANCES.index(distance)
        blocks = sums[:, index] / pairs[:, index]
        error = blocks.std(ddof=1) / np.sqrt(len(blocks))
        mean = sums[:, index].sum() / pairs[:, index].sum()
        print(f"r² at {distance // 1000} kb: {mean:.4f} ± {error:.4f}")


if __name__ == "__main__":
    main()
