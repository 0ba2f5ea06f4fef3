"""What a story is, as plain data: read from ``config/stories/*.yaml``."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from rehearsal.model import Patient, PatientSelection, Tier

Role = Literal["researcher", "clinician"]


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks. ``purpose``: DUO terms, or None for a request that states none."""

    name: str
    country: str
    role: Role
    tier: Tier
    purpose: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a story. ``kind``: the name of its question type, as stories write it.
    ``parameters``: what that type has read; plain JSON values."""

    id: str
    text: str
    kind: str
    asker: Asker
    about: str | None  # handle of a patient
    parameters: dict[str, Any]
    where: tuple[str, str]

    @property
    def story(self) -> str:
        """The name of its story, which is that of the file."""
        return Path(self.where[0]).stem


@dataclass(frozen=True, slots=True)
class Story:
    """``name``: of its file, without ``.yaml``. ``evidence``: where its facts are from."""

    name: str
    title: str
    summary: str
    evidence: tuple[str, ...]
    asker: Asker
    patients: tuple[Patient, ...]
    choices: tuple[PatientSelection, ...]
    questions: tuple[Question, ...]
    source: str


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that an answer must be. Values are plain JSON."""

    name: str
    expected: Any
    observed: Any
    passed: bool

    @classmethod
    def equal(cls, name: str, expected: Any, observed: Any) -> Check:
        return cls(name, expected, observed, expected == observed)

    @classmethod
    def every_country_answered(cls, countries: Iterable[str], states: Mapping[str, str]) -> Check:
        """Whether all of these countries answered. ``states``: by country, as in ``Answer``."""
        answered = sorted(country for country, state in states.items() if state == "answered")
        return cls.equal("every country answered", sorted(countries), answered)


@dataclass(slots=True)
class ReplySummary:
    """What came of a question, for the page; plain JSON values.

    ``request``: as it was put. ``countries``: by code, each with ``state`` (answered, refused,
    failed, late), ``latency_ms``, ``answer`` (what came back, shortened) and, where it was not
    answered, ``reason``. ``joined``: the network's own answer. ``stayed_home``: what was not sent,
    in a line or two. ``details``: whatever else a question type wants to show.
    """

    request: Any
    countries: dict[str, dict[str, Any]]
    joined: dict[str, Any]
    stayed_home: str
    details: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
