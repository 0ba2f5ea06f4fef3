"""Check that the Europe model holds when it is simulated. Prints the figures of docs/decisions.

Simulates independent chunks of an autosome (and a few of X) with the same number of people from
each country. Compares F_ST, PCA, heterozygosity, Ts/Tv and the X/autosome ratio with the expected
values. 80 chunks of 5 Mb with 15 people per country take about 5 CPU minutes.
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass
from pathlib import Path

import demes
import msprime
import numpy as np
import pandas as pd
import tskit
from measuring import header

from rehearsal.demography.expected_fst import expected_coalescence_times, hudson_fst
from rehearsal.demography.model import build_model, to_msprime
from rehearsal.demography.parameters import read_parameters
from rehearsal.demography.procrustes import procrustes_correlation
from rehearsal.demography.targets import (
    POPRES_CENTROIDS,
    PUBLISHED_FST,
    map_coordinates,
    pca_centroids,
    published_pairs,
)
from rehearsal.model import Country
from rehearsal.seeds import derive_seed

ROOT = Path(__file__).resolve().parents[1]
MUTATION_RATE, RECOMBINATION_RATE, KAPPA, BIN = 1.29e-8, 1.1e-8, 4.0, 1000
TRANSITIONS = ({"A", "G"}, {"C", "T"})


def binned_map(length: int, rate: float) -> msprime.RateMap:
    """Put all recombination of each kilobase at its first base: quick, and F_ST does not change.

    Args:
        length: Bases.
        rate: Recombination per base and generation.
    """
    starts = np.arange(0, length, BIN, dtype=float)
    positions = np.append(np.column_stack([starts, starts + 1]).ravel(), length)
    return msprime.RateMap(
        position=positions, rate=np.tile([rate * BIN, 0.0], len(starts)).astype(float)
    )


def simulate(
    demography: msprime.Demography,
    codes: list[str],
    people: int,
    length: int,
    rate: float,
    seed: int,
) -> tskit.TreeSequence:
    """Simulate one chunk.

    Args:
        demography: The model.
        codes: Codes of the countries.
        people: People per country.
        length: Bases.
        rate: Recombination per base and generation.
        seed: Seed of ancestry and mutations.
    """
    ancestry = msprime.sim_ancestry(
        dict.fromkeys(codes, people),
        demography=demography,
        recombination_rate=binned_map(length, rate),
        random_seed=seed,
    )
    model = msprime.HKY(kappa=KAPPA)
    return msprime.sim_mutations(ancestry, rate=MUTATION_RATE, model=model, random_seed=seed)


def scaled(graph: demes.Graph, factor: float) -> demes.Graph:
    """Multiply all population sizes of a model.

    Args:
        graph: The model.
        factor: The factor.
    """
    data = graph.asdict()
    for deme in data["demes"]:
        for epoch in deme["epochs"]:
            epoch["start_size"] *= factor
            epoch["end_size"] *= factor
    return demes.Graph.fromdict(data)


def pairwise_differences(carried: np.ndarray, groups: np.ndarray, count: int) -> np.ndarray:
    """Sum mean differences between genomes over sites, for each two groups.

    Args:
        carried: Whether each genome has the derived allele, shape (sites, genomes).
        groups: Group of each genome, shape (genomes,).
        count: Number of groups.

    Returns:
        Differences, shape (count, count).
    """
    copies = np.stack([carried[:, groups == i].sum(axis=1) for i in range(count)], axis=1)
    size = np.bincount(groups)
    frequency = copies / size
    total = frequency.sum(axis=0)
    between = total[:, None] + total - 2 * frequency.T @ frequency
    within = (2 * frequency * (1 - frequency) * size / (size - 1)).sum(axis=0)
    between[np.diag_indices(count)] = within
    return between


def relatedness(carried: np.ndarray) -> tuple[np.ndarray, int]:
    """Sum products of standardised genotypes over sites where both alleles have 5 % or more.

    Args:
        carried: Whether each genome has the derived allele, shape (sites, genomes).

    Returns:
        The sums, shape (people, people), and the number of sites.
    """
    genotypes = (carried[:, 0::2] + carried[:, 1::2]).astype(np.float32)
    frequency = genotypes.mean(axis=1) / 2
    common = (frequency >= 0.05) & (frequency <= 0.95)
    kept, mean = genotypes[common], frequency[common][:, None]
    standard = (kept - 2 * mean) / np.sqrt(2 * mean * (1 - mean))
    return standard.T @ standard, int(common.sum())


def transitions(ts: tskit.TreeSequence) -> tuple[int, int]:
    """Count transitions and transversions among sites with one mutation.

    Args:
        ts: The tree sequence.
    """
    once = [site for site in ts.sites() if len(site.mutations) == 1]
    kinds = [{site.ancestral_state, site.mutations[0].derived_state} for site in once]
    found = sum(kind in TRANSITIONS for kind in kinds)
    return found, len(kinds) - found


@dataclass
class Sums:
    """Sums over the chunks."""

    differences: np.ndarray  # (k, k), autosomes
    on_x: np.ndarray  # (k, k)
    kinship: np.ndarray  # (people, people)
    common: int = 0
    sites: int = 0
    singletons: int = 0
    kinds: tuple[int, int] = (0, 0)


def add_autosome(sums: Sums, ts: tskit.TreeSequence, groups: np.ndarray) -> None:
    """Add one autosomal chunk.

    Args:
        sums: The sums; they are changed.
        ts: The tree sequence of the chunk.
        groups: Group of each genome.
    """
    carried = (ts.genotype_matrix() > 0).astype(np.int8)
    copies = carried.sum(axis=1)
    sums.sites += int(((copies > 0) & (copies < len(groups))).sum())
    sums.singletons += int((copies == 1).sum())
    sums.differences += pairwise_differences(carried, groups, len(sums.differences))
    part, number = relatedness(carried)
    sums.kinship += part
    sums.common += number
    one, other = transitions(ts)
    sums.kinds = (sums.kinds[0] + one, sums.kinds[1] + other)


def run(graph: demes.Graph, codes: list[str], options: argparse.Namespace, x_chunks: int) -> Sums:
    """Simulate all chunks and sum them up.

    Args:
        graph: The model.
        codes: Codes of the countries.
        options: Options of the command.
        x_chunks: Number of chunks of X.
    """
    length, people, count = int(options.megabases * 1e6), options.people, len(codes)
    groups = np.repeat(np.arange(count), 2 * people)
    square, individuals = np.zeros((count, count)), count * people
    sums = Sums(square, square.copy(), np.zeros((individuals, individuals), dtype=np.float64))
    whole, three_quarters = to_msprime(graph), to_msprime(scaled(graph, 0.75))
    for chunk in range(options.chunks):
        seed = derive_seed(options.seed, "autosome", chunk)
        add_autosome(sums, simulate(whole, codes, people, length, RECOMBINATION_RATE, seed), groups)
    for chunk in range(x_chunks):
        seed = derive_seed(options.seed, "X", chunk)
        ts = simulate(three_quarters, codes, people, length, RECOMBINATION_RATE * 2 / 3, seed)
        sums.on_x += pairwise_differences((ts.genotype_matrix() > 0).astype(np.int8), groups, count)
    return sums


def print_fst(sums: Sums, graph: demes.Graph, countries: list[Country]) -> None:
    """Print how well F_ST agrees with expected and published values.

    Args:
        sums: Sums over the chunks.
        graph: The model.
        countries: The countries.
    """
    codes = [country.code for country in countries]
    index = {code: i for i, code in enumerate(codes)}
    expected = hudson_fst(expected_coalescence_times(graph, codes))
    fst, upper = hudson_fst(sums.differences), np.triu_indices(len(codes), 1)
    pairs = published_pairs(PUBLISHED_FST, countries)
    simulated = fst[pairs["country1"].map(index), pairs["country2"].map(index)]
    print(
        f"F_ST against the expected: r = {np.corrcoef(fst[upper], expected[upper])[0, 1]:.4f}, "
        f"slope {np.polyfit(expected[upper], fst[upper], 1)[0]:.3f}, highest {fst.max():.4f}"
    )
    r = np.corrcoef(simulated, pairs["fst"])[0, 1]
    print(f"F_ST against {len(pairs)} published pairs: r = {r:.3f}")


def print_pca(sums: Sums, countries: list[Country], people: int) -> None:
    """Print how well principal components agree with POPRES and the map.

    Args:
        sums: Sums over the chunks.
        countries: The countries.
        people: People per country.
    """
    _, vectors = np.linalg.eigh(sums.kinship / sums.common)
    axes = vectors[:, -2:].reshape(len(countries), people, 2).mean(axis=1)
    index = {country.code: i for i, country in enumerate(countries)}
    popres = pca_centroids(POPRES_CENTROIDS, countries)
    shown = axes[popres["country"].map(index)]
    to_popres = procrustes_correlation(shown, popres[["pc1", "pc2"]].to_numpy())
    to_map = procrustes_correlation(axes, map_coordinates(countries))
    print(
        f"PCA of all people, {sums.common} sites of 5 % or more, Procrustes: "
        f"POPRES {to_popres:.3f}, map {to_map:.3f}"
    )


def print_sites(sums: Sums, codes: list[str], bases: float, x_bases: float) -> None:
    """Print heterozygosity, X/autosome ratio, Ts/Tv and numbers of sites.

    Args:
        sums: Sums over the chunks.
        codes: Codes of the countries.
        bases: Autosomal bases.
        x_bases: Bases of X.
    """
    diversity = np.diag(sums.differences) / bases
    least, most = int(diversity.argmin()), int(diversity.argmax())
    ratio = np.diag(sums.on_x).mean() / x_bases / diversity.mean()
    print(
        f"heterozygosity {diversity.mean():.2e} ({codes[least]} {diversity[least]:.2e} to "
        f"{codes[most]} {diversity[most]:.2e}); X/autosome {ratio:.3f}"
    )
    print(
        f"Ts/Tv {sums.kinds[0] / sums.kinds[1]:.3f}; {sums.sites / bases * 1e6:.0f} sites/Mb, "
        f"{sums.singletons / sums.sites:.1%} with one copy"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--chunks", type=int, default=80, help="number of autosomal chunks")
    parser.add_argument("--megabases", type=float, default=5, help="length of a chunk")
    parser.add_argument("--people", type=int, default=15, help="people per country")
    parser.add_argument(
        "--parameters",
        type=Path,
        default=ROOT / "config/demography.yaml",
        help="parameters of the model",
    )
    parser.add_argument(
        "--countries", type=Path, default=ROOT / "config/countries.tsv", help="table of countries"
    )
    parser.add_argument("--seed", type=int, default=1, help="root seed")
    options = parser.parse_args()
    table = pd.read_csv(options.countries, sep="\t", na_filter=False)
    countries = [Country(**row) for row in table.to_dict("records")]
    codes = [country.code for country in countries]
    graph = build_model(countries, read_parameters(options.parameters))
    x_chunks = max(1, options.chunks // 8)
    started, wall = time.process_time(), time.time()
    sums = run(graph, codes, options, x_chunks)
    print(header())
    print(
        f"{options.chunks} x {options.megabases:g} Mb, {options.people} people per country: "
        f"{time.process_time() - started:.0f} CPU-s, {time.time() - wall:.0f} s"
    )
    print_fst(sums, graph, countries)
    print_pca(sums, countries, options.people)
    chunk = options.megabases * 1e6
    print_sites(sums, codes, options.chunks * chunk, x_chunks * chunk)


if __name__ == "__main__":
    main()
