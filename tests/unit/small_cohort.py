"""A cohort that can be counted by hand: two countries, five people, six alleles."""

from pathlib import Path

import pandas as pd
import pytest
import tskit

from rehearsal.model import Block, Gene, PlantedVariant, Variant
from rehearsal.truth.query_answers import TruthCalculator
from rehearsal.truth.sources import TruthSources

# Anna and Aldo live in Finland, Bea, Ben and Bo in Estonia
PEOPLE = pd.DataFrame(
    {
        "id": ["FI-000001", "FI-000002", "EE-000001", "EE-000002", "EE-000003"],
        "country": ["FI", "FI", "EE", "EE", "EE"],
        "sex": ["female", "male", "female", "male", "male"],
        "birth_year": 1980,
    }
)
DISEASES = pd.DataFrame(
    {
        "individual": ["FI-000001", "FI-000002", "EE-000002"],
        "code": ["ICD10:I25.1", "ICD10:I25.1", "ICD10:C50"],
        "label": "",
        "mondo": ["MONDO:0005010", "MONDO:0005010", "MONDO:0007254"],
        "age_of_onset": 60.0,
    }
)
FEATURES = pd.DataFrame(
    {
        "individual": ["FI-000002", "EE-000001"],
        "code": "HP:0001677",
        "label": "",
        "age_of_onset": 1.0,
    }
)
MEASUREMENTS = pd.DataFrame(
    {
        "individual": ["EE-000003"],
        "code": "LOINC:1",
        "label": "",
        "value": 1.0,
        "unit": "",
        "age": 1.0,
    }
)
GENES = [Gene("CECR", "chr22", 95, 130, "+"), Gene("NONE", "chr22", 5000, 6000, "+")]
AUTOSOME, X = Block("chr22", 50, 1000), Block("chrX", 0, 500)
# (0-based position, reference, {alternate: samples}); samples are 0-9 on the autosome, two each
AUTOSOMAL_SITES = [
    (100, "A", {"G": [0, 1, 2, 4]}),  # Anna twice, Aldo once, Bea once
    (110, "ACT", {"A": [6]}),  # Ben, a deletion that covers 110-112
    (120, "C", {"T": [8], "G": [8 + 1]}),  # Bo has both, one on each chromosome
    (900, "T", {"C": [0, 1, 2, 3, 4, 5, 6, 7, 8]}),
]
# on X the men have one sample: Anna 0 1, Aldo 2, Bea 3 4, Ben 5, Bo 6
X_SITES = [(300, "G", {"T": [2, 3, 4, 6]})]


def write_trees(path: Path, length: int, ploidy: list[int], sites) -> Path:
    """Write one tree in which everybody descends from one root. Mutations are on the leaves.

    Args:
        path: The ``.trees`` file.
        length: Sequence length in bases.
        ploidy: Number of samples of each person.
        sites: Sites as (0-based position, reference allele, samples by alternate allele).

    Returns:
        The path.
    """
    tables = tskit.TableCollection(length)
    root = tables.nodes.add_row(time=1)
    samples = []
    for copies in ploidy:
        person = tables.individuals.add_row()
        for _ in range(copies):
            node = tables.nodes.add_row(flags=tskit.NODE_IS_SAMPLE, individual=person, time=0)
            tables.edges.add_row(0, length, root, node)
            samples.append(node)
    for position, ref, alternates in sites:
        site = tables.sites.add_row(position, ref)
        for alt, holders in alternates.items():
            for holder in holders:
                tables.mutations.add_row(site, samples[holder], alt)
    tables.sort()
    tables.build_index()
    tables.compute_mutation_parents()
    tables.dump(str(path))
    return path


@pytest.fixture(scope="session")
def trees(tmp_path_factory) -> dict[Block, Path]:
    folder = tmp_path_factory.mktemp("cohort")
    return {
        X: write_trees(folder / "x.trees", 500, [2, 1, 2, 1, 1], X_SITES),
        AUTOSOME: write_trees(folder / "22.trees", 1000, [2] * 5, AUTOSOMAL_SITES),
    }


@pytest.fixture(scope="session")
def truth(trees) -> TruthCalculator:
    sources = TruthSources(trees, PEOPLE, DISEASES, FEATURES, MEASUREMENTS, GENES)
    return TruthCalculator(sources)


@pytest.fixture
def cohort_tables() -> dict:
    """Return the tables from which a query suite is drawn, without sites."""
    return {
        "planted": [
            PlantedVariant(
                Variant("chr22", 110, "ACT", "A"), "CECR", "del", "dominant", "cancer", {"*": 0.1}
            ),
            PlantedVariant(Variant("chr22", 130, "A", "T"), "BRAF", "som", "somatic", "cancer"),
        ],
        "genes": GENES,
        "people": PEOPLE,
        "diseases": DISEASES,
        "features": FEATURES,
    }
