"""Privacy budgets: how much each individual has paid, to which user, for which question."""

from __future__ import annotations

import hashlib
import os
import sqlite3
import threading
from array import array
from collections import OrderedDict
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from rehearsal.errors import InputError, cause
from rehearsal.node.privacy.prices import FREE
from rehearsal.node.privacy.protection import Protection

BUDGET_FILE = "budget.sqlite"
TERM_BUDGET_FILE = "term_budget.sqlite"

_FORMAT = "rehearsal privacy budget 1"
_USERS_IN_MEMORY = 64
_EVERYBODY = ""  # the id that stands for everybody; not the id of an individual
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS individuals (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS charges (
    number INTEGER PRIMARY KEY, user BLOB NOT NULL, question BLOB NOT NULL, cost REAL NOT NULL,
    charged INTEGER NOT NULL, members BLOB NOT NULL, UNIQUE (user, question)
);
"""


class Budget:
    """A ledger of privacy costs, which survives a restart and is safe for threads.

    Each question that cost somebody something is one row: the user (a digest), the question's key,
    the price and who paid it. When the same user repeats a question, the answer uses the same
    people at no further cost. Individuals are known by their ids, so a node that is rebuilt with
    more people keeps what was spent. Once ``maximum`` rows are stored, no question with a price is
    answered any more, because deleting rows would give budget back.

    The file reveals who carries what, so only its owner may read it. A killed process loses
    nothing. A power cut may lose the last questions.

    Attributes:
        everybody: The number that stands for all individuals in counts.
    """

    def __init__(
        self, individuals: Sequence[str], path: Path | str | None = None, maximum: int = 1_000_000
    ) -> None:
        """Open the ledger or create it.

        Args:
            individuals: Ids in the order of the individuals' numbers.
            path: SQLite file. None keeps the ledger in memory.
            maximum: Most rows.

        Raises:
            InputError: The file is not such a ledger.
        """
        self._lock = threading.Lock()
        self._maximum = maximum
        self.everybody = len(individuals)
        self._users: OrderedDict[bytes, NDArray[np.float64]] = OrderedDict()
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        self._connection = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False
        )
        try:
            self._open([*individuals, _EVERYBODY])
        except sqlite3.DatabaseError as error:
            self._connection.close()
            found = f"an unusable file ({cause(error)})"
            raise InputError(path, "file", "an SQLite file of privacy budgets", found) from error
        self._all = self._spent()
        (self._rows,) = self._connection.execute("SELECT count(*) FROM charges").fetchone()

    def _open(self, individuals: Sequence[str]) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(_SCHEMA)
        self._connection.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (_FORMAT,))
        self._connection.execute("BEGIN")
        self._connection.executemany(
            "INSERT OR IGNORE INTO individuals (id) VALUES (?)", ((one,) for one in individuals)
        )
        self._connection.execute("COMMIT")
        kept = dict(self._connection.execute("SELECT id, number FROM individuals"))
        self._kept_number = np.array([kept[one] for one in individuals], np.int64)
        self._number = np.full(max(kept.values(), default=0) + 1, -1, np.int64)
        self._number[self._kept_number] = np.arange(len(individuals))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def charge(
        self,
        user: str,
        question: bytes,
        members: Collection[int] | BitMap,
        cost: float,
        protection: Protection,
    ) -> int:
        """Charge the members for a question, and return how many of them the answer may use.

        Members who cannot pay the whole price pay nothing and are left out. A question is stored
        even when nobody pays, so that its time is the same as when somebody does.

        Args:
            user: The user who asks.
            question: The question's key.
            members: Numbers of the individuals whom the answer gives information about.
            cost: Price per member, nats.
            protection: The budgets.

        Returns:
            The number of members who paid, now or for the same question before.
        """
        if cost < FREE:
            return len(members)
        if cost > min(protection.user_budget, protection.individual_budget):
            return 0  # the price exceeds every budget
        who = hashlib.blake2b(user.encode(), digest_size=16).digest()
        with self._lock:
            paid = self._connection.execute(
                "SELECT charged FROM charges WHERE user = ? AND question = ?", (who, question)
            ).fetchone()
            if paid is not None:
                return paid[0]
            if self._rows >= self._maximum:
                return 0
            spent = self._spent_on(who)
            numbers = _as_array(members)
            paying = numbers[
                (spent[numbers] + cost <= protection.user_budget)
                & (self._all[numbers] + cost <= protection.individual_budget)
            ]
            self._write(who, question, cost, paying)
            spent[paying] += cost
            self._all[paying] += cost
            return int(paying.size)

    def spent(self, individual: int, user: str | None = None) -> float:
        """Return what an individual has paid.

        Args:
            individual: The individual's number, or :attr:`everybody`.
            user: To whom. None sums over all users.

        Returns:
            Nats.
        """
        with self._lock:
            if user is None:
                return float(self._all[individual])
            who = hashlib.blake2b(user.encode(), digest_size=16).digest()
            return float(self._spent_on(who)[individual])

    def _write(self, who: bytes, question: bytes, cost: float, paying: NDArray[np.int64]) -> None:
        members = BitMap(
            array("I", self._kept_number[paying].astype(np.uint32).tobytes())
        ).serialize()
        self._connection.execute(
            "INSERT INTO charges (user, question, cost, charged, members) VALUES (?, ?, ?, ?, ?)",
            (who, question, cost, int(paying.size), members),
        )
        self._rows += 1

    def _spent_on(self, who: bytes) -> NDArray[np.float64]:
        if who in self._users:
            self._users.move_to_end(who)
            return self._users[who]
        if len(self._users) >= _USERS_IN_MEMORY:
            self._users.popitem(last=False)
        self._users[who] = self._spent(who)
        return self._users[who]

    def _spent(self, who: bytes | None = None) -> NDArray[np.float64]:
        """Sum in the order of payment, so that the floating-point sums are reproducible."""
        spent = np.zeros(self.everybody + 1)
        where, values = ("", ()) if who is None else ("WHERE user = ?", (who,))
        rows = self._connection.execute(
            f"SELECT cost, members FROM charges {where} ORDER BY number", values
        )
        for cost, members in rows:
            numbers = self._number[_as_array(BitMap.deserialize(members))]
            spent[numbers[numbers >= 0]] += cost
        return spent


def _as_array(numbers: Collection[int] | BitMap) -> NDArray[np.int64]:
    if isinstance(numbers, BitMap):  # avoids one Python integer per person
        return np.frombuffer(numbers.to_array(), np.uint32).astype(np.int64)
    return np.fromiter(numbers, np.int64, len(numbers))
