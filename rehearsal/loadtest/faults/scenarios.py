"""The scenarios, as data: what is broken, and what must hold."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Lane = Literal["address", "process", "files", "clock", "service"]
Shows = Literal["failed", "late", "refused", "answered"]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One fault of one victim, a node, or in lane ``service`` of the network itself.

    ``fault``: a name in ``fault_injection.FAULTS``, ``options`` its arguments. ``shows``: the
    states in which the victim's answers may be while the fault lasts, one of which must be seen.
    ``reason``: stands in what is told of each of these answers. ``lane``: scenarios of one lane
    share processes and take turns; lanes run side by side. ``lifetime_s`` of the tokens that are
    shown; ``must_hold``: in words, for people.
    """

    name: str
    lane: Lane
    fault: str
    shows: tuple[Shows, ...]
    must_hold: str
    options: Mapping[str, Any] = field(default_factory=dict)
    reason: str = ""
    lifetime_s: int = 3600
    short: bool = True  # part of the short bench

    @property
    def has_victim(self) -> bool:
        return self.lane != "service"


_MARKED = "its answers are marked failed, the others' are right"


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
    must_hold = "the node does not start, exits with 2 and names the file; it never answers wrongly"
    options = {"file": file, "damage": damage}
    return Scenario(name, "files", "damage", ("failed",), must_hold, options, short=short)


SCENARIOS: tuple[Scenario, ...] = (
    _misbehaviour("answers 500", "error500", "HTTP 500"),
    _misbehaviour("answers garbage", "garbage", "no JSON object"),
    _misbehaviour("answers half a body", "half", ""),
    _misbehaviour(
        "answers a redirect", "redirect", "redirected", "it is not followed, and marked failed"
    ),
    _misbehaviour(
        "answers without end",
        "endless",
        "",
        "cut off at the deadline or the size limit, and marked",
        ("late", "failed"),
    ),
    Scenario(
        "killed in mid-query",
        "process",
        "kill",
        ("failed", "late"),
        "what was under way is marked; once started again it is asked again",
    ),
    Scenario(
        "stopped and continued",
        "process",
        "stop",
        ("late",),
        "late at the deadline, never later; once it goes on it is asked again",
    ),
    Scenario(
        "disk full for the audit log",
        "process",
        "full_disk",
        ("failed",),
        "answers are refused (503), not given unlogged; the log is whole afterwards",
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
        "tokens of 5 minutes have expired there: refused with 401, never let in for longer",
        {"offset_s": 600},
        "HTTP 401",
        lifetime_s=300,
    ),
    Scenario(
        "clock 10 minutes slow",
        "clock",
        "clock",
        ("refused",),
        "tokens are from the future there: refused with 401",
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
        "askers see an error, never half an answer; all is right once it is back",
        {"ended_by": "SIGKILL"},
    ),
    Scenario(
        "network ended and restarted",
        "service",
        "restart",
        ("failed",),
        "askers see an error, never half an answer; all is right once it is back",
        {"ended_by": "SIGTERM"},
        short=False,
    ),
)


def scenarios_of(mode: str) -> list[Scenario]:
    """The scenarios of a mode, ``short`` or ``full``."""
    return [one for one in SCENARIOS if one.short or mode == "full"]
