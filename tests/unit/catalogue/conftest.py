"""Datasets of a node in Finland, and their catalogue."""

import pandas as pd
import pytest

from rehearsal.catalogue.health_dcat_ap import base_address, build_catalogue
from rehearsal.catalogue.node_datasets import describe_node_datasets
from rehearsal.node.settings.node_settings import NodeSettings


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
def descriptors(consent):
    return describe_node_datasets(NodeSettings.for_country("FI", "Finland"), 104, 5000, consent)


@pytest.fixture
def graph(descriptors):
    return build_catalogue(descriptors, base_address("FI"), "Synthetic genomes of Finland", "0.1")
