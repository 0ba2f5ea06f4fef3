"""Noise on a number of people, its price in nats, and the power that nats give an attacker."""

from __future__ import annotations

import hmac
import math
from dataclasses import dataclass
from statistics import NormalDist

from rehearsal.node.privacy.protection import Protection

STANDARD_DEVIATIONS = 4.0  # a yes stands so far above nobody that noise alone does not reach it
_NORMAL = NormalDist()


@dataclass(frozen=True, slots=True)
class Mechanism:
    """The noise of all answers of one tier at one node.

    It depends on the protection and the public number of people only, so every answer has the same
    price, whatever it is about.

    Attributes:
        deviation: Standard deviation of the noise, people.
        price: What one answer can tell about one person, nats.
        least: The smallest noisy number that is answered "yes".
        rounding: Step of counts.
    """

    deviation: float
    price: float
    least: int
    rounding: int

    @classmethod
    def of(cls, protection: Protection, people: int) -> Mechanism:
        """Compute the mechanism of a tier.

        Args:
            protection: The tier's protection.
            people: The public number of people at the node.

        Returns:
            The mechanism.
        """
        deviation = protection.noise * math.sqrt(people)
        price = 1 / (2 * deviation**2) if deviation else 0.0
        least = max(protection.threshold, math.ceil(STANDARD_DEVIATIONS * deviation))
        return cls(deviation, price, least, protection.rounding)

    def is_enough(self, noisy: int) -> bool:
        """Tell whether a noisy number of people is answered "yes".

        Args:
            noisy: Number of people with noise.
        """
        return noisy >= self.least

    def rounded(self, noisy: int) -> int:
        """Round a noisy number of people to the nearest multiple of the step that is not 0.

        Args:
            noisy: Number of people with noise.
        """
        step = self.rounding
        return max(step, (noisy + step // 2) // step * step)


def draw_noise(secret: bytes, question: bytes, deviation: float) -> int:
    """Draw the noise of a question, which is fixed for a secret and a question.

    Args:
        secret: The node's secret key.
        question: The question's key, with tier and data release.
        deviation: Standard deviation, people.

    Returns:
        A normally distributed number, rounded to whole people.
    """
    if not deviation:
        return 0
    drawn = int.from_bytes(hmac.digest(secret, question, "sha256")[:8], "big") >> 12  # 52 bits
    return round(deviation * _NORMAL.inv_cdf((drawn + 0.5) / (1 << 52)))  # never 0 or 1


def power_bound(nats: float, false_positives: float = 0.05) -> float:
    """Compute the highest power of any test on answers that reveal a number of nats.

    Solves kl(power || false positives) = nats by bisection, where kl is the relative entropy of two
    Bernoulli distributions (data processing inequality).

    Args:
        nats: What the answers reveal.
        false_positives: False positive rate of the test.

    Returns:
        The power, between the false positive rate and 1.
    """
    low, high = false_positives, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        rest = (1 - middle) * math.log((1 - middle) / (1 - false_positives)) if middle < 1 else 0
        enough = middle * math.log(middle / false_positives) + rest <= nats
        low, high = (middle, high) if enough else (low, middle)
    return low
