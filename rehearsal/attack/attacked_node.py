"""The attacked nodes: their stores, their public facts, and who is a target."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, product
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pyroaring import BitMap

from rehearsal.evaluation.protected_judge import PROMISED_PEOPLE
from rehearsal.node.access.consent import (
    DISEASE,
    GENERAL_RESEARCH,
    HEALTH,
    PERMISSIONS,
    Purpose,
    people_not_permitting,
    public_share_permitting,
)
from rehearsal.node.access.rights import Rights
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.privacy.door import ProtectedQuestion
from rehearsal.node.privacy.public_facts import PUBLIC_FACTS_FILE, PublicAllele, PublicFacts
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.people_store import PeopleStore
from rehearsal.stores.variant_store import VariantStore

Place = tuple[str, int, str, str]  # contig, 0-based start, REF, ALT


@dataclass(frozen=True, slots=True)
class Bounds:
    """Upper limits of the attack, so that time and memory are bounded for any run.

    A node with fewer people is easier to attack, so these bounds do not flatter the protection.
    """

    nodes: int = 8
    people: int = 1_000  # per node; nodes with more are not attacked
    alleles: int = 50_000  # per node, the first ones of the genome
    targets: int = 100  # per node


@dataclass(frozen=True)
class AttackedNode:
    """One node, with its autosomal alleles.

    Attributes:
        code: Country code.
        data: The node's data.
        facts: The node's public facts.
        places: The alleles, in order.
        holds: Who carries which allele, shape (people, alleles).
        targets: Numbers of people without relatives in the node, whose consent permits the purpose.
        purpose: The purpose that most people elsewhere permit.
    """

    code: str
    data: NodeData
    facts: PublicFacts
    places: list[Place]
    holds: NDArray[np.bool_]
    targets: NDArray[np.int64]
    purpose: Purpose

    @property
    def people(self) -> int:
        """Number of people at the node."""
        return self.data.people.size

    @cached_property
    def questions(self) -> dict[Hashable, ProtectedQuestion]:
        """Protected questions that were built before."""
        return {}

    @cached_property
    def rights(self) -> dict[Purpose, Rights]:
        """Rights of a caller without a token, by stated purpose."""
        return {}

    @cached_property
    def held(self) -> dict[int, NDArray[np.int64]]:
        """Alleles of targets in the order in which attacks ask for them, once that was chosen."""
        return {}

    @cached_property
    def stand_ins(self) -> dict[int, int]:
        """For each target, another one who is left out of the node when that target is in."""
        return dict(zip(self.targets.tolist(), np.roll(self.targets, 1).tolist(), strict=True))

    def carriers_among(self, people: NDArray[np.bool_]) -> NDArray[np.int64]:
        """Count the carriers of every allele among some people.

        Args:
            people: One truth value per person.

        Returns:
            One number per allele. Do not change it: it is kept.
        """
        key = people.tobytes()
        if key not in self._carriers:
            self._carriers[key] = self.holds[people].sum(axis=0, dtype=np.int64)
        return self._carriers[key]

    @cached_property
    def _masks(self) -> dict[Purpose | str, NDArray[np.bool_]]:
        return {}

    def rows_of(self, contig: str) -> tuple[int, int]:
        """Return the numbers of the first allele of a contig and of the one after the last.

        Args:
            contig: Name of the contig.

        Returns:
            The two numbers.
        """
        return self._rows.get(contig, (0, 0))

    @cached_property
    def _rows(self) -> dict[str, tuple[int, int]]:
        rows: dict[str, tuple[int, int]] = {}
        for number, place in enumerate(self.places):
            rows[place[0]] = rows.get(place[0], (number, 0))[0], number + 1
        return rows

    @cached_property
    def starts(self) -> NDArray[np.int64]:
        """The 0-based position of each allele."""
        return np.array([place[1] for place in self.places])

    @cached_property
    def positions(self) -> list[int]:
        """The positions as a list, in which single ones are found faster than in an array."""
        return [place[1] for place in self.places]

    @cached_property
    def purposes(self) -> list[Purpose]:
        """The purposes that a public caller may state and that differ in who permits them."""
        return candidate_purposes(self.facts)

    @cached_property
    def _carriers(self) -> dict[bytes, NDArray[np.int64]]:
        return {}

    def permitting(self, purpose: Purpose) -> NDArray[np.bool_]:
        """Return who permits a purpose.

        Args:
            purpose: The purpose.

        Returns:
            One truth value per person.
        """
        if purpose not in self._masks:
            people = self.data.people
            permitting = people.everyone - people_not_permitting(people, purpose)
            self._masks[purpose] = as_mask(permitting, self.people)
        return self._masks[purpose]

    def having(self, term: str) -> NDArray[np.bool_]:
        """Return who has a term, more specific terms included.

        Args:
            term: The term, a CURIE.

        Returns:
            One truth value per person.
        """
        if term not in self._masks:
            self._masks[term] = as_mask(self.data.people.with_term(term), self.people)
        return self._masks[term]

    @cached_property
    def known(self) -> NDArray[np.float64]:
        """Share of the people elsewhere who carry each allele.

        An allele that public facts do not list is taken for one with a quarter of the least share.
        """
        shares = {
            (one.contig, one.start, one.ref, one.alt): self._share(one)
            for contig, length in self.facts.contigs.items()
            for one in self.facts.overlapping(contig, 0, length)
        }
        return np.array([shares.get(place, self.facts.listed_from / 4) for place in self.places])

    def _share(self, one: PublicAllele) -> float:
        of_women = one.women / self.facts.women if self.facts.women else 0.0
        of_men = one.men / self.facts.men if self.facts.men else of_women
        return (of_women + of_men) / 2 if self.facts.women else of_men

    def permitted_share(self, purpose: Purpose) -> float:
        """Return the public share of people whose consent permits a purpose.

        Args:
            purpose: The purpose.

        Returns:
            The share.
        """
        if purpose not in self._permitted:
            self._permitted[purpose] = public_share_permitting(self.facts, purpose) or 0.0
        return self._permitted[purpose]

    @cached_property
    def _permitted(self) -> dict[Purpose, float]:
        return {}


def candidate_purposes(facts: PublicFacts) -> list[Purpose]:
    """List the purposes that a public caller may state and that differ in who permits them.

    Args:
        facts: The node's public facts.

    Returns:
        Each use, each disease for which somebody elsewhere gave a permission; without conditions
        that are kept, and with all.
    """
    seen = {use for uses, _, _ in facts.consents() for use in uses}
    diseases = sorted(use.split()[1] for use in seen if use.startswith(f"{DISEASE} "))
    kept = frozenset(use for use in seen if use.partition(" ")[0] not in PERMISSIONS)
    uses = [(GENERAL_RESEARCH, None), (HEALTH, None), *((DISEASE, one) for one in diseases)]
    keeping = {kept: None, frozenset[str](): None}
    return [Purpose(use, disease, one) for (use, disease), one in product(uses, keeping)]


def as_mask(people: BitMap, number: int) -> NDArray[np.bool_]:
    """Convert a set of people.

    Args:
        people: Their numbers.
        number: Number of people at the node.

    Returns:
        One truth value per person.
    """
    mask = np.zeros(number, bool)
    mask[people.to_array()] = True
    return mask


def choose_nodes(folders: Mapping[str, Path], bounds: Bounds) -> dict[str, Path]:
    """Choose the attacked nodes, spread evenly over the folders.

    Nodes for which the promise holds (100 people or more) are taken if there are any, otherwise the
    largest.

    Args:
        folders: Folders by country code, each with ``individuals.parquet``.
        bounds: Upper limits.

    Returns:
        Folders by country code.
    """
    people = {code: len(_families(folder)) for code, folder in folders.items()}
    people = {code: number for code, number in people.items() if number <= bounds.people}
    if not people:
        return {}
    enough = min(PROMISED_PEOPLE, max(people.values()))
    able = [code for code, number in people.items() if number >= enough]
    chosen = np.unique(np.linspace(0, len(able) - 1, bounds.nodes).astype(int))
    return {able[i]: folders[able[i]] for i in chosen}


def _families(folder: Path) -> pd.Series:
    return pd.read_parquet(folder / "individuals.parquet", columns=["family"])["family"]


def read_attacked_node(code: str, folder: Path, bounds: Bounds) -> AttackedNode:
    """Read a node.

    Args:
        code: Country code.
        folder: The node's folder, with ``variants.sqlite``, ``people.sqlite``,
            ``individuals.parquet`` and ``public_facts.sqlite``.
        bounds: Upper limits.

    Returns:
        The node.
    """
    family = _families(folder)
    facts = PublicFacts.open(folder / PUBLIC_FACTS_FILE)
    variants = VariantStore.open(folder / "variants.sqlite")
    people = PeopleStore.open(folder / "people.sqlite")
    places: list[Place] = []
    carriers = []
    # a structural variant has no bases to ask for: it is found by its place, as any range is
    asked = (one for one in variants if one.contig[3:].isdigit() and not one.svlen)
    for row in islice(asked, bounds.alleles):
        places.append((row.contig, row.start, row.ref, row.alt))
        carriers.append(row.carriers().to_array())
    holds = np.zeros((people.size, len(places)), bool)
    for number, members in enumerate(carriers):
        holds[members, number] = True
    # only the node's stores are read: of its settings, questions about alleles and terms use none
    data = NodeData(NodeSettings.for_country(code, code), variants, people)
    node = AttackedNode(code, data, facts, places, holds, np.empty(0, np.int64), Purpose(HEALTH))
    purpose = max(candidate_purposes(facts), key=node.permitted_share)
    alone = (family.isna() | ~family.duplicated(keep=False)).to_numpy()
    targets = np.flatnonzero(alone & node.permitting(purpose))[: bounds.targets]
    return replace(node, targets=targets, purpose=purpose)
