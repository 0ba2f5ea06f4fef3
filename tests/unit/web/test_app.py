"""Routes are found in a dictionary, whatever the values of their parameters."""

import asyncio

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from rehearsal.web.app import GET_OR_POST, ROUTE_KEY, Api, Json

from ..node.conftest import call


def telling(name):
    async def handler(request):
        return Json([name, request.path_params, request.scope[ROUTE_KEY]])

    return handler


def error_body(status, message):
    return {"status": status, "message": message}


@pytest.fixture
def api():
    async def below(request):
        return PlainTextResponse(f"below: {request.url.path} of {request.base_url}")

    api = Api(error_body, "node")
    api.add("/things", telling("list"), GET_OR_POST)
    api.add("/things/{id}", telling("one"))
    api.add("/things/special", telling("special"))
    api.add("/things/{id}/parts/{part}", telling("part"))
    api.add("/things/{id}", telling("made"), ["POST"])
    api.add("/things/{id}/parts/all", telling("every"))
    api.mount("/other", Starlette(routes=[Route("/page", below)]))
    return api


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        ("/things", b'["list",{},"/things"]'),
        ("/things/", b'["list",{},"/things"]'),
        ("/things/7", b'["one",{"id":"7"},"/things/{id}"]'),
        ("/things/{}", b'["one",{"id":"{}"},"/things/{id}"]'),
        ("/things/{}/parts/{}", b'["part",{"id":"{}","part":"{}"},"/things/{id}/parts/{part}"]'),
        ("/things/special", b'["special",{},"/things/special"]'),
        ("/things/7/parts/a b", b'["part",{"id":"7","part":"a b"},"/things/{id}/parts/{part}"]'),
        ("/other/page", b"below: /other/page of http://node.example/"),
    ],
)
def test_a_path_finds_its_handler(api, path, answer):
    assert asyncio.run(call(api, path))[::2] == (200, answer)


def test_one_path_may_have_a_handler_for_each_method(api):
    assert asyncio.run(call(api, "/things/7", method="POST"))[2].startswith(b'["made"')


@pytest.mark.parametrize("path", ["/", "/thing", "/things//parts/1", "/things/7/parts", "/other/x"])
def test_a_path_that_nothing_answers_is_not_found(api, path):
    status, _, body = asyncio.run(call(api, path))
    assert status == 404
    if path != "/other/x":  # below another application, which has its own words
        message = f"the path: expected one of the paths that /openapi.json lists, found '{path}'"
        assert message.encode() in body


def test_another_method_is_told_which_ones_there_are(api):
    status, headers, body = asyncio.run(call(api, "/things", method="PUT"))
    assert (status, headers[b"allow"]) == (405, b"GET, HEAD, POST")
    assert b"the method: expected GET or HEAD or POST, found PUT" in body


def asked_by_a_browser(method):
    asked = [(b"origin", b"https://a.example")]
    if method == "OPTIONS":
        asked += [(b"access-control-request-method", b"POST")]
        asked += [(b"access-control-request-headers", b"authorization")]
    return asked


@pytest.mark.parametrize("path", ["/things", "/things/7", "/other/page", "/nothing"])
@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
def test_a_browser_may_ask_from_another_site_without_cookies(path, method):
    api = Api(error_body, "node", is_shared=lambda: True)
    api.add("/things", telling("list"), GET_OR_POST)
    api.add("/things/{id}", telling("one"))
    asked = asked_by_a_browser(method)
    status, headers, _ = asyncio.run(call(api, path, method=method, headers=asked))
    if method == "OPTIONS":
        assert status == 200
        assert headers[b"access-control-allow-headers"] == b"authorization"
    assert headers[b"access-control-allow-origin"] == b"https://a.example"
    assert b"access-control-allow-credentials" not in headers


@pytest.mark.parametrize("is_shared", [None, lambda: False])
def test_a_service_that_is_not_shared_answers_no_other_site(is_shared):
    api = Api(error_body, "issuer", is_shared=is_shared)
    api.add("/things", telling("list"))
    for method in ("GET", "OPTIONS"):
        asked = asked_by_a_browser(method)
        _, headers, _ = asyncio.run(call(api, "/things", method=method, headers=asked))
        assert b"access-control-allow-origin" not in headers
