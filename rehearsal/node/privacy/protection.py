"""What the public may learn of a node, so that nobody can be found in it by asking.

Who holds a person's genome can ask a beacon for that person's alleles and see from the answers
whether the person is in it (Shringarpure & Bustamante, Am J Hum Genet 2015); asking the rarest
alleles first takes one question to a few dozen (Raisaro et al., JAMIA 2017). Four protections
stand against it, and none of them is enough alone:

threshold
    Carriers fewer than this look absent. Alone it only moves the attack to alleles whose number of
    carriers lies near the threshold.
rounding
    Counts are told as multiples of a step.
noise
    Moves the threshold up and a count either way by a few people. A fixed function of the question
    (HMAC-SHA256 with the node's secret key): asking twice tells nothing more, and there is no
    average to take. Against somebody who knows all other people's alleles.
budget
    A question costs what its answer may tell, here in nats (:func:`information`). Whether somebody
    is there costs each carrier, as Raisaro has it: who cannot pay any more is left out of the
    answer and looks absent. How many are there costs everybody, since a count tells also of those
    who are not in it; it is told of all or not at all, as one that leaves people out is wrong.
    The price depends on how frequent the allele is elsewhere and on nothing in the node: a price
    by the node's own carriers would itself tell who is there. Alleles whose answer anybody could
    foresee, the very rare and the common ones, are next to free; without a frequency from
    elsewhere every question has the highest price. Budgets are kept for each user and individual,
    and for each individual over all users, so that many accounts are worth no more than one.

The budget is what a promise rests on. For any test whatsoever, with false positives alpha and
power beta, the relative entropy kl(beta || alpha) is at most the nats that the answers tell (data
processing inequality): with 0.02 nats, 0.01 for each kind of question, the power at 5 % false
positives is at most 0.10 (:func:`power_bound`). The nats are those against an attacker who knows
each allele's frequency and takes people as drawn at random from it. Linked alleles may tell more
than their sum (von Thenen et al., Bioinformatics 2019), and an answer from which others are left
out more than its price: :mod:`rehearsal.attack.membership` measures what that comes to.
"""

from __future__ import annotations

import hashlib
import hmac
import math
import os
import sqlite3
import threading
from array import array
from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from rehearsal.files import written_aside
from rehearsal.model import InputError

BUDGET_FILE = "budget.sqlite"
TERM_BUDGET_FILE = "term_budget.sqlite"
KEY_FILE = "privacy.key"
SHARES_FILE = "public_shares.npz"
FREE = 1e-9  # nats: a million such questions tell a thousandth; they are not written down
_DRIFT = 0.01  # how far frequencies elsewhere may be from the node's people: F_ST and sampling
_SHARES = 1 / (1 + np.exp(-np.linspace(-12, 12, 241)))  # at which prices are computed

_FORMAT = "rehearsal privacy budget 1"
_USERS_IN_MEMORY = 64
_EVERYBODY = ""  # the id that stands for everybody; no individual has it
_SCHEMA = """
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS individuals (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE);
CREATE TABLE IF NOT EXISTS charges (
    number INTEGER PRIMARY KEY, user BLOB NOT NULL, question BLOB NOT NULL, cost REAL NOT NULL,
    charged INTEGER NOT NULL, members BLOB NOT NULL, UNIQUE (user, question)
);
"""


@dataclass(frozen=True, slots=True)
class Protection:
    """How answers are protected. The default is the strict one, for the public.

    ``threshold``: carriers below it look absent. ``rounding``: step of counts. ``noise``: the
    threshold is moved up by 0 to so many, a count by so many at most either way.
    ``user_budget``: nats that one user may learn of an individual by questions whether somebody is
    there, and as many again by counts; ``individual_budget``: those that all users together may.
    Raises InputError for values that protect nothing they promise.
    """

    threshold: int = 10
    rounding: int = 10
    noise: int = 2
    user_budget: float = 0.01
    individual_budget: float = 0.01

    def __post_init__(self) -> None:
        for name in ("threshold", "rounding"):
            if getattr(self, name) < 1:
                raise InputError("privacy", name, "a whole number of at least 1")
        if not 0 <= self.noise < self.threshold:
            raise InputError("privacy", "noise", "at least 0 and less than the threshold")
        for name in ("user_budget", "individual_budget"):
            if not getattr(self, name) >= 0:
                raise InputError("privacy", name, "nats, at least 0, or infinity")

    @property
    def budgeted(self) -> bool:
        return min(self.user_budget, self.individual_budget) < math.inf


PUBLIC = Protection()
REGISTERED = Protection(5, 5, 1, user_budget=0.25, individual_budget=2.5)
UNPROTECTED = Protection(1, 1, 0, math.inf, math.inf)


@dataclass(frozen=True, slots=True)
class Told:
    """An answer that may be told: whether there is somebody, and how many where that may be."""

    exists: bool
    count: int | None = None


@dataclass(frozen=True, slots=True)
class Guard:
    """What a node needs to protect an answer: the rules, its secret, how many it holds."""

    key: bytes
    people: int
    protection: Protection = PUBLIC
    budget: Budget | None = None  # of questions that name a variant
    term_budget: Budget | None = None  # of those that choose people by terms alone

    def __post_init__(self) -> None:
        if self.protection.budgeted and self.budget is None:
            raise InputError("privacy", "budget", "a store: the protection limits what is told")


def protect_boolean(
    guard: Guard,
    user: str,
    question: bytes,
    carriers: Collection[int],
    share: float | None = None,
    among: int | None = None,
) -> bool:
    """Whether the user is told that somebody is there.

    ``question`` names what is asked as :func:`question_key` does, in one way only however it was
    worded. ``carriers`` are numbers of the individuals it is true of. ``share`` is how many people
    in one it is true of elsewhere, from public data (:class:`PublicShares`); None costs most.
    ``among`` is how many people it was asked of (everybody). A question about several alleles (a
    range, a gene) is as many questions: ask for each and join the answers.
    """
    shown = len(carriers)
    if guard.protection.budgeted:
        cost = price(share, among or guard.people, guard.protection, counted=False)
        shown = guard.budget.charge(user, question + b"?", carriers, cost, guard.protection)
    return bool(is_told(shown, noise(guard.key, question, guard.protection)[0], guard.protection))


def protect_count(
    guard: Guard,
    user: str,
    question: bytes,
    carriers: Collection[int],
    share: float | None = None,
    among: int | None = None,
) -> Told:
    """How many people the user is told of; arguments as of :func:`protect_boolean`.

    Where the budget no longer bears a count, the answer falls back to whether there is somebody,
    and the count is None.
    """
    if not _may_count(guard, user, question, share, among):
        exists = protect_boolean(guard, user, question, carriers, share, among)
        return Told(exists, None if exists else 0)
    up, shift = noise(guard.key, question, guard.protection)
    if not is_told(len(carriers), up, guard.protection):
        return Told(False, 0)
    return Told(True, int(rounded(len(carriers), shift, guard.protection)))


def _may_count(
    guard: Guard, user: str, question: bytes, share: float | None, among: int | None
) -> bool:
    """Whether everybody can pay for a count; paid whatever it will be."""
    if not guard.protection.budgeted:
        return True
    cost = price(share, among or guard.people, guard.protection, counted=True)
    asked = question + b"#"
    return guard.budget.charge(user, asked, [guard.budget.everybody], cost, guard.protection) == 1


# --- the parts, as the attack that measures them uses them --------------------------------------


def question_key(*parts: str | bytes) -> bytes:
    """One name (32 bytes) for what is asked: the matched allele, then whatever narrows it.

    Make it of what was meant (``str(variant)``, the set of people that filters leave), never of
    the request's text: two wordings of a question must have one key, or noise could be averaged.
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


def noise(key: bytes, question: bytes, protection: Protection) -> tuple[int, int]:
    """How far the threshold moves up, and the count either way: fixed for a key and question."""
    if protection.noise == 0:
        return 0, 0
    drawn = hmac.digest(key, question, "sha256")
    up = int.from_bytes(drawn[:8], "big") % (protection.noise + 1)
    shift = int.from_bytes(drawn[8:16], "big") % (2 * protection.noise + 1) - protection.noise
    return up, shift


def is_told(shown: Any, up: Any, protection: Protection) -> Any:
    """Whether so many contributing carriers exist for the asker; numbers or arrays."""
    return shown >= protection.threshold + up


def rounded(shown: Any, shift: Any, protection: Protection) -> Any:
    """The count that is told: the nearest multiple of the step, never 0; numbers or arrays."""
    step = protection.rounding
    return np.maximum(step, (shown + shift + step // 2) // step * step)


def outcomes(people: int, protection: Protection, counted: bool) -> NDArray[np.float64]:
    """Probability over the noise of each answer (columns) to 0..people carriers (rows).

    Column 0 is "absent". Without counting column 1 is "there"; with it column i is the count
    ``i * rounding``.
    """
    return _outcomes(np.arange(people + 1), protection, counted)


def _outcomes(
    shown: NDArray[np.int64], protection: Protection, counted: bool
) -> NDArray[np.float64]:
    width = protection.noise + 1
    there = np.clip((shown - protection.threshold + 1) / width, 0, 1)
    if not counted:
        return np.column_stack([1 - there, there])
    shifts = np.arange(-protection.noise, protection.noise + 1)
    told = rounded(shown[:, None], shifts, protection) // protection.rounding
    told -= told.min() - 1  # a window of many people needs only the counts in it
    table = np.zeros((len(shown), int(told.max()) + 1))
    rows = np.broadcast_to(np.arange(len(shown))[:, None], told.shape)
    np.add.at(table, (rows, told), np.broadcast_to(there[:, None] / len(shifts), told.shape))
    table[:, 0] = 1 - there
    return table


def price(share: float | None, people: int, protection: Protection, counted: bool) -> float:
    """Nats that an answer costs each carrier: the most it may tell if the share is about right.

    The highest :func:`information` within two standard deviations of drift around the share; over
    all shares when it is None.
    """
    if share is None:
        return _highest_price(people, protection, counted)
    return _price(int(np.abs(_SHARES - share).argmin()), people, protection, counted)


def prices(
    shares: NDArray[np.float64], people: int, protection: Protection, counted: bool
) -> NDArray[np.float64]:
    """:func:`price` of many shares at once."""
    middles = (_SHARES[1:] + _SHARES[:-1]) / 2
    table = np.array([_price(step, people, protection, counted) for step in range(_SHARES.size)])
    return table[np.searchsorted(middles, shares)]


@lru_cache(maxsize=1 << 14)
def _price(step: int, people: int, protection: Protection, counted: bool) -> float:
    share = _SHARES[step]
    spread = 2 * math.sqrt(_DRIFT * share * (1 - share))
    around = np.clip(share + np.linspace(-spread, spread, 5), _SHARES[0], _SHARES[-1])
    return max(information(float(one), people, protection, counted) for one in around)


@lru_cache(maxsize=256)
def _highest_price(people: int, protection: Protection, counted: bool) -> float:
    return max(_price(step, people, protection, counted) for step in range(_SHARES.size))


def information(share: float, people: int, protection: Protection, counted: bool) -> float:
    """Nats that one answer tells about whether one of its carriers is in the node.

    The relative entropy of the answer when the individual is in the node (1 + Binomial(people - 1,
    share) carriers) from the answer when not (Binomial(people, share)), over the noise, for an
    attacker who knows the share of carriers. Near 0 for alleles far from any boundary, the common
    and the very rare; highest beside the threshold. Raises ValueError for a share outside ]0, 1[.
    """
    if not 0 < share < 1:
        raise ValueError(f"share of carriers {share}: not between 0 and 1")
    reach = 12 * math.sqrt(people * share * (1 - share)) + 40
    low, high = max(0, int(people * share - reach)), min(people, int(people * share + reach))
    shown = np.arange(low, high + 1)
    absent = _binomial(shown, people, share)
    present = _binomial(shown - 1, people - 1, share)
    answers = _outcomes(shown, protection, counted)
    p, q = present @ answers, absent @ answers
    seen = p > 0
    terms = p[seen] * np.log(p[seen] / np.maximum(q[seen], 1e-300))
    return max(0.0, float(terms.sum()))


def _binomial(k: NDArray[np.int64], n: int, c: float) -> NDArray[np.float64]:
    """Binomial(n, c) at k, 0 outside 0..n."""
    inside = (k >= 0) & (k <= n)
    k = np.clip(k, 0, n)
    logs = _log_factorials(n)
    log_choose = logs[n] - logs[k] - logs[n - k]
    return np.where(inside, np.exp(log_choose + k * math.log(c) + (n - k) * math.log1p(-c)), 0.0)


@lru_cache(maxsize=8)
def _log_factorials(n: int) -> NDArray[np.float64]:
    return np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, n + 1)))])


def power_bound(nats: float, false_positives: float = 0.05) -> float:
    """The highest power that any test can have on answers that tell so many nats.

    Solves kl(power || false positives) = nats by bisection; kl is the relative entropy of two
    coins.
    """
    low, high = false_positives, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        rest = (1 - middle) * math.log((1 - middle) / (1 - false_positives)) if middle < 1 else 0
        enough = middle * math.log(middle / false_positives) + rest <= nats
        low, high = (middle, high) if enough else (low, middle)
    return low


# --- what is kept -------------------------------------------------------------------------------


class PublicShares:
    """How many people elsewhere carry each allele or have each term, from data that anybody has.

    In a rehearsal the other countries' people together, as the Genome of Europe publishes them;
    a node with real data takes a public catalogue. The file has two arrays, ``keys`` (the first 8
    bytes of an allele's or term's :func:`question_key`, ascending) and ``shares``, and ``people``,
    how many they were counted in.
    """

    def __init__(self, keys: NDArray[np.uint64], shares: NDArray[np.float64], people: int) -> None:
        """``keys`` in any order; ``shares`` of carriers among ``people``."""
        order = np.argsort(keys, kind="stable")
        self._keys, self._shares, self.people = keys[order], shares[order], people

    @staticmethod
    def term_question(term: str, descendants: bool = True) -> bytes:
        """The name of the question who has a term or, with ``descendants``, one below it."""
        return question_key("term", term, "below" if descendants else "alone")

    @staticmethod
    def key(question: bytes) -> int:
        """What stands for an allele's question in the file."""
        return int.from_bytes(question[:8], "big")

    @classmethod
    def open(cls, path: Path | str) -> PublicShares:
        """Raises InputError for a file that is missing or something else."""
        try:
            with np.load(path, allow_pickle=False) as file:
                return cls(file["keys"], file["shares"], int(file["people"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise InputError(path, "file", f"shares of carriers elsewhere ({error})") from None

    def write(self, path: Path | str) -> None:
        with written_aside(path) as aside, aside.open("wb") as file:
            np.savez(file, keys=self._keys, shares=self._shares, people=self.people)

    def share(self, question: bytes) -> float:
        """Of an allele by its question; half a person where nobody elsewhere has it."""
        key = np.uint64(self.key(question))
        at = int(np.searchsorted(self._keys, key))
        if at < self._keys.size and self._keys[at] == key:
            return max(float(self._shares[at]), 0.5 / (self.people + 1))
        return 0.5 / (self.people + 1)


class Budget:
    """Who has paid how much, for which question of whom. Survives a restart; safe for threads.

    Every question that cost somebody something is one row: who asked (a digest), what (its key),
    the price and who paid it. The same question of the same user is answered from the same people
    without being paid again. Individuals are known by their ids, so a node that is built anew with
    more people goes on with what was spent. When ``maximum`` rows are kept nothing dear is
    answered any more: forgetting would give budgets back.

    The file tells who carries what, so only its owner may read it. A process that is killed
    loses nothing; a power cut may lose the last questions.
    """

    def __init__(
        self, individuals: Sequence[str], path: Path | str | None = None, maximum: int = 1_000_000
    ) -> None:
        """``individuals``: ids in the order of their numbers; ``path``: None keeps it in memory.

        Raises InputError for a file that is something else.
        """
        self._lock = threading.Lock()
        self._maximum = maximum
        self.everybody = len(individuals)  # the number that stands for all of them in counts
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
            raise InputError(path, "file", f"a {_FORMAT} ({error})") from error
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
        self._connection.close()

    def charge(
        self,
        user: str,
        question: bytes,
        members: Collection[int],
        cost: float,
        protection: Protection,
    ) -> int:
        """How many of the members the answer may be made of, after each of them paid ``cost``.

        Members who cannot pay it all pay nothing and are left out. A question is written down also
        when nobody pays, so that it takes as long as if somebody did.
        """
        if cost < FREE:
            return len(members)
        if cost > min(protection.user_budget, protection.individual_budget):
            return 0  # nobody ever could
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
        """Nats that an individual (by number, or ``everybody``) paid to a user, or to all."""
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
        """Added up in the order in which it was paid, so that the sums come out the same."""
        spent = np.zeros(self.everybody + 1)
        where, values = ("", ()) if who is None else ("WHERE user = ?", (who,))
        rows = self._connection.execute(
            f"SELECT cost, members FROM charges {where} ORDER BY number", values
        )
        for cost, members in rows:
            numbers = self._number[_as_array(BitMap.deserialize(members))]
            spent[numbers[numbers >= 0]] += cost
        return spent


def _as_array(numbers: Collection[int]) -> NDArray[np.int64]:
    if isinstance(numbers, BitMap):  # without a Python number for each of 100,000 people
        return np.frombuffer(numbers.to_array(), np.uint32).astype(np.int64)
    return np.fromiter(numbers, np.int64, len(numbers))


def secret_key(folder: Path | str) -> bytes:
    """The node's 32 secret bytes, made at the first call; only the owner may read the file.

    Raises InputError for a file that others may read or that has another length.
    """
    path = Path(folder) / KEY_FILE
    try:
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    except FileExistsError:
        pass
    else:
        with os.fdopen(descriptor, "wb") as file:
            file.write(os.urandom(32))
    if path.stat().st_mode & 0o077:
        raise InputError(path, "permissions", "a secret that only its owner may read (chmod 600)")
    key = path.read_bytes()
    if len(key) != 32:
        raise InputError(path, "length", "32 bytes")
    return key


def people_key(people: BitMap | None) -> bytes:
    """A part of :func:`question_key` for the people a question is narrowed to; None: everybody."""
    return b"everybody" if people is None else people.to_array().tobytes()
