"""Does the Europe model hold when it is simulated? Prints the figures of docs/decisions.

Simulates independent chunks of an autosome (and a few of X) with as many people of each country,
and compares F_ST, PCA, heterozygosity, Ts/Tv and the X/autosome ratio with what is expected.
80 chunks of 5 Mb with 15 people a country take about 5 CPU-minutes.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from datetime import datetime
from pathlib import Path

import demes
import msprime
import numpy as np
import pandas as pd
import tskit

from rehearsal.europe.demography import build_model, to_msprime
from rehearsal.europe.expected import expected_coalescence_times, hudson_fst
from rehearsal.europe.parameters import read_parameters
from rehearsal.europe.targets import (
    POPRES_CENTROIDS,
    PUBLISHED_FST,
    map_coordinates,
    pca_centroids,
    procrustes_correlation,
    published_pairs,
)
from rehearsal.genomes.seeds import derive_seed
from rehearsal.model import Country

ROOT = Path(__file__).resolve().parents[1]
MUTATION_RATE, RECOMBINATION_RATE, KAPPA, BIN = 1.29e-8, 1.1e-8, 4.0, 1000
TRANSITIONS = ({"A", "G"}, {"C", "T"})


def binned_map(length: int, rate: float) -> msprime.RateMap:
    """All recombination of each bin at its first base (rehearsal's recipe)."""
    starts = np.arange(0, length, BIN, dtype=float)
    positions = np.append(np.column_stack([starts, starts + 1]).ravel(), length)
    return msprime.RateMap(
        position=positions, rate=np.tile([rate * BIN, 0.0], len(starts)).astype(float)
    )


def simulate(
    demography: msprime.Demography, codes: list[str], people: int, length: int, rate: float, seed
) -> tskit.TreeSequence:
    ancestry = msprime.sim_ancestry(
        dict.fromkeys(codes, people),
        demography=demography,
        recombination_rate=binned_map(length, rate),
        random_seed=seed,
    )
    model = msprime.HKY(kappa=KAPPA)
    return msprime.sim_mutations(ancestry, rate=MUTATION_RATE, model=model, random_seed=seed)


def scaled(graph: demes.Graph, factor: float) -> demes.Graph:
    data = graph.asdict()
    for deme in data["demes"]:
        for epoch in deme["epochs"]:
            epoch["start_size"] *= factor
            epoch["end_size"] *= factor
    return demes.Graph.fromdict(data)


def pairwise_differences(carried: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """Summed over sites: mean differences between genomes of each two groups, (count, count)."""
    copies = np.stack([carried[:, groups == i].sum(axis=1) for i in range(count)], axis=1)
    size = np.bincount(groups)
    frequency = copies / size
    total = frequency.sum(axis=0)
    between = total[:, None] + total - 2 * frequency.T @ frequency
    within = (2 * frequency * (1 - frequency) * size / (size - 1)).sum(axis=0)
    between[np.diag_indices(count)] = within
    return between


def relatedness(carried: np.ndarray) -> tuple[np.ndarray, int]:
    """Summed product of standardised genotypes at sites of 5 % or more, and their number."""
    genotypes = (carried[:, 0::2] + carried[:, 1::2]).astype(np.float32)
    frequency = genotypes.mean(axis=1) / 2
    common = (frequency >= 0.05) & (frequency <= 0.95)
    kept, mean = genotypes[common], frequency[common][:, None]
    standard = (kept - 2 * mean) / np.sqrt(2 * mean * (1 - mean))
    return standard.T @ standard, int(common.sum())


def transitions(ts: tskit.TreeSequence) -> tuple[int, int]:
    """(transitions, transversions) among sites with one mutation."""
    once = [site for site in ts.sites() if len(site.mutations) == 1]
    kinds = [{site.ancestral_state, site.mutations[0].derived_state} for site in once]
    found = sum(kind in TRANSITIONS for kind in kinds)
    return found, len(kinds) - found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=80)
    parser.add_argument("--megabases", type=float, default=5)
    parser.add_argument("--people", type=int, default=15, help="of each country")
    parser.add_argument("--parameters", type=Path, default=ROOT / "config/demography.yaml")
    parser.add_argument("--countries", type=Path, default=ROOT / "config/countries.tsv")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()

    table = pd.read_csv(options.countries, sep="\t", na_filter=False)
    countries = [Country(**row) for row in table.to_dict("records")]
    codes = [country.code for country in countries]
    graph = build_model(countries, read_parameters(options.parameters))
    expected = hudson_fst(expected_coalescence_times(graph, codes))
    length = int(options.megabases * 1e6)
    groups = np.repeat(np.arange(len(codes)), 2 * options.people)

    started, wall = time.process_time(), time.time()
    differences, kinship, common = np.zeros_like(expected), 0.0, 0
    kinds, sites, single = np.zeros(2), 0, 0
    demography = to_msprime(graph)
    for chunk in range(options.chunks):
        seed = derive_seed(options.seed, "autosome", chunk)
        ts = simulate(demography, codes, options.people, length, RECOMBINATION_RATE, seed)
        carried = (ts.genotype_matrix() > 0).astype(np.int8)
        copies = carried.sum(axis=1)
        sites += int(((copies > 0) & (copies < len(groups))).sum())
        single += int((copies == 1).sum())
        differences += pairwise_differences(carried, groups, len(codes))
        part, number = relatedness(carried)
        kinship, common = kinship + part, common + number
        kinds += transitions(ts)
    on_x = np.zeros_like(expected)
    x_chunks = max(1, options.chunks // 8)
    for chunk in range(x_chunks):
        seed = derive_seed(options.seed, "X", chunk)
        x_graph = to_msprime(scaled(graph, 0.75))
        ts = simulate(x_graph, codes, options.people, length, RECOMBINATION_RATE * 2 / 3, seed)
        on_x += pairwise_differences((ts.genotype_matrix() > 0).astype(np.int8), groups, len(codes))
    seconds, wall = time.process_time() - started, time.time() - wall

    fst = hudson_fst(differences)
    upper = np.triu_indices(len(codes), 1)
    _, vectors = np.linalg.eigh(kinship / common)
    people_of = np.repeat(np.arange(len(codes)), options.people)
    axes = np.array([vectors[people_of == i, -2:].mean(axis=0) for i in range(len(codes))])
    index = {code: i for i, code in enumerate(codes)}
    pairs = published_pairs(PUBLISHED_FST, countries)
    simulated = fst[pairs["country1"].map(index), pairs["country2"].map(index)]
    popres = pca_centroids(POPRES_CENTROIDS, countries)
    bases = options.chunks * length
    diversity = np.diag(differences) / bases
    ratio = (np.diag(on_x) / (x_chunks * length)).mean() / diversity.mean()
    print(f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores, "
          f"{datetime.now():%Y-%m-%d}, load {os.getloadavg()[0]:.1f}")  # fmt: skip
    print(f"{options.chunks} x {options.megabases:g} Mb x {options.people} people a country: "
          f"{seconds:.0f} CPU-s, {wall:.0f} s")  # fmt: skip
    print(f"F_ST simulated against expected: r = {np.corrcoef(fst[upper], expected[upper])[0, 1]:.4f}, "
          f"slope {np.polyfit(expected[upper], fst[upper], 1)[0]:.3f}, highest {fst.max():.4f}")  # fmt: skip
    print(f"F_ST simulated against {len(pairs)} published pairs: "
          f"r = {np.corrcoef(simulated, pairs['fst'])[0, 1]:.3f}")  # fmt: skip
    of_popres = axes[popres["country"].map(index)]
    print("PCA of all people, Procrustes: POPRES "
          f"{procrustes_correlation(of_popres, popres[['pc1', 'pc2']].to_numpy()):.3f}, "
          f"map {procrustes_correlation(axes, map_coordinates(countries)):.3f} ({common} sites)")  # fmt: skip
    print(f"heterozygosity {diversity.mean():.3e} ({diversity.min():.3e} "
          f"{codes[int(diversity.argmin())]} to {diversity.max():.3e} "
          f"{codes[int(diversity.argmax())]}); X/autosome {ratio:.3f}")  # fmt: skip
    print(f"Ts/Tv {kinds[0] / kinds[1]:.3f}; {sites / bases * 1e6:.0f} sites/Mb, "
          f"{100 * single / sites:.1f} % with one copy")  # fmt: skip


if __name__ == "__main__":
    main()
