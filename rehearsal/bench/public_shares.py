"""How many people elsewhere carry each allele, for every node: what is public in a rehearsal.

A real node takes a public catalogue. In a rehearsal the people of all other countries stand for
it, as if their frequencies had been published.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.node.privacy import SHARES_FILE, PublicShares, question_key
from rehearsal.node.variant_store import VariantRow, VariantStore


def write_public_shares(folders: Mapping[str, Path]) -> None:
    """Writes ``public_shares.npz`` into each node's folder, from the other nodes' stores.

    A node's file has the alleles that its own people carry; alleles that are not in it have no
    carrier elsewhere. ``folders``: by country, each with ``variants.sqlite``.
    """
    nodes = {code: _read(folder / "variants.sqlite") for code, folder in folders.items()}
    keys, position = np.unique(
        np.concatenate([node.keys for node in nodes.values()]), return_inverse=True
    )
    carriers = np.bincount(
        position, weights=np.concatenate([node.carriers for node in nodes.values()])
    )
    everybody = sum(node.people for node in nodes.values())
    for code, node in nodes.items():
        others = carriers[np.searchsorted(keys, node.keys)] - node.carriers
        people = everybody - node.people
        shares = others / max(people, 1)
        PublicShares(node.keys, shares, people).write(folders[code] / SHARES_FILE)


def allele_name(row: VariantRow) -> str:
    """The text of a variant (``str(Variant)``), of which its question's key is made."""
    return f"{row.contig}-{row.start + 1}-{row.ref}-{row.alt}"


class _Node(NamedTuple):
    people: int
    keys: NDArray[np.uint64]
    carriers: NDArray[np.int64]


def _read(path: Path) -> _Node:
    with VariantStore.open(path) as store:
        keys = np.empty(store.count, np.uint64)
        carriers = np.empty(store.count, np.int64)
        for i, row in enumerate(store):
            keys[i] = PublicShares.key(question_key(allele_name(row)))
            carriers[i] = sum(row[6:9]) + sum(row[11:14])  # people with two copies, one of two, one
        return _Node(len(store.individuals), keys, carriers)
