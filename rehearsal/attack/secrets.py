"""What an attacker wants to know: whether somebody is in the node, or has a diagnosis.

For each secret there are two possible nodes, which differ in one person or in one diagnosis.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehearsal.attack.attacked_node import AttackedNode
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.seeds import derive_seed

COMMON_TERM = 0.2  # an attacker asks for diagnoses of at least this share of people elsewhere
ALMOST_LISTED = 9  # people; the earlier rules listed a term from 10

Mask = NDArray[np.bool_]
Numbers = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Membership:
    """Whether the target or the stand-in is in the node. All others are."""

    node: AttackedNode
    target: int
    has_stand_in = True
    terms = ()

    @property
    def stand_in(self) -> int:
        """Number of the person who is there if the target is not."""
        return self.node.stand_ins[self.target]

    @property
    def people(self) -> int:
        """Number of people in either node."""
        return self.node.people - 1

    def share(self) -> float:
        """Return the public share of people who have what every question asks for."""
        return 1.0

    def groups(self, among: Mask) -> tuple[Mask, Mask]:
        """Return who is asked about in the two nodes.

        Args:
            among: People who match the conditions of a question.

        Returns:
            The people if the target is in, and if not.
        """
        inside, outside = among.copy(), among.copy()
        inside[self.stand_in] = outside[self.target] = False
        return inside, outside

    def carriers(self, among: Mask) -> tuple[Numbers, Numbers]:
        """Count the carriers of every allele in the two nodes.

        Args:
            among: People who match the other conditions of a question.

        Returns:
            Numbers if the target is in, and if not.
        """
        node, total = self.node, self.node.carriers_among(among)
        without = (
            total - node.holds[one] if among[one] else total for one in (self.stand_in, self.target)
        )
        inside, outside = without
        return inside, outside


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Whether the target, who is in the node, has a diagnosis."""

    node: AttackedNode
    target: int
    term: str
    has_stand_in = False

    @property
    def terms(self) -> tuple[str, ...]:
        """Terms that every question asks for."""
        return (self.term,)

    @property
    def people(self) -> int:
        """Number of people in either node."""
        return self.node.people

    def share(self) -> float:
        """Return the public share of people who have what every question asks for."""
        return term_share(self.node, self.term)

    def groups(self, among: Mask) -> tuple[Mask, Mask]:
        """Return who is asked about in the two nodes.

        Args:
            among: People who match the other conditions of a question.

        Returns:
            The people if the target has the diagnosis, and if not.
        """
        inside = among & self.node.having(self.term)
        outside = inside.copy()
        inside[self.target], outside[self.target] = among[self.target], False
        return inside, outside

    def carriers(self, among: Mask) -> tuple[Numbers, Numbers]:
        """Count the carriers of every allele in the two nodes.

        Args:
            among: People who match the other conditions of a question.

        Returns:
            Numbers if the target has the diagnosis, and if not.
        """
        node, having = self.node, among & self.node.having(self.term)
        outside = node.carriers_among(having) - node.holds[self.target] * having[self.target]
        return outside + node.holds[self.target] * among[self.target], outside


Secret = Membership | Diagnosis


def term_share(node: AttackedNode, term: str) -> float:
    """Return the public share of people who have a term, more specific ones included.

    Args:
        node: The node.
        term: The term, a CURIE.

    Returns:
        The share, 0 if nobody elsewhere has it.
    """
    found, facts = node.facts.has_term(term, True), node.facts
    return (found.women + found.men) / facts.people_elsewhere if found else 0.0


def memberships(node: AttackedNode) -> list[Membership]:
    """Return the secrets about the membership of all targets.

    Args:
        node: The node.

    Returns:
        One secret per target.
    """
    return [Membership(node, int(target)) for target in node.targets]


def diagnoses(node: AttackedNode, seed: int, almost_listed: bool = False) -> list[Diagnosis]:
    """Return a secret about a common diagnosis of each target.

    Args:
        node: The node.
        seed: Root seed.
        almost_listed: Whether to choose diagnoses that, for some purpose, just too few others have
            to be listed by the earlier rules, where there are any.

    Returns:
        One secret per target; none if there are no diagnoses.
    """
    shares = _shares(node)
    least = min(COMMON_TERM, max(shares.values(), default=0.0))
    common = [term for term, share in shares.items() if share >= least]
    random = np.random.default_rng(derive_seed(seed, node.code, "diagnoses"))
    telling = _almost_listed(node, list(shares)) if almost_listed else {}
    return [
        Diagnosis(node, target, str(random.choice(telling.get(target) or common)))
        for target in (node.targets.tolist() if common else [])
    ]


def _shares(node: AttackedNode) -> dict[str, float]:
    """Return the public share of people who have each term, without the sexes."""
    terms = (one.id for one in node.facts.terms)
    return {term: term_share(node, term) for term in terms if term not in SEX_TERMS.values()}


def _almost_listed(node: AttackedNode, terms: list[str]) -> dict[int, list[str]]:
    """Return the terms that just too few others have, for some purpose, of each target."""
    having = np.array([node.having(term) for term in terms]).reshape(-1, node.people)
    permitting = np.array([node.permitting(purpose) for purpose in node.purposes])
    numbers = having.astype(np.int64) @ permitting.T
    found = {}
    for target in node.targets.tolist():
        others = numbers - having[:, target, None]
        telling = (permitting[:, target] & (others == ALMOST_LISTED)).any(axis=1)
        found[target] = [terms[i] for i in np.flatnonzero(telling)]
    return found
