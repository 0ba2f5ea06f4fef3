"""What is too long is refused before anything reads it, with the status of its RFC."""

import asyncio
import sqlite3
import tracemalloc

import pytest

from rehearsal.web.app import Api, Json
from rehearsal.web.problem import Problem
from rehearsal.web.request_limits import (
    MAX_HEADER,
    MAX_HEADERS,
    MAX_STEPS,
    MAX_TOKEN,
    MAX_URL,
    check_keys,
)

from ..node.conftest import call


@pytest.fixture
def api():
    async def answer(request):
        return Json("yes")

    async def fail(request):
        raise sqlite3.OperationalError("database or disk is full")

    api = Api(lambda status, message: {"message": message}, "node")
    api.add("/", answer)
    api.add("/things/{id}", answer)
    api.add("/full", fail)
    return api


def ask(api, path="/", query="", headers=()):
    return asyncio.run(call(api, path, parameters=query, headers=list(headers)))


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/things/" + "a" * (MAX_URL - 8), "", 200),
        ("/things/" + "a" * (MAX_URL - 7), "", 414),  # RFC 9110, 15.5.15
        ("/", "a" * (MAX_URL - 1), 200),
        ("/", "a" * MAX_URL, 414),
        ("/" * 60_000, "", 414),
        ("/" * MAX_STEPS, "", 200),
        ("/" * (MAX_STEPS + 1), "", 404),
    ],
)
def test_the_url_has_a_limit(api, path, query, status):
    assert ask(api, path, query)[0] == status


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(b"x-a", b"a" * MAX_HEADER)], 200),
        ([(b"x-a", b"a" * (MAX_HEADER + 1))], 431),  # RFC 6585, 5
        ([(b"x-a", b"")] * (MAX_HEADERS - 1), 200),
        ([(b"x-a", b"")] * MAX_HEADERS, 431),
        ([(b"authorization", b"Bearer " + b"a" * MAX_TOKEN)], 200),
        ([(b"authorization", b"Bearer " + b"a" * (MAX_TOKEN + 10))], 431),
    ],
)
def test_headers_have_a_limit(api, headers, status):
    assert ask(api, headers=headers)[0] == status


def test_a_path_of_slashes_takes_no_memory(api):
    ask(api, "/" * 60_000)
    tracemalloc.start()
    ask(api, "/" * 60_000)
    ask(api, "/things" * 1000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


def test_a_full_disk_is_told_to_the_caller(api):
    status, _, body = ask(api, "/full")
    assert status == 503
    assert b"cannot use a file of its own now (database or disk is full)" in body


@pytest.mark.parametrize(
    "body",
    [
        b'{"a":1,"a":2}',
        b'{"a": "x:y", "b": {"c": ":", "c" : "::"}}',
        b'[{"a":1},{"b":1,"b":1}]',
        rb'{"a":1,"\u0061":2}',
        rb'{"a":1,"a":2,"b":"\u003a\u003a"}',  # as many colons after it was read and written
        b'{"a":":","a":""}',
    ],
)
def test_a_key_twice_is_found_whatever_else_the_body_has(body):
    with pytest.raises(Problem, match="each key of an object once"):
        check_keys(body)


@pytest.mark.parametrize(
    "body",
    [
        *(b"{}", b"[]", b'{"a":{"a":{"a":1}}}', b'[{"a":1},{"a":1}]', b'{"a":1e999}'),
        *(rb'{"a":"a\":1,\"a\":2"}', b'{ "filters" : [ "HP:0001250" , "age>=50" ] }'),
        *(rb'{"a":"\ud800"}', rb'{"\u003a":":"}', '{"é":"é","e":1.50}'.encode()),
    ],
)
def test_keys_of_different_objects_and_texts_may_be_alike(body):
    check_keys(body)
