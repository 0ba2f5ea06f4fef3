"""Hierarchies of terms: which more general terms a person's terms fall under.

They are worked out when a node is built and kept in its people store, so that a running node
needs no ontology in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol


class Ontology(Protocol):
    """What a people store wants to know of the terms that its people have."""

    def ancestors(self, term: str) -> Iterable[str]:
        """All more general terms, as CURIEs; none for a term that is not known."""
        ...

    def similar(self, term: str) -> Iterable[tuple[str, float]]:
        """(other term, similarity in (0, 1]), for terms near enough to be worth a mention."""
        ...


class CodeHierarchy:
    """ICD-10 by its own codes: ``ICD10:I25.1`` lies under ``ICD10:I25``. No similarity."""

    def ancestors(self, term: str) -> Iterable[str]:
        prefix, _, code = term.partition(":")
        category, _, rest = code.partition(".")
        if not prefix.startswith("ICD10") or not rest:
            return []
        shorter = [f"{prefix}:{category}.{rest[:size]}" for size in range(1, len(rest))]
        return [f"{prefix}:{category}", *shorter]

    def similar(self, term: str) -> Iterable[tuple[str, float]]:
        return []
