"""Heteroplasmy: people whose mitochondria have two alleles at a site.

A share of the founders has it at one site. A child has its mother's mixture, changed by a
bottleneck of few mitochondrial genomes. Below the smallest level that sequencing tells from errors
one allele is lost. The genotype of the tree sequence, and so of every file, is the major allele: if
a child's is not its mother's, it gets a mutation. The levels stand in the metadata of the tree
sequence, ``heteroplasmy``, as rows of individual, 0-based position, alternate allele and its level.

Figures: Genome of the Netherlands Consortium, "Transmission of human mtDNA heteroplasmy", Genome
Research 26:417-426 (2016): 189 mixtures of at least 2 % in 228 mothers, 59 % of them seen in the
child, nine genomes transmitted.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import tskit
from numpy.typing import NDArray

from rehearsal.genomes.pedigree import Pedigree
from rehearsal.genomes.structural import site_spans
from rehearsal.model import PlantedVariant
from rehearsal.seeds import derive_seed

KEY = "heteroplasmy"
COLUMNS = ("individual", "position", "alt", "level")
BOTTLENECK = 9  # genomes from mother to child
LEAST_LEVEL = 0.02  # of the minor allele
MOST_SITES = 200  # from which sites are drawn: each is decoded for everybody


class _Site(NamedTuple):
    """A site with two single-base alleles, and who is called as what."""

    number: int
    alleles: tuple[str, str]
    called: NDArray[np.bool_]  # (n_people,) whether the tree sequence has the alternate one
    countries: NDArray[np.bool_]  # (n_countries,) where at least one person has the alternate


def add_heteroplasmy(
    ts: tskit.TreeSequence,
    people: pd.DataFrame,
    share: float,
    seed: int,
    planted: Sequence[PlantedVariant] = (),
) -> tskit.TreeSequence:
    """Draw mixtures of alleles, and change the genotypes of children whose major allele is another.

    A person's site is one where somebody of the same country has the alternate allele, so every
    country's files have a record of it.

    Args:
        ts: The tree sequence of a block. Individual i is row i of ``people``.
        people: The people table.
        share: Share of the founders with a mixture, 0 to 1.
        seed: The run's root seed.
        planted: Planted variants of the block. Their genotypes stay.

    Returns:
        The tree sequence with mutations of children and the levels in its metadata. Blocks of other
        contigs come back as they are.
    """
    if ts.metadata["contig"] != "chrM" or share == 0:
        return ts
    avoided = frozenset(one.variant.start for one in planted)
    rng = np.random.default_rng(derive_seed(seed, "heteroplasmy"))
    pedigree = Pedigree.of(people)
    country = pd.factorize(people["country"])[0]
    sites = _draw_sites(ts, country, avoided, rng)
    drawn = np.flatnonzero(pedigree.founder & (rng.random(len(people)) < share))
    levels = _draw_levels(sites, drawn, country, rng)
    tables, rows = ts.dump_tables(), []
    children = _Children(pedigree.mother)
    node_of = np.empty(ts.num_individuals, np.int64)
    node_of[ts.nodes_individual[ts.samples()]] = ts.samples()
    for site, level in zip(sites, levels, strict=True):
        for child, called in _inherit(site, level, children, rng):
            node = int(node_of[child])
            tables.mutations.add_row(
                site.number, node, site.alleles[int(called)], time=ts.nodes_time[node]
            )
        place = int(ts.sites_position[site.number])
        rows += [(who, place, site.alleles[1], round(x, 4)) for who, x in level.items()]
    index = tables.indexes
    tables.sort(edge_start=len(tables.edges))
    tables.indexes = index
    tables.compute_mutation_parents()
    tables.metadata = {**tables.metadata, KEY: sorted(rows)}
    return tables.tree_sequence()


def heteroplasmy_of(ts: tskit.TreeSequence) -> pd.DataFrame:
    """Read the mixtures of a tree sequence.

    Args:
        ts: A tree sequence, of chrM or another contig.

    Returns:
        One row per mixture with ``COLUMNS``: the individual's number, the 0-based position, the
        alternate allele and its level. Empty where nothing is mixed.
    """
    metadata = ts.metadata if isinstance(ts.metadata, dict) else {}
    table = pd.DataFrame(metadata.get(KEY, []), columns=list(COLUMNS))
    return table.astype({"individual": "int64", "position": "int64", "level": "float64"})


def _draw_levels(
    sites: Sequence[_Site],
    drawn: NDArray[np.int64],
    country: NDArray[np.int64],
    rng: np.random.Generator,
) -> list[dict[int, float]]:
    """Draw a site for each founder with a mixture, and the level of the alternate allele there."""
    levels: list[dict[int, float]] = [{} for _ in sites]  # by individual
    for person in drawn.tolist():
        able = [k for k, site in enumerate(sites) if site.countries[country[person]]]
        minor = float(np.exp(rng.uniform(np.log(LEAST_LEVEL), np.log(0.5))))
        if able:
            chosen = able[rng.integers(len(able))]
            called = sites[chosen].called[person]
            levels[chosen][person] = 1 - minor if called else minor
    return levels


def _draw_sites(
    ts: tskit.TreeSequence,
    country: NDArray[np.int64],
    avoided: frozenset[int],
    rng: np.random.Generator,
) -> list[_Site]:
    """Draw sites with two single-base alleles, that no other site affects."""
    sites: list[_Site] = []
    owner = ts.nodes_individual[ts.samples()]
    variant = tskit.Variant(ts)
    end, svlen = site_spans(ts)
    before = np.append(0, np.maximum.accumulate(end))[:-1]  # end of what earlier sites affect
    whole = (before <= ts.sites_position) & (svlen == 0)
    for number in rng.permutation(np.flatnonzero(whole)).tolist():
        if len(sites) == MOST_SITES:
            break
        if int(ts.sites_position[number]) in avoided:
            continue
        variant.decode(number)
        alleles = variant.alleles
        if len(alleles) != 2 or any(len(allele) != 1 for allele in alleles):
            continue
        called = np.zeros(len(country), bool)
        called[owner] = variant.genotypes == 1
        present = np.bincount(country[called], minlength=country.max() + 1) > 0
        sites.append(_Site(number, (alleles[0], alleles[1]), called, present))
    return sites


class _Children:
    """The children of each woman."""

    def __init__(self, mother: NDArray[np.int64]) -> None:
        self._order = np.argsort(mother, kind="stable")
        self._mother = mother[self._order]

    def of(self, woman: int) -> list[int]:
        first, end = np.searchsorted(self._mother, [woman, woman + 1])
        return self._order[first:end].tolist()


def _inherit(
    site: _Site, level: dict[int, float], children: _Children, rng: np.random.Generator
) -> list[tuple[int, bool]]:
    """Hand mixtures on from mothers to children, whose levels ``level`` gets.

    Returns:
        The children whose major allele is not that of the tree sequence, and whether it is the
        alternate one.
    """
    changed: list[tuple[int, bool]] = []
    flipped = dict.fromkeys(level, False)  # whether the call is not that of the tree sequence
    waiting = list(level)
    while waiting:
        mother = waiting.pop()
        x = level[mother]
        for child in children.of(mother):
            # variance x (1 - x) / BOTTLENECK, as of that many genomes drawn
            drawn = float(rng.beta(x * (BOTTLENECK - 1), (1 - x) * (BOTTLENECK - 1)))
            called = drawn > 0.5
            flipped[child] = called != bool(site.called[child])
            if flipped[child] != flipped[mother]:
                changed.append((child, called))
            if LEAST_LEVEL <= drawn <= 1 - LEAST_LEVEL:
                level[child] = drawn
                waiting.append(child)
    return changed
