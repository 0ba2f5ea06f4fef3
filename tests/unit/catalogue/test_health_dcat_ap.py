"""Metadata of synthetic datasets satisfy the shapes that GDI's catalogue checks."""

from pyshacl import validate
from rdflib import Graph, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, RDF

from rehearsal.catalogue.health_dcat_ap import ODRL, base_address, to_json_ld, to_turtle

from .conftest import drop_containers_below_the_point

BASE = base_address("FI")
PIECES = "shacl-gdi-metadata/core/PiecesShape"


def test_the_catalogue_satisfies_the_shapes_of_gdi_metadata(graph, gdi_shapes):
    conforms, _, report = validate(graph, shacl_graph=gdi_shapes(PIECES), advanced=True)
    assert conforms, report


def test_the_catalogue_satisfies_the_shapes_of_gdis_fair_data_point(graph, gdi_shapes):
    """But for its dataset.ttl, an older one, whose identifiers have no organisation in them."""
    shapes = gdi_shapes("shacl-fdp", "dataset.ttl")
    drop_containers_below_the_point(graph)
    conforms, _, report = validate(graph, shacl_graph=shapes, advanced=True)
    assert conforms, report


def test_a_catalogue_without_a_title_does_not_satisfy_them(graph, gdi_shapes):
    graph.remove((URIRef(f"{BASE}fdp/catalog"), None, None))
    graph.add((URIRef(f"{BASE}fdp/catalog"), RDF.type, DCAT.Catalog))
    conforms, _, _ = validate(graph, shacl_graph=gdi_shapes(PIECES), advanced=True)
    assert not conforms


def test_turtle_and_json_ld_say_the_same(graph):
    from_turtle = Graph().parse(data=to_turtle(graph), format="turtle")
    assert isomorphic(from_turtle, Graph().parse(data=to_json_ld(graph), format="json-ld"))
    assert isomorphic(from_turtle, graph)


def test_uses_become_permissions_of_the_data_use_ontology(graph):
    actions = {str(action) for action in graph.objects(predicate=ODRL.action)}
    assert "http://purl.obolibrary.org/obo/DUO_0000042" in actions
