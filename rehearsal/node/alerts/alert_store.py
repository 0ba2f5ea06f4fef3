"""Persistent subscriptions and alerts: one SQLite file in the node's folder.

The table ``alerts`` has at most one row per subscription and person, ever. So an alert is sent
once, even when a patient is added twice or the process is interrupted. The row of an acknowledged
alert is kept.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from rehearsal.errors import InputError, shown
from rehearsal.files import create_private_file
from rehearsal.node.access.visas import Caller, Visa
from rehearsal.node.alerts.profile import Profile
from rehearsal.node.settings.node_settings import NodeSettings

FILE_NAME = "alerts.sqlite"
FORMAT = "rehearsal alerts 1"
LOCKED_S = 0.5  # waited for another program that writes; nobody is served meanwhile
SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS subscriptions (
    id TEXT PRIMARY KEY, issuer TEXT NOT NULL, subject TEXT NOT NULL, caller TEXT NOT NULL,
    purpose TEXT, profile TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS alerts (
    number INTEGER PRIMARY KEY, subscription TEXT NOT NULL, person TEXT NOT NULL,
    time REAL NOT NULL, token TEXT NOT NULL, acknowledged INTEGER NOT NULL DEFAULT 0,
    UNIQUE (subscription, person));
"""


@dataclass(frozen=True, slots=True)
class Subscription:
    """A standing query of a caller."""

    id: str
    caller: Caller  # the subscriber with the visas shown then; the subscription expires with them
    purpose: str | None  # as stated when subscribing
    profile: Profile  # the patients to look for


@dataclass(frozen=True, slots=True)
class Alert:
    """An alert to a subscriber. It reveals nothing about the person but a token for contact."""

    subscription: str  # id of the subscription
    time: float  # seconds since 1970
    token: str  # stands for the person


class AlertStore:
    """Reads and writes the file, over one connection, for one thread.

    Args:
        path: The file. None keeps everything in memory.

    Raises:
        InputError: The file has other content.
    """

    def __init__(self, path: Path | None) -> None:
        """Open the file or create it.

        Args:
            path: The file. None keeps everything in memory.

        Raises:
            InputError: The file has other content.
        """
        try:
            if path is not None:
                create_private_file(path)
            self._db = sqlite3.connect(
                ":memory:" if path is None else path, timeout=LOCKED_S, check_same_thread=False
            )
            self._db.executescript(f"BEGIN IMMEDIATE;{SCHEMA}")  # waits for the disk once
            self._db.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (FORMAT,))
            (found,) = self._db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
            self._db.commit()
        except sqlite3.DatabaseError as error:
            expected, fault = "an SQLite file of subscriptions and alerts", f"an error ({error})"
            raise InputError(path, "file", expected, fault) from None
        if found != FORMAT:
            raise InputError(path, "format", shown(FORMAT), shown(found))
        self._known, self._version = {one.id: one for one in self._read()}, self._data_version()

    @property
    def subscriptions(self) -> Mapping[str, Subscription]:
        """All subscriptions by id, also those that another process has stored since."""
        version = self._data_version()
        if version != self._version:
            self._known, self._version = {one.id: one for one in self._read()}, version
        return self._known

    def _data_version(self) -> int:
        """Return a number that changes when another connection writes into the file."""
        return self._db.execute("PRAGMA data_version").fetchone()[0]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def subscribe(self, one: Subscription) -> None:
        """Store a subscription, and replace one with the same id.

        Args:
            one: The subscription.
        """
        row = (
            one.id,
            one.caller.issuer,
            one.caller.subject,
            _encode_caller(one.caller),
            one.purpose,
            orjson.dumps(one.profile.to_json()).decode(),
        )
        with self._db:
            self._db.execute("INSERT OR REPLACE INTO subscriptions VALUES (?, ?, ?, ?, ?, ?)", row)
        self._known[one.id] = one

    def unsubscribe(self, identifier: str) -> None:
        """Delete a subscription. Its pending alerts are no longer delivered.

        Args:
            identifier: Id of the subscription.
        """
        with self._db:
            self._db.execute("DELETE FROM subscriptions WHERE id = ?", (identifier,))
        self._known.pop(identifier, None)

    def raise_alerts(self, person: str, alerts: Iterable[Alert]) -> list[Alert]:
        """Store the alerts about a new person.

        Args:
            person: The person's identifier.
            alerts: The alerts, one per matching subscription.

        Returns:
            The alerts that were not stored before.
        """
        new = []
        with self._db:
            for one in alerts:
                done = self._db.execute(
                    "INSERT OR IGNORE INTO alerts (subscription, person, time, token)"
                    " VALUES (?, ?, ?, ?)",
                    (one.subscription, person, one.time, one.token),
                )
                if done.rowcount:
                    new.append(one)
        return new

    def pending(self, issuer: str, subject: str) -> list[tuple[Alert, str]]:
        """Return a subscriber's alerts that were not acknowledged, each with the person.

        They are in the order in which they were raised.

        Args:
            issuer: The subscriber's issuer.
            subject: The subscriber's subject.
        """
        rows = self._db.execute(
            "SELECT a.subscription, a.time, a.token, a.person FROM alerts a JOIN subscriptions s"
            " ON s.id = a.subscription WHERE s.issuer = ? AND s.subject = ?"
            " AND NOT a.acknowledged ORDER BY a.number",
            (issuer, subject),
        )
        return [(Alert(*row), person) for *row, person in rows]

    def acknowledge(self, issuer: str, subject: str, tokens: Iterable[str]) -> int:
        """Mark a subscriber's alerts as received.

        Args:
            issuer: The subscriber's issuer.
            subject: The subscriber's subject.
            tokens: Tokens of the alerts. Unknown ones are ignored.

        Returns:
            The number of alerts newly marked.
        """
        with self._db:
            return sum(
                self._db.execute(
                    "UPDATE alerts SET acknowledged = 1 WHERE token = ? AND NOT acknowledged AND"
                    " subscription IN"
                    " (SELECT id FROM subscriptions WHERE issuer = ? AND subject = ?)",
                    (token, issuer, subject),
                ).rowcount
                for token in tokens
            )

    def _read(self) -> Iterable[Subscription]:
        rows = self._db.execute(
            "SELECT id, caller, purpose, profile FROM subscriptions ORDER BY id"
        )
        for identifier, caller, purpose, profile in rows:
            values = Profile.from_json(orjson.loads(profile))
            yield Subscription(identifier, _decode_caller(caller), purpose, values)


def _encode_caller(caller: Caller) -> str:
    """Encode a subscriber without token, so that a reader of the file cannot impersonate them."""
    values = asdict(caller)
    del values["digest"]
    return orjson.dumps(values).decode()


def _decode_caller(text: str) -> Caller:
    values = orjson.loads(text)
    visas = tuple(Visa(**visa) for visa in values["visas"])
    return Caller(**{**values, "visas": visas, "dropped": tuple(values["dropped"])})


def find_person_of_alert(folder: Path, token: str) -> str:
    """Find the person of an alert's token, for the node's operator.

    Args:
        folder: The node's folder.
        token: The token of an alert.

    Returns:
        The person's identifier.

    Raises:
        InputError: The node has no alerts, or none with this token.
    """
    settings = NodeSettings.read(folder)
    path = folder / (settings.access.state or "") / FILE_NAME
    if not path.is_file():
        raise InputError(path, "file", "the alerts of a node that was served", "no such file")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        row = connection.execute("SELECT person FROM alerts WHERE token = ?", (token,)).fetchone()
    except sqlite3.DatabaseError as error:
        expected, fault = "an SQLite file of subscriptions and alerts", f"an error ({error})"
        raise InputError(path, "file", expected, fault) from None
    finally:
        connection.close()
    if row is None:
        raise InputError(path, "token", "the token of an alert of this node", shown(token))
    return row[0]
