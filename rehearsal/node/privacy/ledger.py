"""The ledger of what a node has told about its people, in nats, by tier and caller."""

from __future__ import annotations

import hmac
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rehearsal.errors import InputError, cause, mismatch
from rehearsal.files import create_private_file
from rehearsal.node.privacy.protection import Protection

LEDGER_FILE = "ledger.sqlite"

_FORMAT = "rehearsal ledger 1"
_WAIT_S = 0.5  # for another process that writes
_IN_MEMORY = 10_000  # answers that need no look-up in the file
_ROUNDING = 1e-9  # share of the budget by which sums of floating-point numbers may be wrong
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS charges (
    release TEXT NOT NULL, tier TEXT NOT NULL, question BLOB NOT NULL, caller BLOB NOT NULL,
    nats REAL NOT NULL, answer INTEGER NOT NULL, PRIMARY KEY (release, tier, question)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS spent (
    release TEXT NOT NULL, tier TEXT NOT NULL, caller BLOB NOT NULL, nats REAL NOT NULL,
    PRIMARY KEY (release, tier, caller)
) WITHOUT ROWID;
"""
_ADD = """INSERT INTO spent VALUES (?, ?, ?, ?)
ON CONFLICT DO UPDATE SET nats = nats + excluded.nats"""
_ALL_CALLERS = b""


def pays_for(nats: float, budget: float) -> bool:
    """Tell whether a budget pays for all that was and would be told.

    Args:
        nats: A sum of prices.
        budget: The budget, nats.
    """
    return nats <= budget * (1 + _ROUNDING)


class BudgetError(Exception):
    """The ledger cannot pay for an answer.

    Args:
        of_caller: Whether the share of the caller is spent, and not the budget of the tier.
    """

    def __init__(self, *, of_caller: bool) -> None:
        super().__init__()
        self.of_caller = of_caller


class LedgerError(Exception):
    """The ledger cannot be read or written."""


class Ledger:
    """What was told about each person of a data release, whatever the endpoint.

    Every charge counts for every person: an answer also tells about those whom it does not count,
    and a ledger that charged some people only would tell by its refusals who they are. So the state
    of the ledger depends on the questions that were asked, never on the people.

    An answer that was paid is kept and given to everybody who asks the same question at the same
    tier. The file holds only what was told, and digests of questions and callers. Each row has a
    price, so the budget bounds their number. Any number of processes may use one file.

    Args:
        release: Identifier of the data release. Another release has a ledger of its own.
        secret: The node's secret key, for digests.
        path: SQLite file. None keeps the ledger in memory.

    Raises:
        InputError: The file is not such a ledger.
    """

    def __init__(self, release: str, secret: bytes, path: Path | str | None = None) -> None:
        self._release, self._secret = release, secret
        self._lock = threading.Lock()
        self._known: OrderedDict[tuple[str, bytes], int] = OrderedDict()
        # budgets of a tier, and shares of its callers, that cannot pay for anything more
        self._exhausted: OrderedDict[tuple[str, Protection, str | None], None] = OrderedDict()
        if path is not None:
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            create_private_file(path)
        self._connection = sqlite3.connect(
            path or ":memory:", isolation_level=None, check_same_thread=False, timeout=_WAIT_S
        )
        try:
            self._open()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            found = f"an unusable file ({cause(error)})"
            raise InputError(path, "file", "an SQLite file of privacy budgets", found) from error

    def _open(self) -> None:
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        # one transaction: it waits for the disk once
        self._connection.execute("BEGIN IMMEDIATE")
        for statement in _SCHEMA.split(";"):
            self._connection.execute(statement)
        self._connection.execute("INSERT OR IGNORE INTO meta VALUES ('format', ?)", (_FORMAT,))
        self._connection.execute("COMMIT")
        (found,) = self._connection.execute(
            "SELECT value FROM meta WHERE key = 'format'"
        ).fetchone()
        if found != _FORMAT:
            raise sqlite3.DatabaseError(mismatch("format", _FORMAT, found))

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def pay(
        self,
        tier: str,
        caller: str,
        question: bytes,
        nats: float,
        protection: Protection,
        compute: Callable[[], int],
    ) -> int:
        """Return the answer to a question, which is paid once for all callers of a tier.

        Args:
            tier: The caller's tier.
            caller: The caller: issuer and subject, or an address.
            question: Key of the canonical question, 32 bytes.
            nats: Price of the answer.
            protection: The tier's budgets.
            compute: Computes the answer, noise included. It is called only after the budget was
                found to suffice.

        Returns:
            The answer.

        Raises:
            BudgetError: The budget of the tier or the share of the caller does not suffice.
            LedgerError: The file cannot be read or written.
        """
        known = self._known.get((tier, question))
        if known is not None:
            return known
        for whose in (None, caller):
            if (tier, protection, whose) in self._exhausted:
                return self._paid_before(tier, question, of_caller=whose is not None)
        with self._lock, self._transaction():
            answer = self._stored(tier, question)
            if answer is None:
                who = self._digest(caller)
                self._require_budget(tier, caller, nats, protection)
                answer = compute()
                self._charge(tier, question, who, nats, answer)
        self._keep(tier, question, answer)
        return answer

    def spent(self, tier: str, caller: str | None = None) -> float:
        """Return what the answers to a tier have told about each person.

        Args:
            tier: The tier.
            caller: To whom. None sums over all callers.

        Returns:
            Nats.

        Raises:
            LedgerError: The file cannot be read.
        """
        with self._lock, self._failures():
            return self._spent(tier, _ALL_CALLERS if caller is None else self._digest(caller))

    def _require_budget(self, tier: str, caller: str, nats: float, protection: Protection) -> None:
        who, budget = self._digest(caller), protection.budget
        of_caller = max(budget * protection.caller_share, nats)
        spent, spent_by_caller = self._spent(tier), self._spent(tier, who)
        if not pays_for(spent + nats, budget):
            self._note_exhausted(tier, protection, None)
            raise BudgetError(of_caller=False)
        if not pays_for(spent_by_caller + nats, of_caller):
            self._note_exhausted(tier, protection, caller)
            raise BudgetError(of_caller=True)

    def _note_exhausted(self, tier: str, protection: Protection, whose: str | None) -> None:
        """Remember a spent budget, for ever: what was told cannot be taken back."""
        self._exhausted[tier, protection, whose] = None
        if len(self._exhausted) > _IN_MEMORY:
            self._exhausted.popitem(last=False)

    def _paid_before(self, tier: str, question: bytes, *, of_caller: bool) -> int:
        """Return an answer although a budget is spent. Raises BudgetError."""
        with self._lock, self._failures():
            answer = self._stored(tier, question)
        if answer is None:
            raise BudgetError(of_caller=of_caller)
        self._keep(tier, question, answer)
        return answer

    def _charge(self, tier: str, question: bytes, who: bytes, nats: float, answer: int) -> None:
        self._connection.execute(
            "INSERT INTO charges VALUES (?, ?, ?, ?, ?, ?)",
            (self._release, tier, question, who, nats, answer),
        )
        for caller in (who, _ALL_CALLERS):
            self._connection.execute(_ADD, (self._release, tier, caller, nats))

    def _spent(self, tier: str, who: bytes = _ALL_CALLERS) -> float:
        row = self._connection.execute(
            "SELECT nats FROM spent WHERE release = ? AND tier = ? AND caller = ?",
            (self._release, tier, who),
        ).fetchone()
        return row[0] if row else 0.0

    def _stored(self, tier: str, question: bytes) -> int | None:
        row = self._connection.execute(
            "SELECT answer FROM charges WHERE release = ? AND tier = ? AND question = ?",
            (self._release, tier, question),
        ).fetchone()
        return None if row is None else row[0]

    def _keep(self, tier: str, question: bytes, answer: int) -> None:
        self._known[tier, question] = answer
        if len(self._known) > _IN_MEMORY:
            self._known.popitem(last=False)

    def _digest(self, caller: str) -> bytes:
        return hmac.digest(self._secret, caller.encode(), "sha256")[:16]

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """One transaction that no other process can write into."""
        with self._failures():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _failures(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise LedgerError(cause(error)) from error
