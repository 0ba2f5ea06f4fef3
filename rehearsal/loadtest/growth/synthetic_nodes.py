"""Synthetic nodes of any size: random genotypes and diagnoses, written directly into the stores.

They represent size only, without ancestry, families, linkage or consent. The sites and their
frequencies do not depend on the number of people, so that the same queries find the same sites at
every size.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rehearsal.evaluation.suite import beacon_request
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.loadtest.load.sender import Call
from rehearsal.loadtest.load.workload import RESEARCHER, call_of
from rehearsal.model import Query
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.seeds import derive_seed
from rehearsal.stores.carrier_lists_writer import encode
from rehearsal.stores.people_store_writer import build_people
from rehearsal.stores.variant_store_writer import StoreWriter

CONTIG, FIRST, APART = "chr22", 20_000_000, 100  # bases between neighbouring variants
SITES = 2000
DISEASE, DISEASED_SHARE = "ICD10:I25.1", 0.1
RANGE = 10_000  # bases


def build_nodes(countries: Sequence[str], people: int, folder: Path, seed: int) -> dict[str, Path]:
    """Build the folders of nodes that answer everyone.

    The stores are built once and linked into every folder. The nodes differ only by name, but each
    is a separate process that reads its own people.

    Args:
        countries: The countries of the nodes.
        people: Number of people of each node.
        folder: Where the folders are made.
        seed: The seed.

    Returns:
        Folders of the nodes by country.
    """
    store = folder / "store"
    store.mkdir(parents=True)
    individuals = _individuals(people, seed)
    _build_variants(individuals, store / "variants.sqlite", seed)
    tables = {"diseases": _diseases(individuals, seed)}
    build_people(individuals, tables, store / "people.sqlite")
    folders = {}
    for country in countries:
        folders[country] = folder / country
        folders[country].mkdir()
        NodeSettings.for_country(country, country).opened().write(folders[country])
        for name in ("variants.sqlite", "people.sqlite"):
            (folders[country] / name).symlink_to(store / name)
    return folders


def _random(seed: int, what: str) -> np.random.Generator:
    return np.random.default_rng(derive_seed(seed, "synthetic node", what))


def _individuals(people: int, seed: int) -> pd.DataFrame:
    random = _random(seed, "people")
    table = pd.DataFrame({"id": [f"XX-{number:06}" for number in range(people)]})
    table["sex"] = random.choice(["female", "male"], people)
    table["birth_year"] = random.integers(1930, 2010, people)
    return table.assign(family=None, father=None, mother=None)


def _diseases(individuals: pd.DataFrame, seed: int) -> pd.DataFrame:
    ill = _random(seed, "diseases").random(len(individuals)) < DISEASED_SHARE
    table = pd.DataFrame({"individual": individuals.loc[ill, "id"], "code": DISEASE})
    return table.assign(label="Coronary artery disease", mondo="MONDO:0005010", age_of_onset=60.0)


def _frequencies(seed: int) -> np.ndarray:
    """Draw the frequencies of all sites, log-uniform from 1e-4 to 0.5: most are rare."""
    return 10 ** _random(seed, "sites").uniform(-4, np.log10(0.5), SITES)


def _build_variants(individuals: pd.DataFrame, path: Path, seed: int) -> None:
    random = _random(seed, "genotypes")
    male = individuals["sex"].to_numpy() == "male"
    rows = []
    for number, frequency in enumerate(_frequencies(seed)):
        copies = random.binomial(2, frequency, len(male)).astype(np.int8)
        if not copies.any():
            copies[number % len(male)] = 1  # every site is in every node
        counts = (*_counts(copies[~male]), *_counts(copies[male]))
        carriers, homozygotes = (encode(np.flatnonzero(copies >= n)) for n in (1, 2))
        rows.append((0, FIRST + APART * number, "A", "G", 0, 0, 0, *counts, carriers, homozygotes))
    with StoreWriter(path, individuals, {CONTIG: CONTIG_LENGTHS[CONTIG]}) as writer:
        writer.write(path, rows)


def _counts(copies: np.ndarray) -> tuple[int, ...]:
    """Count an, ac, hom, het, hemi."""
    hom, het = int((copies == 2).sum()), int((copies == 1).sum())
    return 2 * len(copies), 2 * hom + het, hom, het, 0


def make_calls(people: int, nodes: int, url: str, seed: int, of_each: int) -> list[Call]:
    """Make calls of queries of five kinds, with the right answers from the tables.

    Args:
        people: Number of people of each node.
        nodes: Number of nodes.
        url: Base URL of the network.
        seed: The seed of the nodes.
        of_each: Number of queries of each kind.

    Returns:
        The calls.
    """
    individuals = _individuals(people, seed)
    ill = individuals["id"].isin(_diseases(individuals, seed)["individual"])
    random = _random(seed, "queries")
    place = {"assemblyId": "GRCh38", "referenceName": CONTIG.removeprefix("chr")}
    calls = []
    for number in random.choice(SITES - RANGE // APART, of_each, replace=False).tolist():
        start = FIRST + APART * number
        site = place | {"start": [start], "referenceBases": "A", "alternateBases": "G"}
        stretch = place | {"start": [start], "end": [start + RANGE]}
        sex = ("female", "male")[number % 2]
        both = [SEX_TERMS[sex], DISEASE]
        found = int((ill & (individuals["sex"] == sex)).sum())
        calls += [
            _call(url, "allele_frequency", "g_variants", site, [], "record", nodes),
            _call(url, "presence", "g_variants", site, [], "boolean", None),
            _call(url, "range", "g_variants", stretch, [], "count", nodes * RANGE // APART),
            _call(url, "individuals", "individuals", {}, both, "count", nodes * found),
            _call(url, "carriers", "individuals", site, [], "count", None),
        ]
    return calls


def _call(
    url: str,
    kind: str,
    entry_type: str,
    parameters: dict[str, Any],
    filters: list[str],
    granularity: str,
    count: int | None,
) -> Call:
    page = {"skip": 0, "limit": 1}
    request = beacon_request(parameters, [{"id": one} for one in filters], granularity, page)
    call = call_of(Query(kind, kind, entry_type, request), url)
    return replace(call, role=RESEARCHER, exists=count != 0, count=count)
