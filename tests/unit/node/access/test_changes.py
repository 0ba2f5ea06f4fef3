"""Withdrawals and changed settings take effect while the node serves, also on what is under way."""

import asyncio
import json
import logging
from dataclasses import replace
from functools import partial

import pandas as pd
import pytest
from starlette.responses import StreamingResponse

from rehearsal.network.issuer import make_issuer
from rehearsal.network.tokens import create_person, sign_tokens
from rehearsal.node.access import authorizer as authorizer_module
from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.middleware import PIECE, AccessMiddleware
from rehearsal.node.access.rights import caller_rights
from rehearsal.node.access.settings import AccessSettings, DatasetAccess, IssuerSettings, Veto
from rehearsal.node.access.settings_file import SettingsFile
from rehearsal.node.access.withdrawals import FILE_NAME, add_withdrawals
from rehearsal.node.beacon import envelope
from rehearsal.node.privacy.door import ProtectedQuestion
from rehearsal.node.privacy.expectation import UNKNOWN
from rehearsal.node.privacy.protection import UNPROTECTED, Protection
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.people_store import PeopleStore
from rehearsal.stores.people_store_writer import build_people
from rehearsal.web.app import ABORT_KEY, Api, Json

from ..conftest import NAMES, individuals, phenotypes
from ..hostile_tokens import AUDIENCE

PEOPLE = "GDI-FI-REHEARSAL-1"
HMB = "DUO:0000006"
# noise that nearly always changes the number, and a budget that pays for it
WIDE = {
    "public": Protection(1, 1, 1.0, budget=100.0, caller_share=1),
    "registered": Protection(1, 1, 1.0, budget=100.0, caller_share=1),
}


@pytest.fixture(scope="module")
def issuer(tmp_path_factory):
    return make_issuer(tmp_path_factory.mktemp("issuer") / "mine")


@pytest.fixture(scope="module")
def passport(issuer):
    who = create_person("researcher", "SE", [PEOPLE])
    return sign_tokens(issuer, who, AUDIENCE).passport


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    path = tmp_path_factory.mktemp("people") / "people.sqlite"
    consent = pd.DataFrame({"individual": NAMES, "basis": "consent", "uses": "DUO:0000004"})
    build_people(individuals(), {**phenotypes(), "consent": consent.assign(withdrawn=False)}, path)
    store = PeopleStore.open(path)
    yield store
    store.close()


class Node:
    """A served folder whose files change. ``told`` are the people in an answer."""

    def __init__(self, folder, people, issuer, passport, monkeypatch):
        self.folder, self.passport = folder, passport
        monkeypatch.setattr(authorizer_module, "LOOK_S", 0.0)  # every question looks
        access = AccessSettings(issuers=(issuer.trusted(),), protection=WIDE)
        self.settings = replace(NodeSettings.for_country("FI", "Finland"), access=access)
        self.settings.write(folder)
        file = SettingsFile(folder / "node.yaml", self.settings, partial(NodeSettings.read, folder))
        self.authorizer = Authorizer.open(self.settings, people, folder, file)
        self.began, self.go_on = asyncio.Event(), asyncio.Event()
        api = Api(partial(envelope.error, "org.rehearsal.fi"), "node")
        api.add("/people", self.people)
        api.add("/slow", self.slow)
        api.add("/slow_count", self.slow_count)
        api.add("/long_count", self.long_count)
        api.add("/stream", self.stream)
        self.app = AccessMiddleware(api, self.authorizer)

    async def people(self, request):
        rights = caller_rights(request)
        rights.require_records([PEOPLE])
        return Json([name for i, name in enumerate(NAMES) if i not in rights.excluded])

    async def slow(self, request):
        answer = await self.people(request)
        self.began.set()
        await self.go_on.wait()
        return answer

    async def slow_count(self, request):
        rights = caller_rights(request)
        answer = Json(self.number_of_people(rights))
        self.began.set()
        await self.go_on.wait()
        return answer

    async def long_count(self, request):
        counted = str(self.number_of_people(caller_rights(request))).encode()

        async def pieces():
            for _ in range(3):
                yield counted * PIECE
                self.began.set()
                await self.go_on.wait()

        return StreamingResponse(pieces())

    def number_of_people(self, rights):
        """The number of people, with the noise of the caller's tier."""
        count = len(NAMES) - len(rights.excluded)
        if PEOPLE not in rights.doors:
            return count
        question = ProtectedQuestion("everybody", UNKNOWN)
        return rights.doors[PEOPLE].answer(question, True, "somebody", lambda: count).count

    async def stream(self, request):
        caller_rights(request).require_records([PEOPLE])

        async def pieces():
            for number in range(10):
                yield bytes([number]) * PIECE * 2
                self.began.set()
                if number == 4:
                    await self.go_on.wait()

        return StreamingResponse(pieces())

    def headers(self, purpose=HMB):
        passport = self.passport
        token = [(b"authorization", f"Bearer {passport}".encode())] if passport else []
        return [*token, (b"x-rehearsal-purpose", purpose.encode())]

    async def ask(self, path="/people", send=None, abort=lambda: None):
        """(status, headers, body)."""
        sent = []

        async def keep(message):
            sent.append(message)

        scope = {
            **{"type": "http", "method": "GET", "path": path, "query_string": b""},
            **{"headers": self.headers(), ABORT_KEY: abort},
        }
        await self.app(scope, asyncio.Event().wait, send or keep)
        start, *rest = sent or [{"status": None, "headers": ()}]
        body = b"".join(message["body"] for message in rest)
        return start["status"], dict(start["headers"]), body

    def told(self):
        status, _, body = asyncio.run(self.ask())
        return status, json.loads(body)

    def settle(self):
        """What a node does within two seconds."""
        for _ in range(2):
            self.authorizer.look_for_changes()

    def change(self, **access):
        """Write other access settings."""
        changed = replace(self.settings.access, **access)
        replace(self.settings, access=changed).write(self.folder)

    def veto(self, **rule):
        self.change(vetoes=(Veto("no", **rule),))

    def logged(self):
        return [json.loads(line) for line in (self.folder / "audit.jsonl").open()]


@pytest.fixture
def node(tmp_path, people, issuer, passport, monkeypatch):
    return Node(tmp_path, people, issuer, passport, monkeypatch)


@pytest.fixture
def public_node(tmp_path, people, issuer, monkeypatch):
    """A node whose callers have no token."""
    return Node(tmp_path, people, issuer, "", monkeypatch)


@pytest.fixture
def another(node, people, issuer, passport, monkeypatch):
    """A second process of the same folder."""
    return Node(node.folder, people, issuer, passport, monkeypatch)


def test_a_withdrawal_takes_effect_in_all_processes_of_a_folder(node, another):
    assert node.told() == another.told() == (200, NAMES)
    add_withdrawals(node.folder, [NAMES[3]])
    left = [name for name in NAMES if name != NAMES[3]]
    assert node.told() == another.told() == (200, left)


def test_a_withdrawal_counts_after_a_restart(node, people, issuer, passport, monkeypatch):
    add_withdrawals(node.folder, [NAMES[3]])
    assert NAMES[3] not in Node(node.folder, people, issuer, passport, monkeypatch).told()[1]


@pytest.mark.parametrize("harm", ["removed", "damaged"])
def test_those_who_withdrew_stay_withdrawn_without_the_file(node, caplog, harm):
    add_withdrawals(node.folder, [NAMES[3]])
    assert NAMES[3] not in node.told()[1]
    path = node.folder / FILE_NAME
    path.unlink() if harm == "removed" else path.write_text("{}\n")
    with caplog.at_level(logging.ERROR):
        assert NAMES[3] not in node.told()[1]
        node.told()
    (line,) = caplog.messages  # and not a line for each question
    assert line.startswith(f"{path}: ") and "expected" in line
    path.unlink(missing_ok=True)
    add_withdrawals(node.folder, [NAMES[4]])
    assert not {NAMES[3], NAMES[4]} & set(node.told()[1])


def test_no_files_are_looked_at_before_a_second_has_passed(node, monkeypatch):
    node.told()
    monkeypatch.setattr(authorizer_module, "LOOK_S", 1000.0)
    node.authorizer.look_for_changes()
    monkeypatch.setattr(Authorizer, "look_for_changes", None)  # calling it would fail
    add_withdrawals(node.folder, [NAMES[3]])
    assert node.told() == (200, NAMES)


@pytest.mark.parametrize(
    "rule", [{"subject": "researcher-se"}, {"country": "SE"}, {"purpose": HMB}, {"dataset": PEOPLE}]
)
def test_a_veto_takes_effect_while_the_node_serves(node, another, rule):
    assert node.told()[0] == another.told()[0] == 200
    node.veto(**rule)
    for one in (node, another):
        one.settle()
        assert one.told()[0] == 403
    node.settings.write(node.folder)
    node.settle()
    assert node.told()[0] == 200


def test_an_issuer_that_is_no_longer_trusted_is_refused_at_once(node):
    assert node.told()[0] == 200  # its token is in the cache of verified ones
    other = IssuerSettings("https://other.example", jwks_url="https://other.example/jwks")
    access = replace(node.settings.access, issuers=(other,))
    replace(node.settings, access=access).write(node.folder)
    node.settle()
    assert node.told()[0] == 401


def test_a_key_that_is_removed_from_its_file_is_refused(
    node, people, issuer, passport, monkeypatch
):
    folder = node.folder / "with_file"
    folder.mkdir()
    (folder / "jwks.json").write_text(json.dumps(issuer.jwks()))
    node = Node(folder, people, issuer, passport, monkeypatch)
    access = replace(node.settings.access, issuers=(issuer.trusted("jwks.json"),))
    replace(node.settings, access=access).write(folder)
    node.settle()
    assert node.told()[0] == 200
    kept = [key for key in issuer.jwks()["keys"] if key["kty"] == "RSA"]
    (folder / "jwks.json").write_text(json.dumps({"keys": kept}))
    node.settle()
    assert node.told()[0] == 401


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("access: {vetoes: [{", "valid YAML"),
        ("", "the settings of a node, found an empty file"),
        ("access: {vetoes: [{title: x}]}", "vetoes[0]"),
    ],
)
def test_broken_settings_leave_those_of_before_in_force(node, caplog, text, complaint):
    node.veto(subject="researcher-se")
    node.settle()
    assert node.told()[0] == 403
    (node.folder / "node.yaml").write_text(text)
    with caplog.at_level(logging.ERROR):
        for _ in range(3):
            node.settle()
            assert node.told()[0] == 403
    (line,) = caplog.messages
    assert complaint in line
    assert line.endswith("; the access settings of before stay in force")
    node.settings.write(node.folder)
    node.settle()
    assert node.told()[0] == 200


def test_settings_that_are_put_back_are_in_force_again(node, caplog):
    path = node.folder / "node.yaml"
    before = path.read_text()
    path.write_text(before.replace("vetoes: []", "vetoes: [{name: x, country: Sweden}]"))
    node.settle()
    with caplog.at_level(logging.INFO):
        path.write_text(before)
        node.settle()
        node.settle()
    assert caplog.messages[1:] == [f"{path}: the access settings are in force again"]


@pytest.mark.parametrize("content", ["{", None, '{"keys": []}'])
def test_unusable_keys_are_refused_and_later_taken_up(node, issuer, caplog, content):
    node.veto(subject="researcher-se")
    path, keys = node.folder / "node.yaml", node.folder / "jwks.json"
    if content is not None:
        keys.write_text(content)
    access = replace(node.settings.access, issuers=(issuer.trusted("jwks.json"),))
    replace(node.settings, access=access).write(node.folder)
    with caplog.at_level(logging.INFO):
        node.settle()
        (line,) = caplog.messages
        assert line.startswith(f"{keys}: ")
        assert line.endswith("; the access settings of before stay in force")
        keys.write_text(json.dumps(issuer.jwks()))
        node.settle()
    assert caplog.messages[1:] == [f"{path}: the access settings are taken up"]
    assert node.told()[0] == 200


def test_half_a_file_is_not_read(node):
    """An editor writes in place: for a moment the vetoes at the end are missing."""
    node.veto(subject="researcher-se")
    node.settle()
    path = node.folder / "node.yaml"
    whole = path.read_text()
    path.write_text(whole[: whole.index("  vetoes:")])
    node.authorizer.look_for_changes()
    assert NodeSettings.read(node.folder).access.vetoes == ()
    path.write_text(whole)
    node.settle()
    assert node.told()[0] == 403


def test_another_folder_of_state_needs_a_restart(node, caplog):
    access = replace(node.settings.access, state="elsewhere", vetoes=(Veto("no", country="SE"),))
    replace(node.settings, access=access).write(node.folder)
    with caplog.at_level(logging.ERROR):
        node.settle()
    assert "access.state: expected" in caplog.text
    assert node.told()[0] == 200


def test_settings_are_read_at_once_when_the_operator_says_so(node):
    node.veto(subject="researcher-se")
    node.authorizer.look_for_changes(at_once=True)
    assert node.told()[0] == 403


# --- what is under way ---


def during(node, path, change):
    """Ask, let ``change`` happen while the answer is made, and return the answer."""

    node.began, node.go_on = asyncio.Event(), asyncio.Event()

    async def whole():
        asked = asyncio.create_task(node.ask(path))
        await node.began.wait()
        change()
        node.settle()
        node.go_on.set()
        return await asked

    return asyncio.run(whole())


def test_an_answer_of_before_a_withdrawal_does_not_leave(node):
    status, headers, body = during(node, "/slow", lambda: add_withdrawals(node.folder, NAMES[3:4]))
    assert status == 503
    assert headers[b"retry-after"] == b"1"
    assert NAMES[3].encode() not in body
    assert node.logged()[-1]["status"] == 503


def test_an_answer_of_before_a_veto_does_not_leave(node):
    status, _, body = during(node, "/slow", lambda: node.veto(subject="researcher-se"))
    assert status == 503
    assert NAMES[0].encode() not in body


@pytest.mark.parametrize("path", ["/slow_count", "/long_count"])
def test_a_withdrawal_stops_no_answer_to_an_anonymous_caller(public_node, path):
    """It would tell when somebody withdrew."""
    node = public_node
    node.go_on.set()
    before = asyncio.run(node.ask(path))
    meanwhile = during(node, path, lambda: add_withdrawals(node.folder, NAMES[3:4]))
    assert node.authorizer.withdrawn == {NAMES[3]}
    assert before[0] == 200
    assert before == meanwhile == asyncio.run(node.ask(path))
    assert [line["status"] for line in node.logged()] == [200] * 3


@pytest.mark.parametrize(
    "settings",
    [
        {"datasets": {PEOPLE: DatasetAccess("registered", "registered")}},
        {"datasets": {PEOPLE: DatasetAccess("public", "registered")}},
        {"protection": {**WIDE, "public": Protection()}},
    ],
    ids=["invisible", "coarser", "more noise"],
)
@pytest.mark.parametrize("path", ["/slow_count", "/long_count"])
def test_an_anonymous_answer_of_before_its_rights_ended_does_not_leave(public_node, path, settings):
    status, _, body = during(public_node, path, lambda: public_node.change(**settings))
    if path == "/slow_count":
        assert status == 503
    else:
        assert len(body) <= PIECE * 2
        assert public_node.logged()[-1]["rule"] == "stopped: the rights changed"


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda node: add_withdrawals(node.folder, [NAMES[3]]), 200),
        (lambda node: node.veto(subject="researcher-se"), 503),
    ],
    ids=["withdrawal", "veto"],
)
def test_a_veto_but_no_withdrawal_stops_an_answer_to_a_registered_caller(
    tmp_path, people, issuer, monkeypatch, change, status
):
    registered = sign_tokens(issuer, create_person("researcher", "SE", []), AUDIENCE).passport
    node = Node(tmp_path, people, issuer, registered, monkeypatch)
    assert during(node, "/slow_count", lambda: change(node))[0] == status


@pytest.mark.parametrize(
    ("settings", "path"),
    [
        # the people's records are exact, the other dataset is protected
        ({"datasets": {PEOPLE: DatasetAccess(record="public")}}, "/slow"),
        ({"protection": {**WIDE, "public": UNPROTECTED}}, "/slow_count"),
    ],
    ids=["records", "exact counts"],
)
def test_an_exact_anonymous_answer_of_before_a_withdrawal_does_not_leave(
    public_node, settings, path
):
    node = public_node
    node.change(**settings)
    node.settle()
    assert during(node, path, lambda: None)[0] == 200
    assert during(node, path, lambda: add_withdrawals(node.folder, NAMES[3:4]))[0] == 503


def test_a_veto_of_somebody_else_stops_no_answer(node):
    status, _, body = during(node, "/slow", lambda: node.veto(subject="somebody-else"))
    assert (status, json.loads(body)) == (200, NAMES)


@pytest.mark.parametrize(
    "change",
    [
        lambda node: add_withdrawals(node.folder, [NAMES[3]]),
        lambda node: node.veto(subject="researcher-se"),
    ],
    ids=["withdrawal", "veto"],
)
def test_a_stream_under_way_stops(node, change):
    status, _, body = during(node, "/stream", lambda: change(node))
    assert status == 200
    assert len(body) <= 5 * 2 * PIECE
    assert node.logged()[-1]["rule"] == "stopped: the rights changed"
    assert not node.app.under_way


def test_a_stream_goes_on_when_its_rights_hold(node):
    _, _, body = during(node, "/stream", lambda: node.veto(subject="somebody-else"))
    assert len(body) == 10 * 2 * PIECE
    assert not node.app.under_way


def test_a_stream_to_a_caller_who_reads_nothing_is_cut(node):
    """Nothing is sent that would notice the change: the connection is closed by itself."""
    cut = asyncio.Event()

    async def reads_nothing():
        async def send(message):
            if message["type"] == "http.response.body":
                node.began.set()
                await cut.wait()

        asked = asyncio.create_task(node.ask("/stream", send, cut.set))
        await node.began.wait()
        add_withdrawals(node.folder, [NAMES[3]])
        node.authorizer.look_for_changes()
        assert cut.is_set()
        await asked

    asyncio.run(reads_nothing())
    assert node.logged()[-1]["rule"] == "stopped: the rights changed"
