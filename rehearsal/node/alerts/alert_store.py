"""Subscriptions and alerts that outlive the process: one SQLite file in the node's folder.

``alerts`` has one row a subscription and person at most, ever: that is what makes an alert come
once, whatever is admitted twice or interrupted in between. A row stays when its alert was
acknowledged.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

import orjson

from rehearsal.errors import InputError
from rehearsal.node.access.visas import Caller, Visa
from rehearsal.node.alerts.profile import Profile
from rehearsal.node.settings.node_settings import NodeSettings

FILE_NAME = "alerts.sqlite"
FORMAT = "rehearsal alerts 1"
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
    """``caller``: who subscribed, with the visas shown then; it expires with them."""

    id: str
    caller: Caller
    purpose: str | None
    profile: Profile


@dataclass(frozen=True, slots=True)
class Alert:
    """What a subscriber is told: nothing of the person but a token to speak of them by."""

    subscription: str
    time: float  # seconds since 1970
    token: str


class AlertStore:
    """Reads and writes the file. One connection, for one thread."""

    def __init__(self, path: Path | None) -> None:
        """``path`` None keeps everything in memory. Raises InputError for another file."""
        try:
            self._db = sqlite3.connect(
                ":memory:" if path is None else path, check_same_thread=False
            )
            self._db.executescript(SCHEMA)
            self._db.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (FORMAT,))
            (found,) = self._db.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
            self._db.commit()
        except sqlite3.DatabaseError as error:
            raise InputError(path, "file", f"subscriptions and alerts ({error})") from None
        if found != FORMAT:
            raise InputError(path, "format", FORMAT)
        self.subscriptions = {one.id: one for one in self._read()}

    def close(self) -> None:
        self._db.close()

    def subscribe(self, one: Subscription) -> None:
        """Keep a subscription, in the place of one with the same id."""
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
        self.subscriptions[one.id] = one

    def unsubscribe(self, identifier: str) -> None:
        """Forget a subscription; its alerts are not told any more."""
        with self._db:
            self._db.execute("DELETE FROM subscriptions WHERE id = ?", (identifier,))
        self.subscriptions.pop(identifier, None)

    def raise_alerts(self, person: str, alerts: Iterable[Alert]) -> list[Alert]:
        """Write the alerts that a person's arrival gives; returns those that are new."""
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

    def pending(self, issuer: str, subject: str) -> list[Alert]:
        """A subscriber's alerts that were not acknowledged, in the order they came."""
        rows = self._db.execute(
            "SELECT a.subscription, a.time, a.token FROM alerts a JOIN subscriptions s"
            " ON s.id = a.subscription WHERE s.issuer = ? AND s.subject = ?"
            " AND NOT a.acknowledged ORDER BY a.number",
            (issuer, subject),
        )
        return [Alert(*row) for row in rows]

    def acknowledge(self, issuer: str, subject: str, tokens: Iterable[str]) -> int:
        """Mark a subscriber's alerts as received; returns how many there were to mark."""
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
    """Who subscribed, without their token: who reads the file must not become them."""
    values = asdict(caller)
    del values["digest"]
    return orjson.dumps(values).decode()


def _decode_caller(text: str) -> Caller:
    values = orjson.loads(text)
    visas = tuple(Visa(**visa) for visa in values["visas"])
    return Caller(**{**values, "visas": visas, "dropped": tuple(values["dropped"])})


def find_person_of_alert(folder: Path, token: str) -> str:
    """Whom an alert's token stands for: for the node's operator. Raises InputError."""
    settings = NodeSettings.read(folder)
    path = folder / (settings.access.state or "") / FILE_NAME
    if not path.is_file():
        raise InputError(path, "file", "the alerts of a node that has served")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        row = connection.execute("SELECT person FROM alerts WHERE token = ?", (token,)).fetchone()
    except sqlite3.DatabaseError as error:
        raise InputError(path, "file", f"subscriptions and alerts ({error})") from None
    finally:
        connection.close()
    if row is None:
        raise InputError(path, "token", "one that an alert of this node gave")
    return row[0]
