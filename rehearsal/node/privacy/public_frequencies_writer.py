"""Writes each node's table of frequencies elsewhere, on which its prices are based.

A real node takes a public catalogue. In a rehearsal the people of all other countries stand in for
it, as if their frequencies had been published.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.node.privacy.public_frequencies import PUBLIC_FREQUENCIES_FILE, PublicFrequencies
from rehearsal.node.privacy.question_keys import allele_question, term_question
from rehearsal.stores.people_store import PeopleStore
from rehearsal.stores.variant_store import VariantStore

COMMON = 0.001  # share elsewhere from which an allele may be expensive without carriers here


def write_public_frequencies(folders: Mapping[str, Path]) -> None:
    """Write ``public_frequencies.npz`` into each node's folder, from the other nodes' stores.

    A node's file contains the alleles and terms of its own people, and those of at least 0.1 % of
    the people elsewhere. The answer to a rarer one is predictable. A key missing in the file has no
    carriers elsewhere.

    Args:
        folders: Node folders by country code, each with ``variants.sqlite`` and ``people.sqlite``.
    """
    nodes = {code: _read(folder) for code, folder in folders.items()}
    keys, position = np.unique(
        np.concatenate([node.keys for node in nodes.values()]), return_inverse=True
    )
    numbers = np.bincount(
        position, weights=np.concatenate([node.numbers for node in nodes.values()])
    )
    everybody = sum(node.people for node in nodes.values())
    for code, node in nodes.items():
        others = numbers.copy()
        here = np.searchsorted(keys, node.keys)
        others[here] -= node.numbers
        people = everybody - node.people
        frequencies = others / max(people, 1)
        kept = frequencies >= COMMON
        kept[here] = True
        public = PublicFrequencies(keys[kept], frequencies[kept], people)
        public.write(folders[code] / PUBLIC_FREQUENCIES_FILE)


class _Node(NamedTuple):
    people: int
    keys: NDArray[np.uint64]
    numbers: NDArray[np.int64]


def _read(folder: Path) -> _Node:
    with VariantStore.open(folder / "variants.sqlite") as store:
        keys = np.empty(store.count, np.uint64)
        carriers = np.empty(store.count, np.int64)
        for i, row in enumerate(store):
            keys[i] = PublicFrequencies.key(
                allele_question(row.contig, row.start, row.ref, row.alt)
            )
            carriers[i] = sum(row[6:9]) + sum(row[11:14])  # hom, het and hemi, both sexes
        people = len(store.individuals)
    people_store = PeopleStore.open(folder / "people.sqlite")
    try:
        terms = dict(_terms(people_store))
    finally:
        people_store.close()
    term_keys = np.fromiter(map(PublicFrequencies.key, terms), np.uint64, len(terms))
    numbers = np.fromiter(terms.values(), np.int64, len(terms))
    return _Node(people, np.concatenate((keys, term_keys)), np.concatenate((carriers, numbers)))


def _terms(store: PeopleStore) -> Iterator[tuple[bytes, int]]:
    """Yield the question key of each term, with the number of people it finds."""
    for term in {*store.terms, *store.ancestors}:
        for descendants in (True, False):
            found = store.with_term(term, descendants)
            yield term_question(term, descendants), len(found)
