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
        message = f"the path: expected one of the paths that /map lists, found '{path}'"
        assert message.encode() in body


def test_another_method_is_told_which_ones_there_are(api):
    status, headers, body = asyncio.run(call(api, "/things", method="PUT"))
    assert (status, headers[b"allow"]) == (405, b"GET, HEAD, POST")
    assert b"the method: expected GET or HEAD or POST, found PUT" in body
