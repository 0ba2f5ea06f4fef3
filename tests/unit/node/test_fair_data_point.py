"""A node serves the metadata of its datasets, under its own address."""

import asyncio
from collections import deque

import pytest
from rdflib import Graph, URIRef
from rdflib.namespace import DCAT, DCTERMS, RDF

from rehearsal.catalogue.dataset_descriptor import uniform_terms
from rehearsal.catalogue.health_dcat_ap import LDP
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
    terms = uniform_terms("GDPR 6(1)a, 9(2)a", "DUO:0000042")
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


def records_found(get, start):
    """Walk as GDI's harvester does, and sort what it finds by type.

    GenomicDataInfrastructure/gdi-userportal-ckanext-fairdatapoint, commit bb197ddc,
    ckanext/fairdatapoint/harvesters/domain: fair_data_point_record_provider.py, lines 160-171, and
    graph_to_fdp_record_mapper.py, lines 21-28. It follows every ``ldp:contains`` of a document,
    whatever its subject, breadth first, each address once.
    """
    waiting, seen, found = deque([start]), set(), {}
    while waiting:
        address = waiting.popleft()
        if address in seen:
            continue
        seen.add(address)
        status, _, body = get(address.removeprefix(HERE), "text/turtle")
        assert status == 200, address
        page = Graph().parse(data=body, format="turtle")
        for kind in page.objects(URIRef(address), RDF.type):
            found.setdefault(str(kind).rpartition("#")[2], []).append(address)
        waiting.extend(sorted(str(one) for one in page.objects(predicate=LDP.contains)))
    return found


def test_gdis_harvester_finds_the_datasets_from_the_root(get, node_data):
    settings = node_data.settings
    found = records_found(get, f"{HERE}/fdp")
    assert found["Catalog"] == [f"{HERE}/fdp/catalog"]
    assert found["Dataset"] == [
        f"{HERE}/fdp/dataset/{one}"
        for one in sorted((settings.frequencies_dataset, settings.people_dataset))
    ]
    assert len(found["Distribution"]) == 3


@pytest.mark.parametrize(
    "missing",
    [
        "license",
        "conformsTo",
        "themeTaxonomy",
        "metadataIdentifier",
        "metadataIssued",
        "metadataModified",
    ],
)
def test_the_catalogue_has_what_the_fair_data_point_specification_demands(get, missing):
    """FAIR Data Point 1.2, the table of the catalogue's metadata."""
    page = Graph().parse(data=get("/fdp/catalog")[2], format="turtle")
    here = URIRef(f"{HERE}/fdp/catalog")
    names = {str(one).replace("#", "/").rpartition("/")[2] for one in page.predicates(here)}
    assert missing in names


def test_a_distribution_names_its_format(get, node_data):
    at = f"/fdp/distribution/{node_data.settings.people_dataset}-htsget"
    page = Graph().parse(data=get(at)[2], format="turtle")
    (found,) = page.objects(URIRef(HERE + at), DCTERMS.format)
    assert str(found) == "http://publications.europa.eu/resource/authority/file-type/JSON"


def test_every_subject_below_the_point_has_a_document(get):
    waiting, seen = ["/fdp"], set()
    while waiting:
        path = waiting.pop()
        seen.add(path)
        status, _, body = get(path)
        assert status == 200, path
        subjects = set(map(str, Graph().parse(data=body, format="turtle").subjects()))
        below = {one.removeprefix(HERE) for one in subjects if one.startswith(f"{HERE}/fdp")}
        waiting += below - seen - set(waiting)
    assert {"/fdp/agent", "/fdp/contact"} <= seen


def test_the_form_of_a_document_depends_on_accept(get):
    """A cache must not give Turtle to somebody who asked for JSON-LD."""
    assert get("/fdp")[1][b"vary"] == b"Accept"


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
