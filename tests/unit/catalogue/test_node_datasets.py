"""The catalogue of a node on disk."""

from docs_build.http_api import node_document
from rehearsal.catalogue.dataset_descriptor import uniform_terms
from rehearsal.catalogue.health_dcat_ap import HEALTH, base_address, dataset_iri
from rehearsal.catalogue.node_datasets import (
    BEACON,
    HTSGET,
    INDIVIDUALS,
    describe_node_datasets,
    write_node_catalogue,
)
from rehearsal.node.privacy.public_facts import PublicFacts
from rehearsal.node.settings.node_settings import NodeSettings


def test_files_are_the_same_however_often_they_are_written(descriptors, tmp_path):
    for name in ("one", "two"):
        write_node_catalogue(tmp_path / name, descriptors, "0.1")
    for file in (tmp_path / "one/catalogue").iterdir():
        assert file.read_bytes() == (tmp_path / "two/catalogue" / file.name).read_bytes()


def test_every_address_of_a_distribution_is_a_path_of_the_node():
    served = node_document()["paths"]
    for one in (BEACON, INDIVIDUALS, HTSGET):
        assert "get" in served[f"/{one.path}"]


def test_the_number_of_a_nodes_alleles_is_not_stated(tmp_path):
    """Only the people, rounded, are public; public facts list alleles of other countries."""
    settings = NodeSettings.for_country("FI", "Finland")
    terms = uniform_terms("GDPR 6(1)a, 9(2)a", "DUO:0000042")
    described = describe_node_datasets(settings, PublicFacts.of_size(38), terms)
    graph = write_node_catalogue(tmp_path, described, "0.1")
    stated = {
        one.identifier: [
            int(number)
            for number in graph.objects(
                dataset_iri(base_address("FI"), one), HEALTH.numberOfRecords
            )
        ]
        for one in described
    }
    assert stated == {"GOE-FI-REHEARSAL-1": [], "GDI-FI-REHEARSAL-1": [40]}
