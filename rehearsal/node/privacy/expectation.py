"""What public facts alone say about a question: surely yes, surely no, or not known."""

from __future__ import annotations

import math
from dataclasses import dataclass

from rehearsal.node.privacy.mechanism import Mechanism
from rehearsal.node.privacy.public_facts import PublicFacts

DRIFT = 0.01  # expected squared difference of shares here and elsewhere, as an F_ST
SURE = 5.0  # standard deviations between the expectation and the boundary of a sure answer


@dataclass(frozen=True, slots=True)
class ShareBounds:
    """Bounds of the share of a node's people who match, from public facts.

    Attributes:
        low: Lower bound, 0 where nothing is known.
        high: Upper bound, 1 where nothing is known.
    """

    low: float
    high: float

    def both(self, other: ShareBounds) -> ShareBounds:
        """Bound the share of people who match two conditions, however these depend on each other.

        Args:
            other: Bounds for the other condition.

        Returns:
            The bounds of Fréchet.
        """
        return ShareBounds(max(0.0, self.low + other.low - 1), min(self.high, other.high))

    def among(self, share: float | None) -> ShareBounds:
        """Bound the share of people who match and permit a purpose.

        Who permits it is taken to be independent for a yes, and to be anybody for a no.

        Args:
            share: Share of the people who permit it. None if it is not public.

        Returns:
            The bounds.
        """
        if share is None:
            return ShareBounds(0.0, self.high)
        return ShareBounds(self.low * share, min(self.high, share))

    @classmethod
    def mean(cls, one: ShareBounds, other: ShareBounds) -> ShareBounds:
        """Bound the share in two groups of equal size together, women and men.

        Args:
            one: Bounds in one group.
            other: Bounds in the other.

        Returns:
            The bounds.
        """
        return cls((one.low + other.low) / 2, (one.high + other.high) / 2)


UNKNOWN = ShareBounds(0.0, 1.0)
NOBODY = ShareBounds(0.0, 0.0)
EVERYBODY = ShareBounds(1.0, 1.0)


def expect(
    shares: ShareBounds, facts: PublicFacts, threshold: int, mechanism: Mechanism
) -> bool | None:
    """Predict the answer to a question.

    Args:
        shares: Bounds of the share of matching people.
        facts: The node's public facts.
        threshold: The smallest group that an answer may show.
        mechanism: The noise of the tier.

    Returns:
        True when surely at least ``threshold`` people match, False when surely fewer match than a
        noisy number needs for a yes, else None.
    """
    if _boundary(shares.low, facts, -SURE) >= threshold:
        return True
    if _boundary(shares.high, facts, SURE) < mechanism.least:
        return False
    return None


def _boundary(share: float, facts: PublicFacts, deviations: float) -> float:
    """Return the number of people who match, so many standard deviations from its expectation."""
    people = facts.people
    spread = share * (1 - share)
    elsewhere = facts.people_elsewhere
    variance = people * spread + people**2 * spread * (DRIFT + (1 / elsewhere if elsewhere else 0))
    return min(float(people), people * share + deviations * math.sqrt(variance))
