"""Exchange of an access token, which never widens what the token allows."""

import asyncio
import json
import shutil
import time
from urllib.parse import urlencode

import jwt
import orjson
import pytest

from rehearsal.cli import main
from rehearsal.errors import InputError
from rehearsal.network.issuer import Issuer, issuer_copy, make_issuer, open_issuer
from rehearsal.network.issuer_server import EXCHANGE, PASSPORT_TOKEN, issuer_app
from rehearsal.network.tokens import create_person, known_person, sign_tokens

from ..node.conftest import call

NODES = ["https://a.example", "https://b.example"]


@pytest.fixture(scope="module")
def issuer(tmp_path_factory) -> Issuer:
    return make_issuer(tmp_path_factory.mktemp("issuer") / "keys")


def exchange(issuer: Issuer, token: str, *resources: str) -> tuple[int, dict]:
    """Ask the token endpoint without a socket; returns (status, body)."""
    form = [("grant_type", EXCHANGE), ("requested_token_type", PASSPORT_TOKEN)]
    form += [("subject_token", token), *(("resource", one) for one in resources)]
    return ask(issuer, "/token", form)


def ask(issuer: Issuer, path: str, form: list[tuple[str, str]]) -> tuple[int, dict]:
    """Post a form without a socket; returns (status, body)."""
    sent = []

    async def receive():
        return {"type": "http.request", "body": urlencode(form).encode(), "more_body": False}

    async def send(message):
        sent.append(message)

    scope = {"type": "http", "method": "POST", "path": path, "query_string": b""}
    asyncio.run(issuer_app(issuer)({**scope, "headers": []}, receive, send))
    return sent[0]["status"], orjson.loads(sent[1]["body"])


def claims(body: dict) -> dict:
    return jwt.decode(body["access_token"], options={"verify_signature": False})


def test_a_passport_is_for_those_whom_the_token_was_for(issuer):
    token = sign_tokens(issuer, create_person("researcher", "FI"), NODES).access
    assert claims(exchange(issuer, token)[1])["aud"] == NODES
    assert claims(exchange(issuer, token, NODES[1])[1])["aud"] == NODES[1:]


@pytest.mark.parametrize("resources", [("https://c.example",), (NODES[0], "https://c.example")])
def test_nobody_else_can_be_named(issuer, resources):
    token = sign_tokens(issuer, create_person("researcher", "FI"), NODES).access
    unbound = sign_tokens(issuer, create_person("researcher", "FI"), []).access
    for one in (token, unbound):
        status, body = exchange(issuer, one, *resources)
        assert (status, body["error"]) == (400, "invalid_target")
        expected = "resource: expected audiences of the token that is exchanged, found 'https"
        assert body["error_description"].startswith(expected)


def test_an_audience_is_a_target_as_a_resource_is(issuer):
    """RFC 8693, 2.1 and 2.2.2."""
    token = sign_tokens(issuer, create_person("researcher", "FI"), NODES).access
    form = [("grant_type", EXCHANGE), ("requested_token_type", PASSPORT_TOKEN)]
    form.append(("subject_token", token))
    status, body = ask(issuer, "/token", [*form, ("audience", "https://evil.example")])
    assert (status, body["error"]) == (400, "invalid_target")
    assert body["error_description"].startswith("audience: expected audiences of the token")
    status, body = ask(issuer, "/token", [*form, ("audience", NODES[1])])
    assert (status, claims(body)["aud"]) == (200, NODES[1:])


def test_no_cache_keeps_a_token(issuer):
    """RFC 6749, 5.1: also an error tells of the token."""
    form = urlencode({"grant_type": EXCHANGE}).encode()
    _, headers, _ = asyncio.run(call(issuer_app(issuer), "/token", form))
    assert (headers[b"cache-control"], headers[b"pragma"]) == (b"no-store", b"no-cache")


@pytest.mark.parametrize(
    ("path", "form", "status", "description"),
    [
        ("/token", [], 400, f"grant_type: expected {EXCHANGE}, found nothing"),
        ("/token", [("grant_type", "x")], 400, f"grant_type: expected {EXCHANGE}, found 'x'"),
        (
            "/token",
            [("grant_type", EXCHANGE)],
            400,
            f"requested_token_type: expected {PASSPORT_TOKEN}, found nothing",
        ),
        ("/jwks", [], 405, "the method: expected GET or HEAD, found POST"),
        ("/keys", [], 404, "the path: expected a path of the issuer, such as /.well-known"),
    ],
)
def test_a_wrong_request_is_told_what_was_expected(issuer, path, form, status, description):
    answered, body = ask(issuer, path, form)
    assert answered == status
    assert body["error_description"].startswith(description)


def test_a_passport_and_its_visas_end_with_the_token(issuer):
    tokens = sign_tokens(issuer, create_person("researcher", "FI"), NODES, lifetime_s=100)
    ends = jwt.decode(tokens.access, options={"verify_signature": False})["exp"]
    passport = claims(exchange(issuer, tokens.access)[1])
    visas = [
        jwt.decode(one, options={"verify_signature": False})
        for one in passport["ga4gh_passport_v1"]
    ]
    assert {one["exp"] for one in (passport, *visas)} == {ends}
    lasting = sign_tokens(
        issuer, create_person("researcher", "FI"), NODES, lifetime_s=9 * 3600
    ).access
    assert claims(exchange(issuer, lasting)[1])["exp"] <= time.time() + 3600


def test_private_keys_are_for_their_owner_only(issuer):
    assert (issuer.folder / "keys.json").stat().st_mode & 0o077 == 0
    assert issuer.folder.stat().st_mode & 0o077 == 0
    public = json.dumps(issuer.jwks())
    assert '"d"' not in public


def test_an_issuer_keeps_its_keys_and_another_run_has_others(issuer, tmp_path):
    assert make_issuer(issuer.folder).keys == issuer.keys
    assert make_issuer(tmp_path / "new").keys != issuer.keys


def test_keys_that_others_may_read_are_not_used(tmp_path):
    made = make_issuer(tmp_path / "issuer")
    (made.folder / "keys.json").chmod(0o644)
    with pytest.raises(
        InputError, match=r"expected keys that only their owner may read .* found keys that others"
    ):
        open_issuer(made.folder)


def test_a_subject_that_is_no_plain_name_is_refused(issuer):
    with pytest.raises(InputError, match=r"token: subject: expected lower-case letters.*, found"):
        sign_tokens(issuer, create_person("researcher", "FI", name="../../etc"))


def test_who_gets_tokens_from_a_copy_leaves_no_trace_in_the_issuer(tmp_path):
    issuer = make_issuer(tmp_path / "issuer")
    before = sorted(path.name for path in issuer.folder.iterdir())
    with issuer_copy(issuer.folder) as copy:
        same = open_issuer(copy)
        sign_tokens(same, create_person("researcher", "BE", issuer=same.url))
        assert same.jwks() == issuer.jwks()
        assert copy.stat().st_mode & 0o077 == 0
    assert sorted(path.name for path in issuer.folder.iterdir()) == before
    assert not copy.exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("issuer.json", '{"url": null}'),
        ("issuer.json", "3"),
        ("keys.json", '{"ES256": ["kid"]}'),
        ("keys.json", '{"ES256": ["kid", "no PEM"], "RS256": ["kid", "no PEM"]}'),
        ("keys.json", '{"ES256": ["kid", false], "RS256": ["kid", false]}'),
        ("keys.json", "{}"),
    ],
)
def test_an_issuer_with_other_content_is_refused_in_plain_words(issuer, tmp_path, name, content):
    shutil.copytree(issuer.folder, tmp_path / "issuer")
    (tmp_path / "issuer" / name).write_text(content)
    line = r"issuer: expected an issuer made by .*, found none \(issuer.json or keys.json has other"
    with pytest.raises(InputError, match=line):
        open_issuer(tmp_path / "issuer")


@pytest.mark.parametrize("name", ["exp", "iat", "nbf"])
@pytest.mark.parametrize("value", [10**400, -(10**400), float("inf"), float("nan"), "soon", []])
def test_a_token_of_no_time_is_refused_and_nothing_more(issuer, name, value):
    now, (kid, key) = int(time.time()), issuer.keys["ES256"]
    claims = {"iss": issuer.url, "sub": "x", "scope": "openid", "iat": now, "exp": now + 60}
    text = json.dumps(claims | {name: value}).encode()
    token = jwt.api_jws.encode(text, key, "ES256", {"typ": "at+jwt", "kid": kid})
    status, body = exchange(issuer, token)
    assert (status, body) == (400, {"error": "invalid_grant"})  # RFC 6749, 5.2


def tell(issuer: Issuer, path: str) -> dict:
    """Get a document of the issuer."""
    _, _, body = asyncio.run(call(issuer_app(issuer), path))
    return orjson.loads(body)


def test_discovery_names_all_endpoints_of_oauth_and_no_other(issuer):
    """OpenID Connect Discovery 1.0, section 3: without a method, clients send HTTP Basic."""
    found = tell(issuer, "/.well-known/openid-configuration")
    named = {found[key] for key in found if key.endswith(("_endpoint", "_uri"))}
    paths = {url.removeprefix("http://node.example") for url in named}
    served = {path for path, _ in issuer_app(issuer).routes()}
    assert paths == served - {"/.well-known/openid-configuration", "/service-info", "/health"}
    assert found["token_endpoint_auth_methods_supported"] == ["none"]
    assert found["grant_types_supported"] == [EXCHANGE]


def test_the_service_info_is_that_of_ga4gh(issuer):
    """The required keys of ga4gh-discovery/ga4gh-service-info 1.0.0, service-info.yaml."""
    found = tell(issuer, "/service-info")
    assert {"id", "name", "type", "organization", "version"} <= found.keys()
    assert found["type"].keys() == {"group", "artifact", "version"}
    assert found["type"]["group"] == "org.ga4gh"
    assert found["organization"].keys() == {"name", "url"}
    assert found["id"] == "example.rehearsal.issuer"


def test_a_passport_that_no_header_carries_is_not_issued(issuer):
    """Who has many visas uses the access token: nodes fetch the visas themselves."""
    who = create_person("researcher", "FI", [f"https://d.example/{i}" for i in range(200)])
    token = sign_tokens(issuer, who, NODES).access
    status, body = exchange(issuer, token)
    assert (status, body["error"]) == (400, "invalid_request")
    assert "at most 65536 bytes" in body["error_description"]
    assert len(known_person(issuer, who.subject).visas) > 200


def test_the_command_prints_no_passport_that_no_header_carries(issuer, capfd):
    options = [str(issuer.folder), "--country", "FI"]
    for number in range(100):
        options += ["--grant", f"https://d.example/{number}"]
    with pytest.raises(SystemExit) as ended:
        main(["token", *options])
    said = capfd.readouterr()
    assert (ended.value.code, said.out) == (2, "")
    assert "--grant: expected visas for a passport of at most 65536 bytes" in said.err
    main(["token", *options, "--access"])
    assert len(capfd.readouterr().out) < 8192
