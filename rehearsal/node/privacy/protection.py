"""How answers to a tier are protected, so that nobody can detect a person by queries.

Somebody who holds a person's genome can query a Beacon for that person's alleles and infer from the
answers whether the person is in it (Shringarpure & Bustamante, Am J Hum Genet 2015; Raisaro et al.,
JAMIA 2017). A threshold, rounding and bounded noise only make that attack longer, and what is not
thought of as an answer (its form, a list, a refusal) tells as much as the answer.

So a protected tier learns about the node's people through one function only,
:meth:`rehearsal.node.privacy.door.Door.answer`. It either uses public facts alone, which is free,
or the number of matching people plus normal noise, which is paid from a ledger. Noise of standard
deviation s hides one person among n others from everybody, also from somebody who knows all others:
the relative entropy of the answers with and without the person is at most 1 / (2 s^2) nats (Bun &
Steinke, TCC 2016, proposition 1.6, for the normal distribution). That is the price of an answer.
Prices add up. The nats that a tier's ledger can pay bound the power of every test on all answers
together (:func:`rehearsal.node.privacy.mechanism.power_bound`).
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

    threshold: int = 10  # the smallest group that an answer may show, as far as noise can tell
    rounding: int = 10  # step of counts
    noise: float = 1.0  # standard deviation of the noise, per square root of the people at the node
    budget: float = 0.01  # nats that all callers together may learn about a person
    caller_share: float = 0.1  # share of the budget that one caller can spend; or one answer

    def __post_init__(self) -> None:
        for name in ("threshold", "rounding"):
            if getattr(self, name) < 1:
                expected = "a whole number of at least 1"
                raise InputError("privacy", name, expected, shown(getattr(self, name)))
        if not self.noise >= 0 or self.noise == math.inf:
            raise InputError("privacy", "noise", "a number of at least 0", shown(self.noise))
        if not self.budget >= 0:
            expected = "a number of nats of at least 0, or infinity"
            raise InputError("privacy", "budget", expected, shown(self.budget))
        if not 0 < self.caller_share <= 1:
            expected = "a share above 0 and at most 1"
            raise InputError("privacy", "caller_share", expected, shown(self.caller_share))
        if self.noise == 0 and self.budget < math.inf:
            expected = "a number above 0, as without noise no budget can pay for an answer"
            raise InputError("privacy", "noise", expected, "0")


PUBLIC = Protection()
REGISTERED = Protection(5, 5, 0.3, budget=2.5, caller_share=0.1)
UNPROTECTED = Protection(1, 1, 0, math.inf, 1)
