"""The OpenAPI description names every path, and answers match it."""

import asyncio
import json
import re
import subprocess
import sys

import pytest

from docs_build.http_api import node_document
from rehearsal.network.app import network_app
from rehearsal.network.openapi import description as network_description
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.alerts.alert_store import AlertStore
from rehearsal.node.alerts.subscription_matcher import SubscriptionMatcher
from rehearsal.node.app import beacon_api, beacon_app
from rehearsal.node.beacon.entry_types import ENTRY_TYPES
from rehearsal.node.matchmaker.endpoint import MatchEndpoint
from rehearsal.node.server import extensions
from rehearsal.node.wes.endpoints import WesEndpoints

from .conftest import call

jsonschema = pytest.importorskip("jsonschema")


@pytest.fixture(scope="module")
def description(ask):
    status, body = ask("/openapi.json")
    assert status == 200
    return body


def test_every_reference_resolves(description):
    def references(part):
        if isinstance(part, dict):
            if "$ref" in part:
                yield part["$ref"]
            for value in part.values():
                yield from references(value)
        elif isinstance(part, list):
            for value in part:
                yield from references(value)

    for reference in set(references(description)):
        part = description
        for key in reference.removeprefix("#/").split("/"):
            part = part[key]


def described(description):
    """Path and method of all operations of a description."""
    items = description["paths"].items()
    return {(path, one.upper()) for path, item in items for one in item if one != "parameters"}


def test_a_node_describes_its_api_once_and_only_when_it_is_asked_to(
    node_data, node_folder, monkeypatch
):
    """The description is half of what a node's start would cost."""
    described = []

    def describe(*_):
        described.append(1)
        return {"openapi": "3.1.0"}

    monkeypatch.setattr("rehearsal.node.openapi.description", describe)
    api = beacon_api(node_data, Authorizer(node_data.settings, node_data.people))
    assert not described
    for _ in range(2):
        status, _, body = asyncio.run(call(api, "/openapi.json"))
        assert (status, json.loads(body)) == (200, {"openapi": "3.1.0"})
    assert len(described) == 1


@pytest.fixture(scope="module")
def whole_api(node_data, node_folder, tmp_path_factory):
    """A node with every API."""
    folder = tmp_path_factory.mktemp("whole")
    (folder / "catalogue").mkdir()
    texts = {"text/turtle": "", "application/ld+json": "{}"}
    documents = {"base": "urn:here/", "documents": {"/fdp": texts, "/fdp/catalog/FI": texts}}
    (folder / "catalogue/documents.json").write_text(json.dumps(documents))
    authorizer = Authorizer(node_data.settings, node_data.people)
    monitor = SubscriptionMatcher(node_data, authorizer, AlertStore(None), folder)
    return beacon_api(
        node_data,
        authorizer,
        *extensions(node_data, monitor, folder, WesEndpoints(node_data, authorizer, folder)),
    )


def test_every_route_of_a_node_is_described_and_no_other(whole_api):
    _, _, body = asyncio.run(call(whole_api, "/openapi.json"))
    served = whole_api.routes()
    assert {(f"/{path}", "POST") for path in ENTRY_TYPES} <= served
    assert {("/match", "POST"), ("/htsget/variants/{id}", "GET"), ("/fdp", "GET")} <= served
    assert {("/subscriptions/{id}", "DELETE"), ("/drug_flags/{id}", "GET")} <= served
    assert described(json.loads(body)) == served


def test_the_documentation_site_has_every_route_of_a_node(whole_api):
    """The site adds the extensions in ``docs_build.http_api.node_document`` by hand."""
    on_site = described(node_document())
    served = {(path, method) for path, method in whole_api.routes() if path[:5] != "/fdp/"}
    assert served <= on_site


def test_every_route_of_the_network_is_described_and_no_other():
    api = network_app(None)  # routes do not depend on the nodes
    _, _, body = asyncio.run(call(api, "/openapi.json"))
    served = api.routes()
    assert {("/scores/hazard", "POST"), ("/alerts", "GET"), ("/health", "GET")} <= served
    assert described(json.loads(body)) == served


def test_no_parameter_is_described_twice():
    for path, item in network_description()["paths"].items():
        names = [json.dumps(one) for one in item.get("parameters", ())]
        assert len(names) == len(set(names)), path


@pytest.mark.parametrize("document", [node_document, network_description])
def test_names_of_components_are_those_that_openapi_allows(document):
    """OpenAPI 3.1.0, components object: keys must match this expression."""
    for components in document()["components"].values():
        for name in components:
            assert re.fullmatch(r"[a-zA-Z0-9._-]+", name)


@pytest.mark.parametrize("document", [node_document, network_description])
def test_the_headers_of_purpose_and_key_are_described_where_they_count(document):
    described = document()
    purpose, stated = {"$ref": "#/components/parameters/purpose"}, set()
    for path, item in described["paths"].items():
        stated |= {path} if purpose in item.get("parameters", ()) else set()
    assert {"/g_variants", "/individuals/{id}", "/match", "/scores"} <= stated
    assert not stated & {"/", "/info", "/openapi.json", "/health", "/fdp", "/services"}
    assert described["components"]["parameters"]["purpose"]["name"] == "X-Rehearsal-Purpose"
    (key,) = described["paths"]["/match"]["post"]["security"][2]
    scheme = described["components"]["securitySchemes"][key]
    assert (scheme["type"], scheme["in"], scheme["name"]) == ("apiKey", "header", "X-Auth-Token")


def test_map_and_service_info_name_the_match_endpoint(node_data, monkeypatch):
    monkeypatch.setattr(MatchEndpoint, "has_index", True)
    app = beacon_app(node_data, Authorizer(node_data.settings, node_data.people))

    def ask(path):
        status, _, body = asyncio.run(call(app, path))
        return status, json.loads(body)

    _, told = ask("/map")
    assert told["response"]["otherEndpoints"] == {"match": "http://node.example/match"}
    sets = told["response"]["endpointSets"].values()
    assert {one["openAPIEndpointsDefinition"] for one in sets} == {
        "http://node.example/openapi.json"
    }
    for service in (ask("/service-info")[1], asyncio.run(service_info_of_the_network())):
        assert service["matchmakerExchange"] == {"version": "1.1", "path": "/match"}


async def service_info_of_the_network():
    _, _, body = await call(network_app(None), "/service-info")
    return json.loads(body)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/g_variants", {"query": {"requestedGranularity": "record"}}),
        ("/individuals", {"query": {"requestedGranularity": "boolean"}}),
        ("/datasets", {}),
        ("/g_variants", {"query": {"requestParameters": {"start": [1]}}}),
    ],
)
def test_answers_are_as_described(description, ask, path, body):
    status, answer = ask(path, body)
    operation = description["paths"][path]["post"]
    key = "200" if status == 200 else "4XX"
    schema = operation["responses"][key]["content"]["application/json"]["schema"]
    document = {**schema, "components": description["components"]}
    jsonschema.Draft202012Validator(document).validate(answer)


def test_the_api_imports_nothing_heavy():
    """An idle node must stay small: 28 of them run on one machine."""
    program = "import sys, rehearsal.node.server; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert not {"pandas", "pyarrow", "numba", "pysam", "scipy", "tskit"} & set(done.stdout.split())


def test_a_token_is_optional(ask):
    _, description = ask("/openapi.json")
    assert description["security"] == [{}, {"passport": []}]
    scheme = description["components"]["securitySchemes"]["passport"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
