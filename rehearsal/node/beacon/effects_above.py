"""The effects of alleles and the more general terms above them, from the Sequence Ontology.

A filter finds a term and all that are more specific, as in HPO, Mondo and ICD-10.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

from rehearsal.genomes.consequence_terms import TERMS

# columns: term, label, parent, parent_label, source
IS_A = Path(__file__).parent / "data" / "so_is_a.tsv"


@cache
def effects_below(term: str) -> frozenset[str]:
    """List the effects that alleles can have here and that are a term or more specific.

    Args:
        term: A term of the Sequence Ontology, such as ``SO:0001818``.

    Returns:
        Accessions. Empty for a term that is neither an effect that nodes compute nor above one.
    """
    return frozenset(one.accession for one in TERMS if term in _at_or_above(one.accession))


@cache
def _at_or_above(term: str) -> frozenset[str]:
    return frozenset({term}).union(*(_at_or_above(one) for one in _parents().get(term, ())))


@cache
def _parents() -> dict[str, list[str]]:
    parents: dict[str, list[str]] = {}
    with IS_A.open(encoding="utf-8", newline="") as table:
        for row in csv.DictReader(table, delimiter="\t"):
            parents.setdefault(row["term"], []).append(row["parent"])
    return parents
