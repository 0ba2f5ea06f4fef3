"""Metadata of synthetic datasets satisfy the shapes that GDI's catalogue checks."""

import json

import pandas as pd
import pytest
from pyshacl import validate
from rdflib import Graph, URIRef
from rdflib.compare import isomorphic
from rdflib.namespace import DCAT, RDF

from rehearsal.catalogue.dataset_descriptor import descriptor_to_json, summarise_consent
from rehearsal.catalogue.health_dcat_ap import (
    ODRL,
    base_address,
    build_catalogue,
    to_json_ld,
    to_turtle,
)
from rehearsal.catalogue.node_datasets import (
    describe_node_datasets,
    fair_data_point_documents,
    write_node_catalogue,
)
from rehearsal.catalogue.ro_crate import write_crate
from rehearsal.node.settings import NodeSettings

CONSENT = pd.DataFrame(
    [
        ("FI-1", "GDPR 6(1)a, 9(2)a", "DUO:0000042, DUO:0000043", False),
        ("FI-2", "GDPR 6(1)a, 9(2)a", "DUO:0000042", False),
        ("FI-3", "GDPR 6(1)e, 9(2)j", "DUO:0000007 MONDO:0007254", False),
        ("FI-4", "GDPR 6(1)e, 9(2)h", "DUO:0000043", True),
    ],
    columns=["individual", "basis", "uses", "withdrawn"],
)
BASE = base_address("FI")
PIECES = "shacl-gdi-metadata/core/PiecesShape"


@pytest.fixture
def descriptors():
    return describe_node_datasets(NodeSettings.for_country("FI", "Finland"), 104, 5000, CONSENT)


@pytest.fixture
def graph(descriptors):
    return build_catalogue(descriptors, BASE, "Synthetic genomes of Finland", "0.1")


def test_the_catalogue_satisfies_the_shapes_of_gdi_metadata(graph, gdi_shapes):
    conforms, _, report = validate(graph, shacl_graph=gdi_shapes(PIECES), advanced=True)
    assert conforms, report


def test_the_catalogue_satisfies_the_shapes_of_gdis_fair_data_point(graph, gdi_shapes):
    """But for its dataset.ttl, an older one, whose identifiers have no organisation in them."""
    shapes = gdi_shapes("shacl-fdp", "dataset.ttl")
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


def test_consent_is_told_as_shares_of_those_who_did_not_withdraw():
    bases, uses = summarise_consent(CONSENT)
    assert bases == ("GDPR 6(1)a, 9(2)a", "GDPR 6(1)e, 9(2)j")
    assert uses == (("DUO:0000042", 0.67), ("DUO:0000007", 0.33), ("DUO:0000043", 0.33))


def test_nobodys_consent_is_no_catalogue():
    with pytest.raises(ValueError, match="nobody's consent"):
        summarise_consent(CONSENT[CONSENT["withdrawn"]])


def test_a_descriptor_answers_the_survey(descriptors):
    told = descriptor_to_json(descriptors[1])
    assert told["identifier"] == "GDI-FI-REHEARSAL-1"
    assert told["synthetic"] is True
    assert told["individuals"] == 100  # as the node tells it, rounded
    assert told["survey"]["usable_for_future_research"] == "yes"
    assert told["survey"]["usable_in_healthcare_of_others"] == "yes"
    assert told["uses"][0] == {
        "term": "DUO:0000042",
        "label": "general research use",
        "share": 0.67,
    }


def test_uses_become_permissions_of_the_data_use_ontology(graph):
    actions = {str(action) for action in graph.objects(predicate=ODRL.action)}
    assert "http://purl.obolibrary.org/obo/DUO_0000042" in actions


def test_every_document_of_a_fair_data_point_leads_on_to_the_next(graph):
    found = fair_data_point_documents(graph, BASE)
    pages = {
        place: Graph().parse(data=texts["text/turtle"], format="turtle")
        for place, texts in found["documents"].items()
    }
    at = "/fdp"
    for predicate in ("metadataCatalog", "dataset", "distribution"):
        here = URIRef(BASE + at.removeprefix("/"))
        (after, *_) = sorted(
            str(value)
            for name, value in pages[at].predicate_objects(here)
            if str(name).endswith(predicate)
        )
        at = "/" + after.removeprefix(BASE)
        assert at in pages


def test_files_are_the_same_however_often_they_are_written(descriptors, tmp_path):
    for name in ("one", "two"):
        write_node_catalogue(tmp_path / name, descriptors, "0.1")
    for file in (tmp_path / "one/catalogue").iterdir():
        assert file.read_bytes() == (tmp_path / "two/catalogue" / file.name).read_bytes()


def test_a_crate_names_every_file_with_its_digest(tmp_path):
    manifest = {
        "seed": 7,
        "config_digest": "c0",
        "versions": {"msprime": "1.4.4"},
        "files": [{"path": "cohort/people.parquet", "bytes": 12, "sha256": "ab"}],
    }
    write_crate(tmp_path / "ro-crate-metadata.json", manifest, "A run", 2026)
    crate = json.loads((tmp_path / "ro-crate-metadata.json").read_text())
    by_id = {entity["@id"]: entity for entity in crate["@graph"]}
    file = by_id["cohort/people.parquet"]
    assert (file["sha256"], file["contentSize"]) == ("ab", "12")
    assert (
        by_id["./"]["license"] == {"@id": "https://opensource.org/license/mit"}
        or by_id["./"]["license"] == "https://opensource.org/license/mit"
    )
    assert by_id["#run"]["instrument"] == [{"@id": "#msprime"}]
    assert "seed 7" in by_id["#run"]["description"]
