"""Terms of terminologies."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Coded:
    """A term of a terminology."""

    code: str  # a CURIE such as ``LOINC:22748-8``
    label: str
