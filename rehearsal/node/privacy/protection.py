"""Protection of answers, so that nobody can detect a person in a node by queries.

Somebody who holds a person's genome can query a Beacon for that person's alleles and infer from the
answers whether the person is in it (Shringarpure & Bustamante, Am J Hum Genet 2015). Querying the
rarest alleles first takes from one to a few dozen queries (Raisaro et al., JAMIA 2017). Four
protections counter this attack. None of them is enough alone:

threshold
    Alleles with fewer carriers look absent. Alone, this only moves the attack to alleles whose
    number of carriers is near the threshold.
rounding
    Counts are multiples of a step.
noise
    Raises the threshold, and shifts a count up or down, by a few people. It is a fixed function of
    the question (HMAC-SHA256 with the node's secret key), so repeating a query gives nothing new
    and there is nothing to average. It counters an attacker who knows all other people's alleles.
budget
    A question costs the information that its answer may give, here in nats
    (:func:`~rehearsal.node.privacy.prices.information`). A question whether there are carriers
    costs each carrier, as in Raisaro et al.: a carrier who can no longer pay is left out of the
    answer and looks absent. A question for their number costs everybody, because a count also gives
    information about people who are not counted. A count covers everybody or is not given, as a
    count that leaves people out is wrong. The price depends on the allele's frequency elsewhere and
    on nothing in the node, because a price that depended on the node's own carriers would itself
    reveal them. Alleles with a predictable answer, the very rare and the common ones, are nearly
    free. Without a frequency from elsewhere, a question has the highest price. Budgets are kept per
    user and individual, and per individual over all users, so many accounts are worth no more than
    one.

The guarantee rests on the budget. For any test with false positive rate alpha and power beta, the
relative entropy kl(beta || alpha) is at most the nats that the answers give (data processing
inequality). With 0.02 nats, 0.01 for each kind of question, the power at 5 % false positives is at
most 0.10 (:func:`~rehearsal.node.privacy.prices.power_bound`). The nats assume an attacker who
knows each allele's frequency and models people as random draws from it. Linked alleles may give
more than the sum of their prices (von Thenen et al., Bioinformatics 2019), and an answer that
leaves others out may give more than its price. :mod:`rehearsal.attack` measures the effect.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rehearsal.errors import InputError, shown


@dataclass(frozen=True, slots=True)
class Protection:
    """How answers are protected. The default is strict, for the public.

    Raises:
        InputError: A value gives no valid protection.
    """

    threshold: int = 10  # fewer carriers look absent
    rounding: int = 10  # step of counts
    noise: int = 2  # most people by which the threshold rises, or a count shifts either way
    # nats that one user may learn about an individual from questions whether there are carriers,
    # and as many again from counts
    user_budget: float = 0.01
    individual_budget: float = 0.01  # the same for all users together

    def __post_init__(self) -> None:
        for name in ("threshold", "rounding"):
            if getattr(self, name) < 1:
                expected = "a whole number of at least 1"
                raise InputError("privacy", name, expected, shown(getattr(self, name)))
        if not 0 <= self.noise < self.threshold:
            expected = f"a whole number from 0 to below the threshold of {self.threshold}"
            raise InputError("privacy", "noise", expected, shown(self.noise))
        for name in ("user_budget", "individual_budget"):
            if not getattr(self, name) >= 0:
                expected = "a number of nats of at least 0, or infinity"
                raise InputError("privacy", name, expected, shown(getattr(self, name)))

    @property
    def budgeted(self) -> bool:
        """Whether a budget limits the answers."""
        return min(self.user_budget, self.individual_budget) < math.inf


PUBLIC = Protection()
REGISTERED = Protection(5, 5, 1, user_budget=0.25, individual_budget=2.5)
UNPROTECTED = Protection(1, 1, 0, math.inf, math.inf)
