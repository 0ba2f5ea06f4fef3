"""Results that wait for a person at the node: kept as files, decided by a command.

Each is a folder in ``airlock/`` of the node's state: ``about.json`` says what it is and why it is
held, ``result.npz`` has the numbers, and ``decision.json`` is written by the person.
"""

from __future__ import annotations

import re
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import orjson

from rehearsal.errors import InputError, shown
from rehearsal.files import make_private_folder, read_json, write_durably
from rehearsal.node.airlock.rules import REASONS
from rehearsal.node.settings.node_settings import NodeSettings

FOLDER = "airlock"  # in the state folder
ABOUT, RESULT, DECISION = "about.json", "result.npz", "decision.json"
NAME = re.compile("[A-Za-z0-9._-]{1,100}")
Word = Literal["release", "refuse"]


@dataclass(frozen=True, slots=True)
class Held:
    """A result that waits."""

    name: str  # of its folder
    algorithm: str
    subject: str  # who asked
    purpose: str
    reasons: tuple[str, ...]
    bits: float  # at most what it can say
    since: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Decision:
    """What a person decided."""

    word: Word
    reason: str
    at: float  # seconds since 1970


class Desk:
    """The results that wait at a node.

    Args:
        state: The node's state folder.
    """

    def __init__(self, state: Path) -> None:
        self._folder = state / FOLDER

    def hold(self, held: Held, result: bytes) -> None:
        """Put a result on the desk.

        Args:
            held: What it is.
            result: Its numbers, as they would leave.
        """
        folder = self._folder / held.name
        make_private_folder(self._folder)
        make_private_folder(folder)
        write_durably(folder / RESULT, result)
        write_durably(folder / ABOUT, orjson.dumps(asdict(held)))

    def waiting(self) -> list[tuple[Held, Decision | None]]:
        """List everything on the desk, the oldest first, with what was decided."""
        found = [
            (self._held(path.parent), self.decision(path.parent.name))
            for path in self._folder.glob(f"*/{ABOUT}")
        ]
        return sorted(found, key=lambda one: one[0].since)

    def decide(self, name: str, word: Word, reason: str) -> float:
        """Decide about a result, once.

        Args:
            name: Its name on the list.
            word: The decision.
            reason: Why, for the record.

        Returns:
            Seconds that it waited.

        Raises:
            InputError: Nothing of this name waits, or no reason is given.
        """
        names = {one.name: one for one, decided in self.waiting() if decided is None}
        if name not in names:
            expected = f"a result that waits: {', '.join(sorted(names)) or 'none does'}"
            raise InputError(self._folder, "NAME", expected, shown(name))
        if not reason.strip():
            raise InputError(self._folder, "--reason", "a text", "an empty one")
        one = Decision(word, reason.strip(), time.time())
        write_durably(self._folder / name / DECISION, orjson.dumps(asdict(one)))
        return one.at - names[name].since

    def decision(self, name: str) -> Decision | None:
        """Return what was decided about a result.

        Args:
            name: Its name.

        Returns:
            The decision, or None while it waits.
        """
        path = self._folder / name / DECISION
        return Decision(**read_json(path)) if NAME.fullmatch(name) and path.exists() else None

    def lines(self) -> list[str]:
        """Describe everything on the desk, a line each, for a person."""
        lines = []
        for held, decision in self.waiting():
            until = time.time() if decision is None else decision.at
            reasons = "; ".join(REASONS[one] for one in held.reasons)
            decided = "waits" if decision is None else f"{decision.word}: {decision.reason}"
            about = f"{held.algorithm} for {held.subject}, {held.purpose}"
            told = f"at most {held.bits:.0f} bits, {until - held.since:.0f} s"
            lines.append(f"{held.name}  {about}  {reasons}  {told}  {decided}")
        return lines

    @staticmethod
    def _held(folder: Path) -> Held:
        values = read_json(folder / ABOUT)
        return Held(**values | {"reasons": tuple(values["reasons"])})


def desk_of(folder: Path) -> Desk:
    """Open the desk of a node.

    Args:
        folder: The node's folder.

    Raises:
        InputError: The folder is not a node's.
    """
    return Desk(NodeSettings.read(folder).access.state_folder(folder))


def list_desk(folder: Path) -> list[str]:
    """Describe everything on the desk of a node.

    Args:
        folder: The node's folder.

    Raises:
        InputError: The folder is not a node's.
    """
    return desk_of(folder).lines() or ["Nothing was held."]
