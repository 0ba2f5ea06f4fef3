"""The one door between a protected tier and what a node knows about its people.

Everything that a protected tier learns about people (whether there are matches, how many, in what
form, or that the question is not answered) is decided here. The decision uses the question, public
facts, the ledger (which depends on the questions that were asked) and, in answers that were paid,
the number of matching people with noise.
"""

from __future__ import annotations

import hashlib
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from rehearsal.errors import mismatch
from rehearsal.node.privacy.expectation import ShareBounds, expect
from rehearsal.node.privacy.ledger import BudgetError, Ledger, LedgerError, pays_for
from rehearsal.node.privacy.mechanism import Mechanism, draw_noise
from rehearsal.node.privacy.protection import Protection
from rehearsal.node.privacy.public_facts import PublicFacts
from rehearsal.web.problem import Problem

TIME_STEP_S = 0.005  # a paid answer takes a multiple of it
Basis = Literal["public facts", "noisy count"]

_BUDGET = "privacy budget"
_ANSWERED = "a question that public facts answer or that was paid before"
SPENT = mismatch(_BUDGET, _ANSWERED, "a budget that is spent until the next data release")
SHARE_SPENT = mismatch(_BUDGET, _ANSWERED, "a budget of which this caller has spent the own share")

# the price depends on the public number of people and the settings only
TOO_DEAR = mismatch(
    _BUDGET,
    _ANSWERED,
    "a question that costs more than the whole budget of any data release, as the node has too few "
    "people or no budget; waiting does not help",
)


@dataclass(frozen=True, slots=True)
class ProtectedQuestion:
    """What is asked about the people of a node.

    Attributes:
        text: The canonical question. Two wordings of one question have the same text.
        shares: Bounds of the share of people who match, from public facts only.
        too_wide: Why the number of matching people is not looked for, as it would take too long.
            Empty if it is. This too follows from the question alone.
        needs_grant: Why the question is refused whatever public facts bound, as they say nothing
            about what it asks. Empty if it is not. This follows from the question alone.
        most: Public share of the node's people who are asked about. A count is at most their
            published number, whatever the noise.
    """

    text: str
    shares: ShareBounds
    too_wide: str = ""
    needs_grant: str = ""
    most: float = 1.0


@dataclass(frozen=True, slots=True)
class ProtectedAnswer:
    """Whether there are enough matching people, and how many if that was paid for."""

    exists: bool
    count: int | None  # rounded; None when no count is given
    basis: Basis


class Refused(Problem):
    """The marked refusal of a question that no budget pays for. It depends on public facts only.

    Args:
        message: The reason.
        cause: The reason for the log, which must not depend on the question.
    """

    def __init__(self, message: str, cause: str) -> None:
        super().__init__(message, 403, cause=cause)


class Door:
    """Answers questions about one node's people to one tier.

    Args:
        tier: The tier.
        protection: The tier's protection.
        facts: The node's public facts.
        ledger: The node's ledger.
        secret: The node's secret key.
        wait: Waits for a number of seconds, so that the time of an answer tells nothing.
    """

    def __init__(
        self,
        tier: str,
        protection: Protection,
        facts: PublicFacts,
        ledger: Ledger,
        secret: bytes,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        self.tier, self.protection, self.facts, self.ledger = tier, protection, facts, ledger
        self._secret, self._wait = secret, wait
        self.mechanism = Mechanism.of(protection, facts.people)

    def answer(
        self, question: ProtectedQuestion, counted: bool, caller: str, count: Callable[[], int]
    ) -> ProtectedAnswer:
        """Answer a question.

        Args:
            question: The question.
            counted: Whether the number of people is wanted.
            caller: Who asks: issuer and subject, or an address.
            count: Counts the matching people. It is called only when the answer is paid.

        Returns:
            The answer.

        Raises:
            Refused: No budget pays for the answer, and public facts do not give it (403).
            Problem: The ledger cannot be written (503).
        """
        if question.needs_grant:
            reason = mismatch(_BUDGET, _ANSWERED, question.needs_grant)
            raise Refused(reason, "a question that needs a grant")
        expected = expect(question.shares, self.facts, self.protection.threshold, self.mechanism)
        if expected is not None and not counted:
            return ProtectedAnswer(expected, None, "public facts")
        try:
            number = self._pay(question, caller, count)
        except Refused as problem:
            refusal = problem
        else:
            exists = expected is True or self.mechanism.is_enough(number)
            most = round(self.facts.people * question.most)
            shown = self.mechanism.rounded(min(number, most)) if exists else 0
            return ProtectedAnswer(exists, shown if counted else None, "noisy count")
        if expected is not None:
            return ProtectedAnswer(expected, None, "public facts")
        raise refusal

    def budget_left(self) -> float:
        """Return what the tier may still learn of each person, in nats.

        Raises:
            LedgerError: The ledger cannot be read.
        """
        return max(0.0, self.protection.budget - self.ledger.spent(self.tier))

    def _pay(self, question: ProtectedQuestion, caller: str, count: Callable[[], int]) -> int:
        """Return the noisy number of matching people. Raises Refused, or Problem (503)."""
        if question.too_wide:
            reason = mismatch(_BUDGET, _ANSWERED, question.too_wide)
            raise Refused(reason, "the question is too wide")
        key = question_key(self.facts.release, self.tier, question.text)
        mechanism = self.mechanism

        def noisy() -> int:
            started = time.perf_counter()
            number = count() + draw_noise(self._secret, key, mechanism.deviation)
            self._wait(_until_multiple(started))  # other processes wait for the ledger until then
            return number

        try:
            return self.ledger.pay(self.tier, caller, key, mechanism.price, self.protection, noisy)
        except BudgetError as error:
            if not pays_for(mechanism.price, self.protection.budget):
                raise Refused(TOO_DEAR, "the question costs more than the budget") from None
            if error.of_caller:
                raise Refused(SHARE_SPENT, "the caller's share of the budget is spent") from None
            raise Refused(SPENT, "the budget of the tier is spent") from None
        except LedgerError as error:
            raise Problem.mismatch("the ledger", "a writable file", str(error), 503) from error

    def size(self, share: float = 1.0) -> int | None:
        """Return the public size of the node or of a part of it.

        Args:
            share: Public share of the people who belong to the part.

        Returns:
            A rounded number, or None below the threshold.
        """
        people = round(self.facts.people * share)
        if people < self.protection.threshold:
            return None
        return self.mechanism.rounded(people)


def _until_multiple(started: float) -> float:
    """Return the seconds until the time since the start is a multiple of the step.

    Counting takes longer where more people match. The wait blocks this process, so that neither the
    caller nor others see how long it took. The budget bounds how often it happens.
    """
    taken = time.perf_counter() - started
    return math.ceil(taken / TIME_STEP_S) * TIME_STEP_S - taken


def question_key(release: str, tier: str, text: str) -> bytes:
    """Build the key of a question, from which its noise is drawn and by which it is paid.

    Args:
        release: The data release. Another release has fresh noise.
        tier: The tier.
        text: The canonical question.

    Returns:
        32 bytes.
    """
    digest = hashlib.sha256()
    for part in (release, tier, text):
        data = part.encode()
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()
