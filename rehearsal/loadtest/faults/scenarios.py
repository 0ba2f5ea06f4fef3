"""The fault scenarios as data: what is broken, and what must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Lane = Literal["address", "process", "files", "clock", "service", "analysis"]
Shows = Literal["failed", "late", "refused", "answered"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A fault of one victim: a node, or in lane ``service`` the network itself.

    Scenarios of one lane share processes and take turns; lanes run side by side, and after them
    the scenarios of ``analysis``, in which nodes compute.
    """

    name: str
    lane: Lane
    fault: str  # a name in ``fault_injection.FAULTS``; of an analysis, how the node is lost
    shows: tuple[Shows, ...]  # allowed states of the victim's answers during the fault; at least
    # one must be seen
    must_hold: str  # the requirements, in words
    options: Mapping[str, Any] = field(default_factory=dict)  # arguments of the fault
    reason: str = ""  # text that the reason of each of these answers contains
    lifetime_s: int = 3600  # of the tokens, in seconds
    short: bool = True  # part of the short bench

    @property
    def has_victim(self) -> bool:
        """Whether a node is broken, not the network."""
        return self.lane != "service"


_MARKED = "its answers are marked as failed, all others are right"


def _misbehaviour(
    name: str,
    misbehaviour: str,
    reason: str,
    must_hold: str = _MARKED,
    shows: tuple[Shows, ...] = (),
) -> Scenario:
    options = {"misbehaviour": misbehaviour}
    shows = shows or ("failed",)
    return Scenario(name, "address", "misbehave", shows, must_hold, options, reason)


def _damage(file: str, damage: str, short: bool) -> Scenario:
    name = f"{file} {damage}"
    must_hold = (
        "the node refuses to start with exit status 2 and names the file; no answer is wrong"
    )
    options = {"file": file, "damage": damage}
    return Scenario(name, "files", "damage", ("failed",), must_hold, options, short=short)


SCENARIOS: tuple[Scenario, ...] = (
    _misbehaviour("answers 500", "error500", "HTTP 500"),
    _misbehaviour("answers garbage", "garbage", "not a JSON object"),
    _misbehaviour("answers half a body", "half", ""),
    _misbehaviour(
        "answers a redirect",
        "redirect",
        "redirected",
        "the redirect is not followed, and the answer is marked as failed",
    ),
    _misbehaviour(
        "answers without end",
        "endless",
        "",
        "the answer is cut off at the deadline or the size limit, and marked",
        ("late", "failed"),
    ),
    Scenario(
        "killed in mid-query",
        "process",
        "kill",
        ("failed", "late"),
        "open queries are marked; after its restart the node is queried again",
    ),
    Scenario(
        "stopped and continued",
        "process",
        "stop",
        ("late",),
        "answers are late at the deadline, never later; afterwards the node is queried again",
    ),
    Scenario(
        "disk full for the audit log",
        "process",
        "full_disk",
        ("failed",),
        "queries are refused with 503, never answered without a log entry; the log stays intact",
        reason="HTTP 503",
    ),
    _damage("variants.sqlite", "truncated", True),
    _damage("variants.sqlite", "bit flipped", True),
    _damage("people.sqlite", "truncated", False),
    _damage("people.sqlite", "bit flipped", False),
    Scenario(
        "clock 10 minutes fast",
        "clock",
        "clock",
        ("refused",),
        "the node sees 5-minute tokens as expired and refuses them with 401",
        {"offset_s": 600},
        "HTTP 401",
        lifetime_s=300,
    ),
    Scenario(
        "clock 10 minutes slow",
        "clock",
        "clock",
        ("refused",),
        "the node sees tokens from the future and refuses them with 401",
        {"offset_s": -600},
        "HTTP 401",
    ),
    Scenario(
        "keys expired",
        "process",
        "keys",
        ("refused",),
        "tokens signed by a key that the node no longer trusts are refused with 401",
        reason="HTTP 401",
    ),
    Scenario(
        "network killed and restarted",
        "service",
        "restart",
        ("failed",),
        "clients get an error, never half an answer; after the restart all answers are right",
        {"ended_by": "SIGKILL"},
    ),
    Scenario(
        "network ended and restarted",
        "service",
        "restart",
        ("failed",),
        "clients get an error, never half an answer; after the restart all answers are right",
        {"ended_by": "SIGTERM"},
        short=False,
    ),
    Scenario(
        "node lost in mid-round",
        "analysis",
        "kill",
        ("failed",),
        "an analysis of three nodes names the lost one and goes on; its result is exactly that of "
        "the other two",
    ),
)


def scenarios_of(mode: str) -> list[Scenario]:
    """Select the scenarios of a mode.

    Args:
        mode: ``short`` or ``full``.

    Returns:
        The scenarios.
    """
    return [one for one in SCENARIOS if one.short or mode == "full"]
