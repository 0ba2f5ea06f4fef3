"""The attacked nodes: the parts of their stores that the attack needs, within bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rehearsal.node.privacy.public_frequencies import PUBLIC_FREQUENCIES_FILE, PublicFrequencies
from rehearsal.node.privacy.question_keys import allele_question
from rehearsal.stores.variant_store import VariantStore

FEWEST_TARGETS = 20
PROMISED_PEOPLE = 100  # smallest node for which the promise holds


@dataclass(frozen=True, slots=True)
class NumberLists:
    """Many lists of numbers in one array: list i is ``items[start[i]:start[i + 1]]``."""

    start: NDArray[np.int64]
    items: NDArray[np.int32]

    def __getitem__(self, i: int) -> NDArray[np.int32]:
        return self.items[self.start[i] : self.start[i + 1]]

    @classmethod
    def of(cls, lists: list[NDArray[np.int32]]) -> NumberLists:
        """Join lists of numbers.

        Args:
            lists: The lists.
        """
        start = np.concatenate([[0], np.cumsum([one.size for one in lists], dtype=np.int64)])
        return cls(start, np.concatenate([*lists, np.empty(0, np.int32)]))

    def inverted(self, number: int) -> NumberLists:
        """Return, for each item, the lists that contain it.

        Args:
            number: Number of different items.
        """
        of_list = np.repeat(np.arange(self.start.size - 1, dtype=np.int32), np.diff(self.start))
        sizes = np.bincount(self.items, minlength=number)
        return NumberLists(
            np.concatenate([[0], np.cumsum(sizes)]),
            of_list[np.argsort(self.items, kind="stable")],
        )


@dataclass(frozen=True, slots=True)
class NodeExtract:
    """The autosomal alleles of one node.

    ``carriers`` lists the carriers of each allele, ``alleles`` the alleles of each person.
    ``known`` is the share of carriers elsewhere, which node and attacker both know. ``targets`` are
    numbers of people without relatives in the node.
    """

    code: str
    people: int
    questions: list[bytes]
    carriers: NumberLists
    alleles: NumberLists
    known: NDArray[np.float64]
    targets: NDArray[np.int64]

    @property
    def stand_ins(self) -> dict[int, int]:
        """For each target, another one who is left out of the node when that target is in."""
        return dict(zip(self.targets.tolist(), np.roll(self.targets, 1).tolist(), strict=True))


@dataclass(frozen=True, slots=True)
class Bounds:
    """Upper limits of the attack, so that time and memory are bounded for any run.

    A node with fewer people is easier to attack, so these bounds do not flatter the protection.
    """

    nodes: int = 8
    people: int = 1_000  # per node, the first ones
    alleles: int = 120_000  # per node, the first ones of the genome
    targets: int = 100  # per node


def read_node_extracts(
    folders: Mapping[str, Path], bounds: Bounds | None = None
) -> list[NodeExtract]:
    """Read the attacked nodes, spread evenly over the folders.

    Nodes for which the promise holds (100 people or more) are taken if there are any, otherwise the
    largest. A node with fewer than 20 targets is left out, because 5 % of them say nothing.

    Args:
        folders: Folders by country code, with ``variants.sqlite``, ``individuals.parquet`` and
            ``public_frequencies.npz``.
        bounds: Upper limits. None uses the defaults.
    """
    bounds = bounds or Bounds()
    families = {
        code: pd.read_parquet(folder / "individuals.parquet", columns=["family"])["family"]
        for code, folder in folders.items()
    }
    enough = min(PROMISED_PEOPLE, max(map(len, families.values())))
    able = [code for code, family in families.items() if len(family) >= enough]
    chosen = np.unique(np.linspace(0, len(able) - 1, bounds.nodes).astype(int))
    nodes = [_read_node(able[i], folders[able[i]], families[able[i]], bounds) for i in chosen]
    return [node for node in nodes if node.questions and len(node.targets) >= FEWEST_TARGETS]


def _read_node(code: str, folder: Path, family: pd.Series, bounds: Bounds) -> NodeExtract:
    people = min(len(family), bounds.people)
    questions, carriers = [], []
    with VariantStore.open(folder / "variants.sqlite") as store:
        autosomal = (row for row in store if row.contig[3:].isdigit())
        for row in islice(autosomal, bounds.alleles):
            members = np.array(row.carriers(), np.int32)
            members = members[: np.searchsorted(members, people)]
            if members.size:
                questions.append(allele_question(row.contig, row.start, row.ref, row.alt))
                carriers.append(members)
    frequencies = PublicFrequencies.open(folder / PUBLIC_FREQUENCIES_FILE)
    family = family[:people]
    lists = NumberLists.of(carriers)
    return NodeExtract(
        code=code,
        people=people,
        questions=questions,
        carriers=lists,
        alleles=lists.inverted(people),
        known=np.array([frequencies.frequency(question) for question in questions]),
        targets=np.flatnonzero(family.isna() | ~family.duplicated(keep=False))[: bounds.targets],
    )
