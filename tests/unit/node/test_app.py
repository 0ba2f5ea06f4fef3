"""The HTTP interface without a socket: methods, limits, headers, errors."""

import asyncio

import orjson
import pytest

from rehearsal.node import app as node_app
from rehearsal.node.access.audit_log import AuditFailed
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.app import beacon_app
from rehearsal.node.privacy.protection import PUBLIC, REGISTERED
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.web.request_limits import MAX_BODY

from ..virtual_time import run_in_virtual_time


@pytest.fixture
def app(node_data):
    return beacon_app(node_data, Authorizer(node_data.settings, node_data.people))


def send(app, path, messages=None, method="POST", headers=()):
    """(status, body) of a request whose body comes in the given messages."""
    sent = []
    waiting = list(messages or [{"type": "http.request", "body": b"", "more_body": False}])
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": list(headers),
        "scheme": "http",
        "server": ("node.example", 80),
    }

    async def receive():
        return waiting.pop(0) if waiting else await asyncio.sleep(3600)

    async def take(message):
        sent.append(message)

    run_in_virtual_time(app(scope, receive, take))
    body = b"".join(message.get("body", b"") for message in sent[1:])
    return sent[0]["status"], dict(sent[0]["headers"]), orjson.loads(body)


def test_health_tells_that_the_node_answers(app):
    status, _, body = send(app, "/health", method="GET")
    assert (status, body) == (200, {"status": "ok"})


class FullDisk:
    """An audit log that cannot be written."""

    def append(self, *decisions):
        raise AuditFailed


def test_the_operator_sees_failures_of_the_log_and_budgets_by_tier(node_data):
    settings = NodeSettings.for_country("FI", "Finland")
    app = beacon_app(node_data, Authorizer(settings, node_data.people, audit=FullDisk()))

    def shown():
        samples = [(one.name, *sample) for one in app.metrics() for sample in one.samples]
        return {(name, *labels.values()): value for name, _, labels, value in samples}

    before = shown()
    assert before["rehearsal_audit_failures_total",] == 0
    assert before["rehearsal_budget_left_nats", "public"] == PUBLIC.budget
    assert before["rehearsal_budget_left_nats", "registered"] == REGISTERED.budget
    assert send(app, "/individuals", method="GET")[0] == 503
    assert shown() == {**before, ("rehearsal_audit_failures_total",): 1}


@pytest.mark.parametrize("method", ["DELETE", "PUT", "PATCH"])
def test_other_methods_are_refused(app, method):
    status, headers, body = send(app, "/g_variants", method=method)
    assert status == body["error"]["errorCode"] == 405
    assert set(headers[b"allow"].decode().split(", ")) == {"GET", "HEAD", "POST"}


def test_a_body_that_is_too_long_is_refused(app):
    chunk = {"type": "http.request", "body": b" " * 100_000, "more_body": True}
    last = {"type": "http.request", "body": b"", "more_body": False}
    status, _, body = send(app, "/g_variants", [*[chunk] * (MAX_BODY // 100_000 + 1), last])
    assert status == 413
    assert str(MAX_BODY) in body["error"]["errorMessage"]


def test_a_body_that_never_ends_is_refused(app):
    chunk = {"type": "http.request", "body": b"{", "more_body": True}
    status, _, body = send(app, "/g_variants", [chunk])
    assert status == 408
    assert "expected the whole body within" in body["error"]["errorMessage"]


def test_a_caller_who_goes_away_does_no_harm(app):
    chunk = {"type": "http.request", "body": b"{", "more_body": True}
    status, _, _ = send(app, "/g_variants", [chunk, {"type": "http.disconnect"}])
    assert status == 400


def test_a_compressed_body_is_refused(app):
    status, _, _ = send(app, "/g_variants", headers=[(b"content-encoding", b"gzip")])
    assert status == 415


def test_an_internal_error_is_reported_without_details(app, monkeypatch):
    def fail(*_):
        raise RuntimeError("secret of the house")

    monkeypatch.setattr(node_app, "answer_entries", fail)
    sent = []

    async def receive():
        return {"type": "http.request", "body": b"", "more_body": False}

    async def take(message):
        sent.append(message)

    scope = {"type": "http", "method": "GET", "path": "/individuals", "query_string": b""}
    scope |= {"headers": [], "scheme": "http", "server": ("node.example", 80)}
    with pytest.raises(RuntimeError):  # for the server's log
        asyncio.run(app(scope, receive, take))
    assert sent[0]["status"] == 500
    assert b"secret" not in sent[1]["body"]
    assert orjson.loads(sent[1]["body"])["error"]["errorCode"] == 500
