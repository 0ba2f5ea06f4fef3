"""What the issuer gives in exchange for an access token, never more than the token was good for."""

import asyncio
import time
from urllib.parse import urlencode

import jwt
import orjson
import pytest

from rehearsal.network.issuer import Issuer, issue, make_issuer, person
from rehearsal.network.issuer_server import EXCHANGE, PASSPORT_TOKEN, issuer_app

NODES = ["https://a.example", "https://b.example"]


@pytest.fixture(scope="module")
def issuer(tmp_path_factory) -> Issuer:
    return make_issuer(tmp_path_factory.mktemp("issuer") / "keys")


def exchange(issuer: Issuer, token: str, *resources: str) -> tuple[int, dict]:
    """(status, body) of the token endpoint, asked without a socket."""
    form = [("grant_type", EXCHANGE), ("requested_token_type", PASSPORT_TOKEN)]
    form += [("subject_token", token), *(("resource", one) for one in resources)]
    sent = []

    async def receive():
        return {"type": "http.request", "body": urlencode(form).encode(), "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": "/token", "query_string": b""}
    asyncio.run(issuer_app(issuer)({**scope, "headers": []}, receive, send))
    return sent[0]["status"], orjson.loads(sent[1]["body"])


def claims(body: dict) -> dict:
    return jwt.decode(body["access_token"], options={"verify_signature": False})


def test_a_passport_is_for_those_whom_the_token_was_for(issuer):
    token = issue(issuer, person("researcher", "FI"), NODES).access
    assert claims(exchange(issuer, token)[1])["aud"] == NODES
    assert claims(exchange(issuer, token, NODES[1])[1])["aud"] == NODES[1:]


@pytest.mark.parametrize("resources", [("https://c.example",), (NODES[0], "https://c.example")])
def test_nobody_else_can_be_named(issuer, resources):
    token = issue(issuer, person("researcher", "FI"), NODES).access
    assert exchange(issuer, token, *resources) == (400, {"error": "invalid_target"})
    unbound = issue(issuer, person("researcher", "FI"), []).access
    assert exchange(issuer, unbound, *resources) == (400, {"error": "invalid_target"})


def test_a_passport_and_its_visas_end_with_the_token(issuer):
    tokens = issue(issuer, person("researcher", "FI"), NODES, lifetime_s=100)
    ends = jwt.decode(tokens.access, options={"verify_signature": False})["exp"]
    passport = claims(exchange(issuer, tokens.access)[1])
    visas = [
        jwt.decode(one, options={"verify_signature": False})
        for one in passport["ga4gh_passport_v1"]
    ]
    assert {one["exp"] for one in (passport, *visas)} == {ends}
    lasting = issue(issuer, person("researcher", "FI"), NODES, lifetime_s=9 * 3600).access
    assert claims(exchange(issuer, lasting)[1])["exp"] <= time.time() + 3600
