"""The people who withdrew their consent after a node was built: a file in the node's state folder.

The stores of a node stay as they were built. The people in this file are left out of every answer,
whatever their consent in the store permits. Each line is JSON: ``person`` and ``time``. The
command for operators writes the whole file anew, to the disk and then into its place, so that it is
complete at any time and no withdrawal is lost. Every process that serves the folder notices a new
file by its inode, size and times.
"""

from __future__ import annotations

import fcntl
import logging
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
from pyroaring import BitMap

from rehearsal.errors import InputError, cause, shown, unreadable_file
from rehearsal.files import write_durably
from rehearsal.node.access.file_watch import FileWatch
from rehearsal.stores.people_store import PeopleStore

log = logging.getLogger(__name__)

FILE_NAME = "withdrawals.jsonl"


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """The people who withdrew, as they are known at one moment."""

    people: frozenset[str]  # identifiers, also of people who are not in the store
    numbers: BitMap  # numbers of those in the store


NOBODY = Withdrawn(frozenset(), BitMap())


class WithdrawalWatch:
    """Knows who withdrew, and notices new withdrawals.

    Args:
        folder: The node's state folder, or None.
        people: The node's people.

    Attributes:
        withdrawn: Who withdrew.

    Raises:
        InputError: The file of withdrawals is damaged.
    """

    def __init__(self, folder: Path | None, people: PeopleStore) -> None:
        self._path = None if folder is None else folder / FILE_NAME
        self._people = people
        self.withdrawn = NOBODY
        if self._path is not None:
            self._watch = FileWatch(self._path)
            self._take_up(read_withdrawals(self._path))

    def look(self) -> bool:
        """Look whether the file changed, and take up its content.

        People who withdrew once stay withdrawn as long as the node serves, whatever happens to the
        file.

        Returns:
            Whether the people changed.
        """
        if self._path is None or not self._watch.has_changed():
            return False
        try:
            if not self._path.exists():
                raise InputError(self._path, "file", "the withdrawals known so far", "no such file")
            found = read_withdrawals(self._path) | self.withdrawn.people
        except InputError as error:
            log.error("%s; those who withdrew stay withdrawn", error)
            return False
        if found == self.withdrawn.people:
            return False
        self._take_up(found)
        log.info("withdrawals of consent: %d people", len(found))
        return True

    def _take_up(self, found: frozenset[str]) -> None:
        numbers = (self._people.position(person) for person in found)
        self.withdrawn = Withdrawn(found, BitMap(one for one in numbers if one is not None))


def read_withdrawals(path: Path) -> frozenset[str]:
    """Read who withdrew.

    Args:
        path: The file. Without it, nobody did.

    Returns:
        Identifiers of people.

    Raises:
        InputError: The file cannot be read, or names the first damaged line.
    """
    return frozenset(_rows(path))


def add_withdrawals(folder: Path, people: Iterable[str]) -> list[str]:
    """Record withdrawals of consent durably.

    When this returns, they are on the disk. When it is interrupted, either all or none of them are
    recorded. Several processes may record withdrawals at the same time.

    Args:
        folder: The node's state folder.
        people: Identifiers of the people.

    Returns:
        Those who had not withdrawn before.

    Raises:
        InputError: The file is damaged, or cannot be written.
    """
    path = folder / FILE_NAME
    now = datetime.now(UTC).isoformat(timespec="seconds")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)  # a node that was never served
        with _alone(folder):
            rows = _rows(path)
            new = [person for person in dict.fromkeys(people) if person not in rows]
            rows |= dict.fromkeys(new, now)
            lines = (orjson.dumps({"person": who, "time": when}) for who, when in rows.items())
            if new:
                write_durably(path, b"".join(line + b"\n" for line in lines))
    except OSError as error:
        found = f"an error ({cause(error)})"
        raise InputError(path, "file", "a file that can be written", found) from None
    return new


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Lock the folder against other writers of withdrawals."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _rows(path: Path) -> dict[str, str]:
    """Return the time of each withdrawal by person. Raises InputError."""
    try:
        lines = path.read_bytes().splitlines()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise InputError(path, "file", "a readable file", unreadable_file(error)) from None
    rows = {}
    for number, line in enumerate(lines, start=1):
        try:
            row = orjson.loads(line)
            person, when = row["person"], row["time"]
        except (orjson.JSONDecodeError, KeyError, TypeError):
            person = when = None
        if not isinstance(person, str) or not isinstance(when, str):
            expected = 'a withdrawal, as {"person":"FI-000001","time":"2026-01-31T12:00:00+00:00"}'
            found = shown(line.decode("utf-8", "replace"))
            raise InputError(path, f"line {number}", expected, found)
        rows[person] = when
    return rows
