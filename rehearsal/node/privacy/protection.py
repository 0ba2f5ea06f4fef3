"""What the public may learn of a node, so that nobody can be found in it by asking.

Who holds a person's genome can ask a beacon for that person's alleles and see from the answers
whether the person is in it (Shringarpure & Bustamante, Am J Hum Genet 2015); asking the rarest
alleles first takes one question to a few dozen (Raisaro et al., JAMIA 2017). Four protections
stand against it, and none of them is enough alone:

threshold
    Carriers fewer than this look absent. Alone it only moves the attack to alleles whose number of
    carriers lies near the threshold.
rounding
    Counts are told as multiples of a step.
noise
    Moves the threshold up and a count either way by a few people. A fixed function of the question
    (HMAC-SHA256 with the node's secret key): asking twice tells nothing more, and there is no
    average to take. Against somebody who knows all other people's alleles.
budget
    A question costs what its answer may tell, here in nats
    (:func:`~rehearsal.node.privacy.prices.information`). Whether somebody is there
    costs each carrier, as Raisaro has it: who cannot pay any more is left out of the answer and
    looks absent. How many are there costs everybody, since a count tells also of those
    who are not in it; it is told of all or not at all, as one that leaves people out is wrong.
    The price depends on how frequent the allele is elsewhere and on nothing in the node: a price
    by the node's own carriers would itself tell who is there. Alleles whose answer anybody could
    foresee, the very rare and the common ones, are next to free; without a frequency from
    elsewhere every question has the highest price. Budgets are kept for each user and individual,
    and for each individual over all users, so that many accounts are worth no more than one.

The budget is what a promise rests on. For any test whatsoever, with false positives alpha and
power beta, the relative entropy kl(beta || alpha) is at most the nats that the answers tell (data
processing inequality): with 0.02 nats, 0.01 for each kind of question, the power at 5 % false
positives is at most 0.10 (:func:`~rehearsal.node.privacy.prices.power_bound`). The nats are those
against an attacker who knows each allele's frequency and takes people as drawn at random from it.
Linked alleles may tell more than their sum (von Thenen et al., Bioinformatics 2019), and an answer
from which others are left out more than its price: :mod:`rehearsal.attack` measures what that comes
to.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from rehearsal.errors import InputError


@dataclass(frozen=True, slots=True)
class Protection:
    """How answers are protected. The default is the strict one, for the public.

    ``threshold``: carriers below it look absent. ``rounding``: step of counts. ``noise``: the
    threshold is moved up by 0 to so many, a count by so many at most either way.
    ``user_budget``: nats that one user may learn of an individual by questions whether somebody is
    there, and as many again by counts; ``individual_budget``: those that all users together may.
    Raises InputError for values that protect nothing they promise.
    """

    threshold: int = 10
    rounding: int = 10
    noise: int = 2
    user_budget: float = 0.01
    individual_budget: float = 0.01

    def __post_init__(self) -> None:
        for name in ("threshold", "rounding"):
            if getattr(self, name) < 1:
                raise InputError("privacy", name, "a whole number of at least 1")
        if not 0 <= self.noise < self.threshold:
            raise InputError("privacy", "noise", "at least 0 and less than the threshold")
        for name in ("user_budget", "individual_budget"):
            if not getattr(self, name) >= 0:
                raise InputError("privacy", name, "nats, at least 0, or infinity")

    @property
    def budgeted(self) -> bool:
        return min(self.user_budget, self.individual_budget) < math.inf


PUBLIC = Protection()
REGISTERED = Protection(5, 5, 1, user_budget=0.25, individual_budget=2.5)
UNPROTECTED = Protection(1, 1, 0, math.inf, math.inf)
