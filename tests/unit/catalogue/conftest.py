"""Datasets of a node in Finland, and their catalogue."""

import pandas as pd
import pytest

from rehearsal.catalogue.dataset_descriptor import summarise_forms
from rehearsal.catalogue.health_dcat_ap import FDP, LDP, base_address, build_catalogue
from rehearsal.catalogue.node_datasets import describe_node_datasets
from rehearsal.node.privacy.public_facts import PublicFacts
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.phenotypes.consent import ConsentShares, Record


@pytest.fixture(scope="session")
def consent():
    return pd.DataFrame(
        [
            ("FI-1", "GDPR 6(1)a, 9(2)a", "DUO:0000042, DUO:0000043", False),
            ("FI-2", "GDPR 6(1)a, 9(2)a", "DUO:0000042", False),
            ("FI-3", "GDPR 6(1)e, 9(2)j", "DUO:0000007 MONDO:0007254", False),
            ("FI-4", "GDPR 6(1)e, 9(2)h", "DUO:0000043", True),
        ],
        columns=["individual", "basis", "uses", "withdrawn"],
    )


@pytest.fixture
def forms():
    """The forms of consent that the people of a run are given."""
    return ConsentShares(
        (
            Record("open", 0.5, "GDPR 6(1)a, 9(2)a", ("DUO:0000042", "DUO:0000043")),
            Record("research", 0.3, "GDPR 6(1)a, 9(2)a", ("DUO:0000042", "DUO:0000045")),
            Record("disease", 0.2, "GDPR 6(1)e, 9(2)j", ("DUO:0000007 MONDO:0007254",)),
        ),
        withdrawn=0.1,
    )


@pytest.fixture
def descriptors(forms):
    settings, facts = NodeSettings.for_country("FI", "Finland"), PublicFacts.of_size(104)
    return describe_node_datasets(settings, facts, summarise_forms(forms))


@pytest.fixture
def graph(descriptors):
    return build_catalogue(descriptors, base_address("FI"), "Synthetic genomes of Finland", "0.1")


def drop_containers_below_the_point(graph):
    """Leave only the list of catalogues: the shape catalogs.ttl applies to that document alone.

    GenomicDataInfrastructure/gdi-mini-node, commit 670695a4, README.md: an entity is validated by
    itself. The shape's target is every container, but it is written for the one it names.
    """
    for container in set(graph.subjects(LDP.hasMemberRelation)):
        if (container, LDP.hasMemberRelation, FDP.metadataCatalog) not in graph:
            graph.remove((container, None, None))
