"""A node serves the metadata of its datasets, under its own address."""

import asyncio

import pytest
from rdflib import Graph, URIRef
from rdflib.namespace import DCAT, RDF

from rehearsal.catalogue.dataset_descriptor import UseTerms
from rehearsal.catalogue.node_datasets import describe_node_datasets, write_node_catalogue
from rehearsal.errors import InputError
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.app import beacon_app
from rehearsal.node.fair_data_point import FairDataPoint
from rehearsal.node.privacy.public_facts import PublicFacts

from .conftest import call

HERE = "http://node.example"


@pytest.fixture(scope="module")
def folder(node_data, tmp_path_factory):
    terms = UseTerms(("GDPR 6(1)a",), (("DUO:0000042", 1.0),))
    folder, facts = tmp_path_factory.mktemp("node"), PublicFacts.of_size(12)
    write_node_catalogue(folder, describe_node_datasets(node_data.settings, facts, terms), "0.1")
    return folder


@pytest.fixture(scope="module")
def get(node_data, folder):
    app = beacon_app(
        node_data, Authorizer(node_data.settings, node_data.people), FairDataPoint(folder)
    )
    return lambda path, accept="*/*": asyncio.run(
        call(app, path, headers=[(b"accept", accept.encode())])
    )


def test_metadata_is_turtle_with_the_nodes_own_address(get):
    status, headers, body = get("/fdp")
    assert status == 200
    assert headers[b"content-type"].startswith(b"text/turtle")
    found = Graph().parse(data=body, format="turtle")
    point = URIRef("https://w3id.org/fdp/fdp-o#FAIRDataPoint")
    assert list(found.subjects(RDF.type, point)) == [URIRef(f"{HERE}/fdp")]


def test_a_dataset_is_available_as_json_ld(get, node_data):
    identifier = node_data.settings.people_dataset
    status, headers, body = get(f"/fdp/dataset/{identifier}", "application/ld+json")
    assert status == 200
    assert headers[b"content-type"].startswith(b"application/ld+json")
    found = Graph().parse(data=body, format="json-ld")
    assert (URIRef(f"{HERE}/fdp/dataset/{identifier}"), RDF.type, DCAT.Dataset) in found


def test_an_unknown_document_is_404(get):
    assert get("/fdp/dataset/GDI-XX-NOWHERE-1")[0] == 404


def test_a_node_without_documents_has_no_fair_data_point(node_data, tmp_path):
    app = beacon_app(
        node_data, Authorizer(node_data.settings, node_data.people), FairDataPoint(tmp_path)
    )
    assert asyncio.run(call(app, "/fdp"))[0] == 404


def test_invalid_documents_are_refused_at_start(tmp_path):
    (tmp_path / "catalogue").mkdir()
    (tmp_path / "catalogue/documents.json").write_text("{}")
    with pytest.raises(
        InputError, match=r"documents\.json: file: expected JSON with the documents of a FAIR"
    ):
        FairDataPoint(tmp_path)
