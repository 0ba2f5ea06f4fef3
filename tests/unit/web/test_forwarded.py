"""Statements of a proxy are believed from a trusted address, and from nobody else."""

import asyncio
import socket
from ipaddress import ip_network
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from rehearsal.web.address import public_url
from rehearsal.web.app import Api, Json, base_url
from rehearsal.web.forwarded import ProxySettings, behind_proxy, may_carry_token

PROXY, OTHER_PROXY, STRANGER = "192.0.2.1", "192.0.2.2", "203.0.113.9"
TRUSTED = ProxySettings((ip_network("192.0.2.0/24"), ip_network("2001:db8::/32")))


def scope_of(headers, peer=PROXY, path="/map"):
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers]
    return {
        "type": "http",
        "method": "GET",
        "scheme": "http",
        "server": ("10.0.0.5", 8080),
        "client": (peer, 1234),
        "root_path": "",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": pairs,
    }


def answer(scope, settings, app=None):
    """Status and body of the answer, and the scope as the application sees it."""
    seen, said = {}, []

    async def tell(request):
        seen.update(request.scope)
        return Json(base_url(request))

    if app is None:
        app = Api(lambda status, message: {"error": message}, "node")
        app.add("/map", tell)
        app.add("/", tell)

    async def send(message):
        said.append(message)

    asyncio.run(behind_proxy(app, settings)(scope, None, send))
    return said[0]["status"], said[1]["body"].decode(), seen


def seen(*headers, settings=TRUSTED, **more):
    """Caller, and base URL with quotes, as the application sees them."""
    status, body, scope = answer(scope_of(headers, **more), settings)
    assert status == 200, body
    return scope["client"][0], body.strip('"')


NGINX = (
    ("Host", "127.0.0.1:8080"),
    ("X-Forwarded-For", STRANGER),
    ("X-Forwarded-Proto", "https"),
    ("X-Forwarded-Host", "node.example"),
    ("X-Forwarded-Prefix", "/v2.0.0"),
)


def test_a_trusted_proxy_states_caller_scheme_host_and_prefix():
    assert seen(*NGINX) == (STRANGER, "https://node.example/v2.0.0")


def test_nobody_else_is_believed():
    assert seen(*NGINX, peer=STRANGER) == (STRANGER, "http://127.0.0.1:8080")
    assert seen(*NGINX, settings=ProxySettings(prefix="/x")) == (PROXY, "http://127.0.0.1:8080/x")


def test_without_settings_an_application_is_served_as_it_is():
    app = object()
    assert behind_proxy(app, ProxySettings()) is app


@pytest.mark.parametrize(
    ("stated", "caller"),
    [
        (STRANGER, STRANGER),
        (f"198.51.100.7, {STRANGER}", STRANGER),  # what a caller writes stands to the left
        (f"198.51.100.7, {STRANGER}, {OTHER_PROXY}", STRANGER),
        (f"{OTHER_PROXY}, {STRANGER}", STRANGER),
        (f"{STRANGER}:4711", STRANGER),
        ("[2001:db9::1]:4711", "2001:db9::1"),
        ("2001:db9::1", "2001:db9::1"),
        ("2001:db9::1, 2001:db8::2", "2001:db9::1"),
        (OTHER_PROXY, OTHER_PROXY),  # a proxy that asks for itself
        ("unknown", PROXY),
        (f"{STRANGER}, unknown", PROXY),
        ("", PROXY),
    ],
)
def test_the_caller_is_the_last_address_that_is_no_trusted_proxy(stated, caller):
    assert seen(("X-Forwarded-For", stated))[0] == caller


@pytest.mark.parametrize(
    ("scheme", "host", "url"),
    [
        ("https", "node.example:443", "https://node.example"),
        ("http", "node.example:80", "http://node.example"),
        ("https", "node.example:80", "https://node.example:80"),
    ],
)
def test_the_usual_port_is_left_out(scheme, host, url):
    assert seen(("X-Forwarded-Proto", scheme), ("X-Forwarded-Host", host))[1] == url


def test_several_headers_are_one_list():
    """RFC 9110, section 5.3."""
    pairs = [("X-Forwarded-For", "198.51.100.7"), ("X-Forwarded-For", STRANGER)]
    assert seen(*pairs)[0] == STRANGER


ADDRESSES = st.sampled_from([PROXY, OTHER_PROXY, STRANGER, "198.51.100.7", "2001:db8::1", "::1"])


@given(st.lists(ADDRESSES, min_size=1, max_size=5), ADDRESSES)
def test_caller_and_scheme_are_those_that_uvicorn_finds(chain, peer):
    headers = (("X-Forwarded-For", ", ".join(chain)), ("X-Forwarded-Proto", "https"))
    theirs, ours = scope_of(headers, peer), scope_of(headers, peer)

    async def told(scope, receive, send):
        pass

    networks = ["192.0.2.0/24", "2001:db8::/32"]
    asyncio.run(ProxyHeadersMiddleware(told, networks)(theirs, None, None))
    asyncio.run(behind_proxy(told, TRUSTED)(ours, None, None))
    assert (ours["client"][0], ours["scheme"]) == (theirs["client"][0], theirs["scheme"])


@pytest.mark.parametrize(
    ("stated", "expected"),
    [  # the examples of RFC 7239, with a caller's address at the place where it counts
        ("for=203.0.113.9;proto=https;host=node.example", (STRANGER, "https://node.example")),
        ('For="[2001:db9:cafe::17]:4711";Proto=HTTPS', ("2001:db9:cafe::17", "https://inner")),
        ("for=203.0.113.9;proto=http;by=203.0.113.43", (STRANGER, "http://inner")),
        (
            "for=198.51.100.7;host=evil.example, for=203.0.113.9;host=node.example;proto=https",
            (STRANGER, "https://node.example"),
        ),
        (
            'for=203.0.113.9;host="node.example:8443";proto=https, for=192.0.2.2;host=middle',
            (STRANGER, "https://node.example:8443"),
        ),
        ("for=203.0.113.9, , for=192.0.2.2 ;proto=http", (STRANGER, "http://inner")),
        ('for="_gazonk";host=node.example', (PROXY, "http://node.example")),
        ('for=unknown;host="node\\.example"', (PROXY, "http://node.example")),
    ],
)
def test_the_standard_header_is_read(stated, expected):
    assert seen(("Host", "inner"), ("Forwarded", stated)) == expected


def test_host_and_scheme_are_those_that_the_callers_proxy_states():
    """Two trusted proxies that both add to all headers: the outer one knows the public name."""
    pairs = [
        ("X-Forwarded-For", f"{STRANGER}, {OTHER_PROXY}"),
        ("X-Forwarded-Host", "evil.example, node.example, inner"),
        ("X-Forwarded-Proto", "https, http"),
    ]
    assert seen(*pairs) == (STRANGER, "https://node.example")


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        (("X-Forwarded-Host", "evil.example/path"), "expected a host"),
        (("X-Forwarded-Host", "a@b"), "expected a host"),
        (("X-Forwarded-Proto", "javascript"), "expected http or https"),
        (("X-Forwarded-Prefix", "/a/../b"), "expected a path"),
        (("X-Forwarded-Prefix", "//evil.example"), "expected a path"),
        (("Forwarded", "for=1.2.3.4 nonsense"), "expected pairs of RFC 7239"),
        (("Forwarded", 'for="1.2.3.4'), "expected pairs of RFC 7239"),
    ],
)
def test_a_statement_of_no_sense_is_refused(pair, message):
    status, body, scope = answer(scope_of([pair]), TRUSTED)
    assert status == 400
    assert message in body
    assert not scope


def test_the_length_of_a_statement_is_limited():
    """Its parts are looked at one by one."""
    for name, part in (
        ("X-Forwarded-For", "1.1.1.1,"),
        ("Forwarded", "for=1.1.1.1,"),
        ("Forwarded", ","),
    ):
        longest = part * (4096 // len(part))
        assert answer(scope_of([(name, longest)]), TRUSTED)[0] == 200
        status, body, _ = answer(scope_of([(name, longest + part)]), TRUSTED)
        assert (status, "expected at most 4096 bytes" in body) == (400, True)


def test_both_kinds_of_headers_are_refused():
    """One may come from the caller: the proxy that writes the other passes it on."""
    pairs = [("Forwarded", "for=198.51.100.7"), ("X-Forwarded-For", STRANGER)]
    assert answer(scope_of(pairs), TRUSTED)[0] == 400
    assert seen(*pairs, peer=STRANGER)[0] == STRANGER


@pytest.mark.parametrize("url", ["https://node.example", "https://node.example:8443/beacon/v2/"])
def test_a_public_url_overrides_all_statements(url):
    prefix = urlsplit(url).path.rstrip("/")
    settings = ProxySettings(TRUSTED.trusted, public_url(url), prefix)
    path = f"{prefix}/map"
    assert seen(*NGINX, settings=settings, path=path) == (STRANGER, url.rstrip("/"))


@pytest.mark.parametrize("path", ["/map", "/v2.0.0/map", "/v2.0.0", "/v2.0.0/", "/"])
def test_a_prefix_may_have_been_cut_off_or_not(path):
    settings = ProxySettings(prefix="/v2.0.0")
    assert seen(("Host", "inner"), settings=settings, path=path) == (PROXY, "http://inner/v2.0.0")


def test_a_path_that_only_begins_like_the_prefix_has_none():
    assert answer(scope_of([], path="/v2.0.0x"), ProxySettings(prefix="/v2.0.0"))[0] == 404


def test_a_mounted_application_finds_its_paths_below_a_prefix():
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def below(request):
        return PlainTextResponse(f"{request.url.path} of {base_url(request)}")

    api = Api(lambda status, message: {"error": message}, "node")
    api.mount("/other", Starlette(routes=[Route("/page", below)]))
    for path in ("/other/page", "/v2.0.0/other/page"):
        scope = scope_of([("Host", "inner")], path=path)
        status, body, _ = answer(scope, ProxySettings(prefix="/v2.0.0"), api)
        assert (status, body) == (200, "/v2.0.0/other/page of http://inner/v2.0.0")


@pytest.mark.parametrize(
    ("host", "server", "may"),
    [
        ("10.0.0.5:8080", ("10.0.0.5", 8080), True),
        ("10.0.0.5", ("10.0.0.5", 80), True),
        ("127.0.0.1:8080", ("127.0.0.1", 8080), True),
        ("localhost:8080", ("127.0.0.1", 8080), True),
        ("LocalHost:8080", ("::1", 8080), True),
        ("[::1]:8080", ("::1", 8080), True),
        ("10.0.0.5:8080", ("::ffff:10.0.0.5", 8080), True),
        (f"{socket.gethostname()}:8080", ("10.0.0.5", 8080), True),
        ("10.0.0.5", ("10.0.0.5", 8080), False),
        ("10.0.0.5:8081", ("10.0.0.5", 8080), False),
        ("localhost:8080", ("10.0.0.5", 8080), False),
        ("evil.example:8080", ("10.0.0.5", 8080), False),
        ("10.0.0.5:8080@evil.example", ("10.0.0.5", 8080), False),
        ("", ("10.0.0.5", 8080), False),
        ("10.0.0.5:8080", None, False),
    ],
)
def test_a_token_may_go_to_the_end_of_the_connection_only(host, server, may):
    scope = scope_of([("Host", host)], STRANGER) | {"server": server}
    assert may_carry_token(scope) is may


@pytest.mark.parametrize(
    ("peer", "settings", "may"),
    [
        (PROXY, TRUSTED, True),
        (STRANGER, TRUSTED, False),
        (STRANGER, ProxySettings(public_url="https://node.example"), True),
    ],
)
def test_a_token_may_go_to_a_name_from_a_trusted_proxy_or_the_operator(peer, settings, may):
    _, _, scope = answer(scope_of(NGINX, peer), settings)
    assert may_carry_token(scope) is may


@pytest.mark.parametrize(
    ("stated", "may"),
    [
        ([("X-Forwarded-Proto", "https")], True),
        ([("X-Forwarded-Host", "node.example")], True),
        ([("Forwarded", "for=203.0.113.9;proto=https")], True),
        ([("X-Forwarded-For", STRANGER)], False),  # as our network states it
        ([("Forwarded", "for=203.0.113.9")], False),
        ([], False),
    ],
)
def test_a_proxy_that_tells_how_it_was_reached_is_answerable_for_the_host(stated, may):
    _, _, scope = answer(scope_of([("Host", "node.example"), *stated]), TRUSTED)
    assert may_carry_token(scope) is may


def test_a_token_goes_nowhere_while_an_unknown_proxy_stands_between():
    """Its caller is elsewhere, so that not even our own address is a good one."""
    own = ("Host", "10.0.0.5:8080")
    assert may_carry_token(scope_of([own], STRANGER))
    assert not may_carry_token(scope_of([own, ("X-Forwarded-For", STRANGER)], STRANGER))
