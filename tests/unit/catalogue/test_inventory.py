"""The inventory of others' synthetic datasets: its file, complaints about it, and DCAT records."""

from pathlib import Path

import pytest
import yaml
from pyshacl import validate
from rdflib import Graph, Literal
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, DCTERMS, FOAF, RDF

from rehearsal.catalogue.health_dcat_ap import HEALTH, to_json_ld, to_turtle
from rehearsal.catalogue.inventory import plain_inventory, read_inventory
from rehearsal.catalogue.inventory_graph import build_inventory_graph
from rehearsal.errors import InputError

from ..altered_files import refusal_of_change

FILE = Path(__file__).resolve().parents[3] / "config" / "synthetic_datasets.yaml"

# What DCAT-AP 3.0 asks of each class; written for this test.
MANDATORY = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
<urn:a> a sh:NodeShape ; sh:targetClass dcat:Catalog ;
  sh:property [ sh:path dct:title ; sh:minCount 1 ; sh:nodeKind sh:Literal ] ,
    [ sh:path dct:description ; sh:minCount 1 ; sh:nodeKind sh:Literal ] ,
    [ sh:path dct:publisher ; sh:minCount 1 ; sh:maxCount 1 ; sh:class foaf:Agent ] ,
    [ sh:path dcat:dataset ; sh:minCount 1 ; sh:class dcat:Dataset ] ,
    [ sh:path dcat:record ; sh:class dcat:CatalogRecord ] .
<urn:b> a sh:NodeShape ; sh:targetClass dcat:Dataset ;
  sh:property [ sh:path dct:title ; sh:minCount 1 ; sh:nodeKind sh:Literal ] ,
    [ sh:path dct:description ; sh:minCount 1 ; sh:nodeKind sh:Literal ] ,
    [ sh:path dct:publisher ; sh:maxCount 1 ; sh:class foaf:Agent ] ,
    [ sh:path dct:accessRights ; sh:maxCount 1 ; sh:nodeKind sh:IRI ] ,
    [ sh:path foaf:page ; sh:minCount 1 ; sh:class foaf:Document ] ,
    [ sh:path dcat:distribution ; sh:class dcat:Distribution ] .
<urn:c> a sh:NodeShape ; sh:targetClass dcat:Distribution ;
  sh:property [ sh:path dcat:accessURL ; sh:minCount 1 ; sh:nodeKind sh:IRI ] ,
    [ sh:path dct:license ; sh:maxCount 1 ; sh:class dct:LicenseDocument ] .
<urn:d> a sh:NodeShape ; sh:targetClass dcat:CatalogRecord ;
  sh:property
    [ sh:path foaf:primaryTopic ; sh:minCount 1 ; sh:maxCount 1 ; sh:class dcat:Dataset ] ,
    [ sh:path dct:modified ; sh:minCount 1 ; sh:maxCount 1 ; sh:datatype xsd:date ] .
<urn:e> a sh:NodeShape ; sh:targetClass foaf:Agent ;
  sh:property [ sh:path foaf:name ; sh:minCount 1 ; sh:nodeKind sh:Literal ] .
"""


@pytest.fixture(scope="module")
def datasets():
    return read_inventory(FILE)


@pytest.fixture(scope="module")
def graph(datasets):
    return build_inventory_graph(datasets)


def test_every_dataset_has_a_source_and_what_is_from_memory_is_said(datasets):
    assert len(datasets) >= 9
    assert len({one.title for one in datasets}) == len(datasets)
    assert all(one.sources for one in datasets)
    written = yaml.safe_load(FILE.read_text())
    for one in datasets:
        assert set(one.from_memory) <= set(written[one.key])


def test_the_records_have_what_dcat_ap_asks_for(graph):
    shapes = Graph().parse(data=MANDATORY, format="turtle")
    conforms, _, report = validate(graph, shacl_graph=shapes)
    assert conforms, report


def test_a_record_without_a_title_is_found_by_the_shapes(datasets):
    graph = build_inventory_graph(datasets)
    dataset = next(graph.subjects(RDF.type, DCAT.Dataset))
    graph.remove((dataset, DCTERMS.title, None))
    shapes = Graph().parse(data=MANDATORY, format="turtle")
    assert not validate(graph, shacl_graph=shapes)[0]


def test_there_is_one_record_for_each_dataset_with_the_day_of_its_last_source(graph, datasets):
    for one in datasets:
        (dataset,) = graph.subjects(DCTERMS.title, Literal(one.title, lang="en"))
        (record,) = graph.subjects(FOAF.primaryTopic, dataset)
        assert graph.value(record, DCTERMS.modified).value == max(s.read for s in one.sources)
        pages = {str(page) for page in graph.objects(dataset, FOAF.page)}
        assert pages == {source.address for source in one.sources}


def test_facts_from_memory_and_unknown_ones_are_in_no_record(graph, datasets):
    by_key = {one.key: one for one in datasets}
    heilsa, hapnest = (
        next(graph.subjects(DCTERMS.title, Literal(by_key[key].title, lang="en")))
        for key in ("heilsa", "hapnest")
    )
    assert graph.value(heilsa, DCTERMS.publisher) is None  # from memory
    assert graph.value(heilsa, DCTERMS.identifier) is None  # not established
    assert graph.value(hapnest, HEALTH.numberOfUniqueIndividuals).toPython() == 1_008_000


def test_turtle_and_json_ld_say_the_same(graph):
    from_turtle = Graph().parse(data=to_turtle(graph), format="turtle")
    assert isomorphic(from_turtle, Graph().parse(data=to_json_ld(graph), format="json-ld"))


def test_the_summary_has_the_facts_and_dates_as_text(datasets):
    rows = {row["key"]: row for row in plain_inventory(datasets)}
    assert rows["hapnest"]["people"] == 1_008_000
    assert rows["hapnest"]["sources"][0]["read"] == "2026-12-01"
    assert rows["rd_connect"]["people"] is None


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("  people: 14\n", "  people: 0\n", "heilsa.people: expected a whole number from 1 to"),
        ("  people: 14\n", f"  people: 1{30 * '0'}\n", "heilsa.people: expected a whole number"),
        ("hapnest:", "'a b\"><script>':", "expected a key of lower-case letters"),
        ("  people: 14\n", "  persons: 14\n", "heilsa.persons: expected one of the keys title"),
        ("  title: Heilsa synthetic data\n", "", "heilsa: expected the key title"),
        ("address: https://beacon", "address: beacon", "heilsa.address: expected text like https"),
        ("read: 2026-12-01", "read: yesterday", "sources.0..read: expected a date such as 2026"),
        ("from_memory: [publisher", "from_memory: [size", "expected one of title, publisher"),
        ("access: public", "access: free", "access: expected one of public, request"),
    ],
)
def test_an_unusable_inventory_is_refused_in_one_line(tmp_path, old, new, complaint):
    refusal_of_change(FILE, old, new, read_inventory, tmp_path, complaint)


def test_a_dataset_without_a_source_is_refused(tmp_path):
    entries = yaml.safe_load(FILE.read_text())
    entries["heilsa"]["sources"] = []
    path = tmp_path / "synthetic_datasets.yaml"
    path.write_text(yaml.safe_dump(entries))
    with pytest.raises(InputError, match="sources: expected at least one source"):
        read_inventory(path)
