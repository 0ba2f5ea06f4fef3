"""The parts of a story as plain data, read from ``config/stories/*.yaml``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from rehearsal.model import Patient, PatientSelection, Tier

EVERY_COUNTRY = "every country answered"  # begins the name of a check of states
Role = Literal["researcher", "clinician"]


@dataclass(frozen=True, slots=True)
class Asker:
    """The person who asks. ``purpose`` is DUO terms, or None for a request without a purpose."""

    name: str
    country: str
    role: Role
    tier: Tier
    purpose: str | None


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a story.

    ``kind`` is the name of its question type, as stories write it. ``parameters`` are what that
    type has read, as plain JSON values.
    """

    id: str
    text: str
    kind: str
    asker: Asker
    about: str | None  # handle of a patient
    parameters: dict[str, Any]
    where: tuple[str, str]

    @property
    def story(self) -> str:
        """Name of the story, which is that of the file."""
        return Path(self.where[0]).stem


@dataclass(frozen=True, slots=True)
class Story:
    """One story of the run.

    ``name`` is the file's name without ``.yaml``. ``evidence`` says where its facts are from.
    """

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
    """One condition on an answer. Values are plain JSON."""

    name: str
    expected: Any
    observed: Any
    passed: bool

    @classmethod
    def equal(cls, name: str, expected: Any, observed: Any) -> Check:
        """Make a check that two values are equal.

        Args:
            name: Name of the check.
            expected: The right value.
            observed: The value of the answer.
        """
        return cls(name, expected, observed, expected == observed)

    @classmethod
    def every_country_answered(cls, countries: Iterable[str], states: Mapping[str, str]) -> Check:
        """Make a check that all countries answered.

        Args:
            countries: Codes of the countries that must answer.
            states: State by country, as in ``Answer``.
        """
        answered = sorted(country for country, state in states.items() if state == "answered")
        return cls.equal(EVERY_COUNTRY, sorted(countries), answered)

    @classmethod
    def left_out(cls, nodes: Collection[str]) -> list[Check]:
        """Tell which nodes were not judged, in a check that passes; no check if there are none.

        Args:
            nodes: Countries whose nodes someone else runs, and which do not offer what is asked.
        """
        if not nodes:
            return []
        found = sorted(nodes)
        return [cls.equal("not judged: nodes of others without this service", found, found)]


@dataclass(slots=True)
class ReplySummary:
    """The reply to a question, for the page; plain JSON values.

    ``request`` is the request as sent. ``countries`` has, by code, ``state`` (answered, refused,
    failed, late), ``latency_ms``, ``answer`` (shortened) and, without an answer, ``reason``.
    ``joined`` is the network's own answer. ``stayed_home`` says in a line or two what was not sent.
    ``details`` are further facts that a question type shows.
    """

    request: Any
    countries: dict[str, dict[str, Any]]
    joined: dict[str, Any]
    stayed_home: str
    details: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Return the summary as plain JSON values."""
        return asdict(self)
