"""Exports as datasets of the catalogue, with what may be done with them."""

import json

import pandas as pd
import pytest
from pyshacl import validate
from rdflib import Graph

from rehearsal.catalogue.export_datasets import describe_export, write_metadata_files
from rehearsal.catalogue.health_dcat_ap import ODRL
from rehearsal.export.settings import read_exports
from rehearsal.model import Block

from .conftest import drop_containers_below_the_point

BLOCKS = [Block("chr22", 20_000_000, 25_000_000)]
NAMES = {"FI": "Finland", "ES": "Spain"}
CONSENT = pd.DataFrame(
    [
        ("FI-1", "GDPR 6(1)a, 9(2)a", "DUO:0000042", False),
        ("FI-2", "GDPR 6(1)e, 9(2)j", "DUO:0000007 MONDO:0007254", False),
        ("ES-1", "GDPR 6(1)a, 9(2)a", "DUO:0000043", False),
        ("ES-2", "GDPR 6(1)a, 9(2)a", "DUO:0000004", True),
    ],
    columns=["individual", "basis", "uses", "withdrawn"],
)


def described(place, people, **entry):
    entry = {"name": "given", "formats": ["bcf", "tables"], **entry}
    export = read_exports([entry], "my.yaml", list(NAMES), [], BLOCKS)["given"]
    table = pd.DataFrame({"id": people})
    return describe_export(export, 3, place, NAMES, table, CONSENT, BLOCKS, 2026)


@pytest.fixture
def folder(tmp_path):
    """Metadata of an export with a place of everybody's consent and one of nobody's."""
    descriptors = [described("FI", ["FI-1", "FI-2"]), described("ES", ["ES-2"], limit=1)]
    write_metadata_files(descriptors, "0.1", tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("shapes", "leaving_out"),
    [("shacl-gdi-metadata/core/PiecesShape", ""), ("shacl-fdp", "dataset.ttl")],
)
def test_metadata_of_exports_satisfy_the_shapes_of_gdi(folder, gdi_shapes, shapes, leaving_out):
    graph = Graph().parse(folder / "catalogue.ttl")
    drop_containers_below_the_point(graph)
    conforms, _, report = validate(
        graph, shacl_graph=gdi_shapes(shapes, leaving_out), advanced=True
    )
    assert conforms, report


def test_an_export_permits_what_its_peoples_consent_permits(folder):
    finland, spain = json.loads((folder / "datasets.json").read_text())
    assert [(use["term"], use["share"]) for use in finland["uses"]] == [
        ("DUO:0000007", 0.5),
        ("DUO:0000042", 0.5),
    ]
    assert spain["uses"] == []  # the only one withdrew
    assert (
        sum(finland["survey"]["usable_for_future_research"].values()) == 10
    )  # of 2 people, in tens
    assert spain["survey"]["usable_for_future_research"] == {"yes": 0, "no": 10, "don't know": 0}
    actions = set(Graph().parse(folder / "catalogue.ttl").objects(predicate=ODRL.action))
    assert {str(action).rsplit("/", 1)[-1] for action in actions} == {"DUO_0000007", "DUO_0000042"}


def test_every_place_and_export_has_an_identifier_of_its_own():
    assert described("FI", ["FI-1"]).identifier == "GDI-FI-EXPORT-3"
    pooled = described("pooled", ["FI-1", "ES-1"], pooled=True)
    assert (pooled.identifier, pooled.country_name) == ("GDI-EU-EXPORT-3", "several countries")


def test_how_many_people_there_are_is_told_in_tens():
    assert described("FI", ["FI-1"]).individuals == 10
    assert described("FI", [f"FI-{number}" for number in range(1, 105)]).individuals == 100


def test_what_is_in_an_export_is_told_in_words():
    part = described("FI", ["FI-1"], regions=["chr22:20000000-21000000"], limit=50)
    assert part.description == (
        "Simulated people of Finland with phenotypes and variants, GRCh38, "
        "chr22:20000000-21000000; everybody, the first 50 of each country; all variants; "
        "export given."
    )
