"""The airlock of a node: what an algorithm computed leaves here, is held here, or ends here."""

from __future__ import annotations

import hashlib
import math
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyroaring import BitMap

from rehearsal.node.airlock.arrays import (
    Array,
    ArrayAbout,
    Package,
    read_package,
    rounded,
    write_archive,
)
from rehearsal.node.airlock.bits import bits_of_result
from rehearsal.node.airlock.desk import Desk, Held, Word
from rehearsal.node.airlock.released import FILE_NAME, Released
from rehearsal.node.airlock.rules import DIFFERENCE, broken_rules
from rehearsal.node.privacy.ledger import Ledger
from rehearsal.node.privacy.protection import UNPROTECTED
from rehearsal.node.settings.analysis_settings import AnalysisSettings

TIME_STEP_S = 0.25  # results leave at multiples of it after the start of their run


@dataclass(frozen=True)
class Asked:
    """What a run was asked for, as far as the airlock needs to know it."""

    run: str  # its id
    algorithm: str  # name
    declared: Mapping[str, str]  # disclosure classes of arrays
    largest_mb: int
    caller: str
    purpose: str
    people: BitMap  # in the view
    began: float  # of the monotonic clock


@dataclass
class Result:
    """One result of a run on its way out."""

    asked: Asked  # what its run was asked for
    name: str  # of the round or output
    archive: bytes  # the numbers as they leave; empty under masks
    about: dict[str, Any]  # what leaves beside the numbers
    reasons: tuple[str, ...]  # why it is held; empty: it leaves
    leaves_at: float  # of the monotonic clock
    bits: float
    arrays: dict[str, Array]  # the numbers, if they leave under masks only
    array_about: Mapping[str, ArrayAbout]  # what the numbers are
    is_masked: bool  # whether they leave under masks only
    held_since: float | None = None  # of the monotonic clock
    word: Word | None = None  # what a person decided about a held result; never changes again
    waited_s: float | None = None  # until then
    is_gone: bool = False  # whether its numbers were deleted

    @property
    def size(self) -> int:
        """Bytes of its numbers."""
        return len(self.archive) + sum(one.nbytes for one in self.arrays.values())

    def forget(self) -> None:
        """Delete the numbers."""
        self.archive, self.arrays, self.is_gone = b"", {}, True


class Airlock:
    """Decides about results.

    Args:
        settings: The node's limits.
        state: The node's state folder. None: nothing is kept, and what is held stays held.
        ledger: The node's ledger, to which what a result can tell of a person is charged.
    """

    def __init__(self, settings: AnalysisSettings, state: Path | None, ledger: Ledger) -> None:
        self._settings, self._ledger = settings, ledger
        self._released = Released(None if state is None else state / FILE_NAME)
        self._desk = None if state is None else Desk(state)
        self._lock = threading.Lock()  # of what was released and decided

    def close(self) -> None:
        """Close the files."""
        self._released.close()

    def take(self, asked: Asked, name: str, archive: bytes, about: bytes) -> Result:
        """Check a result.

        Args:
            asked: What the run was asked for.
            name: Name of the round or output.
            archive: The NPZ file that the algorithm wrote.
            about: Its JSON.

        Returns:
            The result as it may leave, with the reasons why it must wait.

        Raises:
            Malformed: It is not as it was declared, so it never leaves.
        """
        settings = self._settings
        package = read_package(archive, about, asked.declared, asked.largest_mb)
        # under masks the rule holds for the sum over all nodes, where it is opened
        least = 1 if package.is_masked else settings.smallest_count
        reasons = broken_rules(package, len(asked.people), least)
        result = self._as_it_leaves(asked, name, package)
        with self._lock:  # of two runs about nearly the same people, one is the earlier
            if self._released.is_near_earlier(asked.people, settings.smallest_count):
                reasons.append(DIFFERENCE)
            if not reasons:
                self._note(result)
                return result
        result.reasons, result.held_since = tuple(reasons), time.monotonic()
        self._hold(result)
        return result

    def _as_it_leaves(self, asked: Asked, name: str, package: Package) -> Result:
        bits = self._settings.significant_bits
        leaving = {key: rounded(one, bits) for key, one in package.leaving().items()}
        told = {
            **package.numbers,
            "additive": package.additive,
            "masked": package.is_masked,
            "arrays": {key: {"class": package.about[key].kind} for key in sorted(leaving)},
        }
        steps = math.ceil((time.monotonic() - asked.began) / TIME_STEP_S)
        sizes = len(asked.declared), len(package.numbers), len(asked.people)
        return Result(
            asked,
            name,
            b"" if package.is_masked else write_archive(leaving),
            told,
            (),
            asked.began + steps * TIME_STEP_S,
            bits_of_result(leaving, *sizes, bits),
            leaving if package.is_masked else {},
            package.about,
            package.is_masked,
        )

    def _hold(self, result: Result) -> None:
        if self._desk is None:
            return
        asked = result.asked
        held = Held(
            desk_name(result),
            asked.algorithm,
            asked.caller,
            asked.purpose,
            result.reasons,
            result.bits,
            time.time(),
        )
        self._desk.hold(held, result.archive)

    def decided(self, result: Result) -> Word | None:
        """Look whether a person decided about a held result, and carry that out once.

        Args:
            result: The result.

        Returns:
            ``release``, ``refuse``, or None while it waits.
        """
        with self._lock:
            found = None
            if result.word is None and result.held_since is not None and self._desk is not None:
                found = self._desk.decision(desk_name(result))
            if found is not None and result.held_since is not None:
                result.word = found.word
                result.waited_s = time.monotonic() - result.held_since
                if found.word == "release":
                    self._note(result)
                else:
                    result.forget()
            return result.word

    def _note(self, result: Result) -> None:
        asked = result.asked
        self._released.add(asked.people)
        question = hashlib.sha256(f"{asked.run} {result.name}".encode()).digest()
        nats = result.bits * math.log(2)
        # no budget limits what leaves exactly: the ledger keeps the account
        self._ledger.pay("controlled", asked.caller, question, nats, UNPROTECTED, lambda: 0)


def desk_name(result: Result) -> str:
    """Return the name of a result on the desk.

    Args:
        result: The result.
    """
    return f"{result.asked.run}-{result.name}"
