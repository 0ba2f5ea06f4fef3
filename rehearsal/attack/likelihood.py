"""What an answer says about the target: the log-likelihood ratio of its two explanations.

One attacker knows everybody else, so there are two possible numbers of matching people, which
differ by at most one. The other knows frequencies: the number of the other matching people follows
a beta-binomial distribution around the public share, with the drift that a population has.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import betaln, gammaln, ndtr

from rehearsal.node.privacy.mechanism import Mechanism

DRIFT = 0.005  # F_ST that the attacker assumes between the node and the public shares
ERROR = 1e-6  # probability that two readings of a genotype or a diagnosis differ
_NEVER = 1e-300

_HALF_GRID = np.geomspace(1e-5, 0.5, 150)
_GRID = np.unique(np.concatenate([_HALF_GRID, 1 - _HALF_GRID]))  # shares with known likelihoods

Table = NDArray[np.float64]


def bounded_noise_table(
    people: int, threshold: int, rounding: int, noise: int, counted: bool
) -> Table:
    """Compute the probability of each answer of a tier with a threshold and bounded noise.

    Args:
        people: Largest number of matching people.
        threshold: Smallest number that is answered yes; noise can only raise it.
        rounding: Step of counts.
        noise: Largest change of a count and of the threshold.
        counted: Whether answers are counts, or yes and no.

    Returns:
        Shape (people + 1, answers). Answer 0 is "no", answer i is the count ``i * rounding``, or
        "yes".
    """
    numbers = np.arange(people + 1)
    enough = np.clip((numbers - threshold + 1) / (noise + 1), 0, 1)
    if not counted:
        return np.column_stack([1 - enough, enough])
    shifts = np.arange(-noise, noise + 1)
    shown = np.maximum(1, (numbers[:, None] + shifts + rounding // 2) // rounding)
    table = np.zeros((people + 1, int(shown.max()) + 1))
    for column in shown.T:
        table[numbers, column] += enough / shifts.size
    table[:, 0] = 1 - enough
    return table


def door_table(people: int, mechanism: Mechanism, sure: bool, counted: bool) -> Table:
    """Compute the probability of each answer that the door gives for a price.

    Args:
        people: Largest number of matching people.
        mechanism: The tier's noise.
        sure: Whether public facts say that there are enough people.
        counted: Whether answers are counts, or yes and no.

    Returns:
        Shape (people + 1, answers), with answers as in :func:`bounded_noise_table`.
    """
    deviation = mechanism.deviation
    reach = int(6 * deviation) + 1
    noisy = np.arange(-reach, people + reach + 1)
    distance = noisy - np.arange(people + 1)[:, None]
    share = ndtr((distance + 0.5) / deviation) - ndtr((distance - 0.5) / deviation)
    answer = door_answers(noisy, mechanism, sure, counted)
    table = np.zeros((people + 1, int(answer.max()) + 1))
    for column in range(table.shape[1]):
        table[:, column] = share[:, answer == column].sum(axis=1)
    return table


def door_answers(
    noisy: NDArray[np.int64], mechanism: Mechanism, sure: bool, counted: bool
) -> NDArray[np.int64]:
    """Say what the door answers to noisy numbers of people.

    Args:
        noisy: The numbers.
        mechanism: The tier's noise.
        sure: Whether public facts say that there are enough people.
        counted: Whether answers are counts, or yes and no.

    Returns:
        Answers as in :func:`bounded_noise_table`.
    """
    numbers, places = np.unique(noisy, return_inverse=True)
    step = mechanism.rounding
    answers = [
        (mechanism.rounded(one) // step if counted else 1)
        if sure or mechanism.is_enough(one)
        else 0
        for one in numbers.tolist()
    ]
    return np.array(answers, np.int64)[places].reshape(noisy.shape)


@dataclass(frozen=True)
class Evidence:
    """Log-likelihood ratios of the answers of one table.

    Attributes:
        table: Probability of each answer, by number of matching people.
        by_share: Ratios for the attacker who knows frequencies, shape (2, shares, answers): of a
            target who does not match, and of one who does.
    """

    table: Table
    by_share: NDArray[np.float64]

    @classmethod
    def of(cls, table: Table, has_stand_in: bool) -> Evidence:
        """Compute the ratios.

        Args:
            table: Probability of each answer, by number of matching people.
            has_stand_in: Whether somebody else is there when the target is not (membership).
                Otherwise the target is there and does not match (diagnosis).

        Returns:
            The ratios.
        """
        people = len(table) - 1
        others = _on_grid(people - 1)
        outside = _on_grid(people) @ table if has_stand_in else others @ table[:-1]
        ratios = []
        for part in (table[:-1], table[1:]):
            inside = (1 - ERROR) * (others @ part) + ERROR * outside
            ratios.append(np.log(np.maximum(inside, _NEVER) / np.maximum(outside, _NEVER)))
        ratios[0] = np.zeros_like(ratios[0]) if not has_stand_in else ratios[0]
        return cls(table, np.array(ratios))

    def knowing_everybody(
        self, inside: NDArray[np.int64], outside: NDArray[np.int64], answer: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the ratios for the attacker who knows everybody else.

        Args:
            inside: Number of matching people if the target is in.
            outside: The same if the target is not in, which differs by at most one.
            answer: The answers.

        Returns:
            One ratio per answer.
        """
        return self._by_difference[inside - outside + 1, outside, answer]

    @cached_property
    def _by_difference(self) -> NDArray[np.float64]:
        """Ratios by one person less, none or one more if the target is in; number; and answer."""
        people, table = len(self.table) - 1, np.maximum(self.table, _NEVER)
        ratios = np.zeros((3, *table.shape))
        for difference in (-1, 1):
            number = np.clip(np.arange(people + 1) + difference, 0, people)
            mixed = (1 - ERROR) * self.table[number] + ERROR * self.table
            ratios[difference + 1] = np.log(np.maximum(mixed, _NEVER) / table)
        return ratios

    def knowing_shares(
        self, row: NDArray[np.int64], matches: NDArray[np.bool_], answer: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the ratios for the attacker who knows frequencies.

        Args:
            row: Rows of the public shares of matching people (:func:`grid_rows`).
            matches: Whether the target matches.
            answer: The answers.

        Returns:
            One ratio per answer.
        """
        return self.by_share[matches.astype(int), row, answer]

    def gain(self, share: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the mean information of an answer about matching targets, in nats.

        Args:
            share: Public shares of matching people.

        Returns:
            One number per share.
        """
        return self._gain[grid_rows(share)]

    @cached_property
    def _gain(self) -> NDArray[np.float64]:
        others = _on_grid(len(self.table) - 2) @ self.table[1:]
        return (others * self.by_share[1]).sum(axis=1)

    @cached_property
    def gain_of_one(self) -> NDArray[np.float64]:
        """Information of an answer if n instead of n - 1 people match, in nats, for n from 0."""
        log = np.log(np.maximum(self.table, _NEVER))
        gain = (self.table[1:] * (log[1:] - log[:-1])).sum(axis=1)
        return np.concatenate([[0.0], gain])


def beta_binomial(people: int, shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Compute the distribution of a number of people around public shares.

    Args:
        people: Number of people.
        shares: Public shares.

    Returns:
        Probability of 0 to ``people`` matching people (columns) for each share (rows).
    """
    number = np.arange(people + 1)
    a, b = (share[:, None] * (1 / DRIFT - 1) for share in (shares, 1 - shares))
    choose = gammaln(people + 1) - gammaln(number + 1) - gammaln(people - number + 1)
    return np.exp(choose + betaln(number + a, people - number + b) - betaln(a, b))


@lru_cache(maxsize=16)
def _on_grid(people: int) -> NDArray[np.float64]:
    return beta_binomial(people, _GRID)


def grid_rows(share: NDArray[np.float64]) -> NDArray[np.int64]:
    """Return the rows of the grid that stand for shares.

    Args:
        share: The shares.

    Returns:
        One number per share.
    """
    return np.minimum(np.searchsorted(_GRID, share), _GRID.size - 1)
