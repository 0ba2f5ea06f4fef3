"""Decisions are logged before their answers leave, simultaneous ones together."""

import asyncio
from functools import partial

import pytest

from rehearsal.node.access.audit_check import verify_log
from rehearsal.node.access.audit_log import AuditLog
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.middleware import AccessMiddleware
from rehearsal.node.access.rights import SCOPE_KEY
from rehearsal.node.app import beacon_app
from rehearsal.node.beacon import envelope
from rehearsal.web.app import Api, Json

from ..conftest import call


def many_at_once(app, number):
    async def all_together():
        return await asyncio.gather(*(call(app, "/things") for _ in range(number)))

    return asyncio.run(all_together())


@pytest.fixture
def logged(node_data, tmp_path):
    """An application that logs a decision for each answer, and its log."""

    async def asking(request):
        request.scope[SCOPE_KEY].consulted = True
        return Json("told")

    api = Api(partial(envelope.error, "org.rehearsal.xx"), "node")
    api.add("/things", asking)
    path = tmp_path / "audit.jsonl"
    return AccessMiddleware(
        api, Authorizer(node_data.settings, node_data.people, audit=AuditLog(path))
    ), path


def test_simultaneous_decisions_are_written_together(logged, monkeypatch):
    app, path = logged
    writes = []
    append = AuditLog.append
    monkeypatch.setattr(
        AuditLog, "append", lambda log, *d: writes.append(len(d)) or append(log, *d)
    )
    assert {status for status, _, _ in many_at_once(app, 20)} == {200}
    assert writes == [20]
    assert verify_log(path).lines == 20


def test_no_answer_leaves_when_decisions_cannot_be_logged(logged, monkeypatch):
    app, path = logged

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("rehearsal.node.access.audit_log.os.write", full)
    answers = many_at_once(app, 20)
    assert {status for status, _, _ in answers} == {503}
    assert not any(b"told" in body for _, _, body in answers)
    monkeypatch.undo()
    assert many_at_once(app, 2)[0][0] == 200
    assert verify_log(path).lines == 2


def test_health_tells_that_no_decision_can_be_logged(node_data, tmp_path, monkeypatch):
    """Only a line in the log can show that it works again: so one is written as a try."""
    monkeypatch.setattr("rehearsal.node.access.audit_log.CHECK_S", 0.0)
    log = AuditLog(tmp_path / "audit.jsonl")
    app = beacon_app(node_data, Authorizer(node_data.settings, node_data.people, audit=log))

    def health():
        return asyncio.run(call(app, "/health"))[0]

    def full(*_):
        raise OSError(28, "No space left on device")

    assert health() == 200
    monkeypatch.setattr("rehearsal.node.access.audit_log.os.write", full)
    assert asyncio.run(call(app, "/individuals"))[0] == 503
    assert [health(), health()] == [503, 503]
    monkeypatch.undo()
    monkeypatch.setattr("rehearsal.node.access.audit_log.CHECK_S", 0.0)
    assert [health(), health()] == [200, 200]
    assert verify_log(log.path).lines == 1
    log.path.rename(tmp_path / "elsewhere")
    assert health() == 503


def test_a_failing_log_is_tried_once_a_second_however_often_somebody_asks(tmp_path, monkeypatch):
    log, tried = AuditLog(tmp_path / "audit.jsonl"), []
    monkeypatch.setattr(log, "append", lambda *_: tried.append(1))
    assert all(log.is_writable() for _ in range(1000))
    assert len(tried) == 1
