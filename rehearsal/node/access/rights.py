"""What one caller may see: decided once per request, before any data are read."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from pyroaring import BitMap

from rehearsal.model import GRANULARITIES, Granularity, Tier
from rehearsal.node.access.consent import Purpose
from rehearsal.node.access.visas import Caller
from rehearsal.node.access.withdrawals import Withdrawn
from rehearsal.node.privacy.door import Door
from rehearsal.web.problem import Problem
from rehearsal.web.rate_limit import address_of

if TYPE_CHECKING:
    from starlette.requests import Request

SCOPE_KEY = "rehearsal.access_decision"

# one wording for all refusals of a kind: the cause is in the audit log only
TOKEN_REFUSED = "The token is not accepted here."
NO_TOKEN = "This request requires a token."
NO_RIGHT = "The token does not give access to this."
NO_CHOICE = (
    "These filters need a token with a grant for the dataset of people; without one, use at most a "
    "sex and one exact term."
)


@dataclass(frozen=True)
class Rights:
    """What one caller may see for one purpose."""

    caller: Caller | None  # None without a token
    purpose: Purpose | None
    tiers: Mapping[str, Tier]  # the caller's tier, by dataset
    rules: Mapping[str, str]  # the rule that gave the tier, by dataset
    finest: Mapping[str, Granularity]  # by dataset; a missing dataset is invisible to the caller
    doors: Mapping[str, Door]  # by dataset; answers of a missing dataset are exact
    excluded: BitMap  # numbers of the people left out of every answer
    permitted: BitMap | None  # the other people; None when nobody is excluded
    permitted_share: float | None  # public share of people who permit the purpose; None: not known
    roles: frozenset[str] = frozenset()  # asserted by the caller's employers
    countries: frozenset[str] = frozenset()  # of the caller's employers

    @cached_property
    def log_entry(self) -> dict[str, Any]:
        """What the audit log records about a request with these rights."""
        return {
            **caller_log_entry(self.caller),
            "purpose": None if self.purpose is None else str(self.purpose),
            "rules": {
                dataset: f"{self.finest.get(dataset, 'nothing')}: {rule}"
                for dataset, rule in self.rules.items()
            },
        }

    def granted(self, dataset: str, wanted: Granularity) -> Granularity:
        """Return the granularity of a dataset's answer: as wanted, or the finest allowed.

        Args:
            dataset: A dataset that the caller sees.
            wanted: The granularity asked for.

        Returns:
            The coarser of the two.
        """
        return min(wanted, self.finest[dataset], key=GRANULARITIES.index)

    def granted_anywhere(self, wanted: Granularity) -> Granularity:
        """Return the granularity of an answer that comes from no dataset.

        Args:
            wanted: The granularity asked for.

        Returns:
            The coarser of ``wanted`` and the finest granularity of any dataset.
        """
        finest: Granularity = max(
            self.finest.values(), key=GRANULARITIES.index, default=GRANULARITIES[0]
        )
        return min(wanted, finest, key=GRANULARITIES.index)

    def sees(self, dataset: str) -> bool:
        """Tell whether a dataset is visible to the caller.

        Args:
            dataset: Dataset identifier.
        """
        return dataset in self.finest

    def exact(self, dataset: str, wanted: Granularity) -> bool:
        """Tell whether the caller gets a dataset's answer without privacy protection.

        Args:
            dataset: A dataset that the caller sees.
            wanted: The granularity asked for.
        """
        given = self.granted(dataset, wanted)
        return given == "record" or dataset not in self.doors

    @cached_property
    def is_protected(self) -> bool:
        """Whether the caller gets no exact answer from any dataset.

        Such answers come from public facts, or from noisy numbers that stay as they are when
        somebody withdraws consent. They leave whoever withdraws meanwhile: a caller who noticed the
        moment of a withdrawal would learn that somebody in the data withdrew then.
        """
        return not any(self.exact(one, "record") for one in self.finest)

    def covers(self, earlier: Rights) -> bool:
        """Tell whether everything that earlier rights of the same caller gave is still given.

        Args:
            earlier: The earlier rights.
        """
        index = GRANULARITIES.index
        return (
            all(
                one in self.finest and index(self.finest[one]) >= index(finest)
                for one, finest in earlier.finest.items()
            )
            and all(earlier.doors.get(one) is door for one, door in self.doors.items())
            and (earlier.is_protected or self.excluded <= earlier.excluded)
            and self.roles >= earlier.roles
            and self.countries >= earlier.countries
        )

    def refusal_of_filters(self) -> Problem:
        """Build the refusal for filters that no requested dataset allows this caller to use.

        It depends on the rights alone, not on the people at the node.
        """
        return Problem(
            NO_CHOICE, 401 if self.caller is None else 403, cause="filters that are not allowed"
        )

    def refusal(self) -> Problem:
        """Build the refusal for a caller whose rights do not suffice: 401 or 403."""
        if self.caller is None:
            return Problem(NO_TOKEN, 401, cause="no token")
        return Problem(NO_RIGHT, 403, cause="no right")

    def require_records(self, datasets: Iterable[str]) -> None:
        """Check that at least one dataset gives records.

        Called before a person or a file is looked up, so that neither the refusal nor its timing
        depends on the data.

        Args:
            datasets: Dataset identifiers.

        Raises:
            Problem: None of them gives records (401 without a token, 403 with one).
        """
        if not any(self.finest.get(one) == "record" for one in datasets):
            raise self.refusal()

    def require_exact_counts(self, dataset: str) -> None:
        """Check that a dataset gives exact counts. Called before anything is looked up.

        Args:
            dataset: Dataset identifier.

        Raises:
            Problem: It does not give them (401 without a token, 403 with one).
        """
        counted = self.sees(dataset) and self.granted(dataset, "count") == "count"
        if not counted or not self.exact(dataset, "count"):
            raise self.refusal()


def caller_log_entry(caller: Caller | None) -> dict[str, Any]:
    """Describe a caller for the audit log.

    Args:
        caller: The caller, or None without a token.

    Returns:
        Issuer and subject, and the rules by which visas were dropped.
    """
    if caller is None:
        return {"subject": None}
    entry: dict[str, Any] = {"issuer": caller.issuer, "subject": caller.subject}
    return {**entry, "dropped": caller.dropped} if caller.dropped else entry


@dataclass(frozen=True, slots=True)
class RulesInForce:
    """What the decisions of one moment rest on. Any change makes another object."""

    withdrawn: Withdrawn


class Decider(Protocol):
    """What an earlier decision is compared with."""

    def rules_in_force(self) -> RulesInForce:
        """Return the present rules, after a look for changes if the last one is a second ago."""
        ...

    def rights_again(self, caller: Caller | None, purpose: Purpose | None) -> Rights:
        """Compute the rights of a caller under the present rules. Raises Problem.

        Args:
            caller: The caller as verified earlier.
            purpose: The purpose stated then, or None.
        """
        ...


@dataclass(slots=True)
class AccessDecision:
    """The decision about one request, and what the audit log records about it.

    A decision that grants rights knows the rules that it rests on, so that an answer leaves only
    while they hold.
    """

    rights: Rights | None  # None when the request is refused whatever it asks for
    problem: Problem | None = None  # the refusal
    rule: str = ""  # the reason of the refusal, for the log only
    caller: Caller | None = None  # the refused caller, when the token was valid
    consulted: bool = False  # whether a handler asked for it; only then it is logged
    stated: Purpose | None = None  # the purpose in the request
    rules: RulesInForce | None = None  # None: they never change
    decider: Decider | None = None

    def renew(self) -> None:
        """Decide again if the rules changed since."""
        rights, decider = self.rights, self.decider
        if rights is None or decider is None or decider.rules_in_force() is self.rules:
            return
        self.rules = decider.rules_in_force()
        try:
            self.rights = decider.rights_again(rights.caller, self.stated)
        except Problem as problem:
            self.rights, self.problem, self.caller = None, problem, rights.caller
            self.rule = "no longer allowed"
            self.decider = None

    def lets_answer_begin(self) -> bool:
        """Tell whether an answer that was made by this decision may leave.

        After a withdrawal no exact answer of before leaves, whoever it is about, so that the
        refusal tells nothing about the person who withdrew.
        """
        before = self.rules
        if not self.lets_answer_go_on():
            return False
        if before is None or self.rules is None or before.withdrawn is self.rules.withdrawn:
            return True
        return self.rights is not None and self.rights.is_protected

    def lets_answer_go_on(self) -> bool:
        """Tell whether an answer under way may go on: the present rights cover those it used."""
        rights, decider = self.rights, self.decider
        if rights is None or decider is None or decider.rules_in_force() is self.rules:
            return True
        try:
            present = decider.rights_again(rights.caller, self.stated)
        except Problem:
            return False
        if not present.covers(rights):
            return False
        self.rules = decider.rules_in_force()
        return True


def sender(scope: Any) -> Hashable:
    """Tell who sent a request, for counting requests.

    Args:
        scope: The ASGI scope, after :class:`~rehearsal.node.access.middleware.AccessMiddleware`.

    Returns:
        Issuer and subject of a verified token, or else the address.
    """
    decision: AccessDecision = scope[SCOPE_KEY]
    caller = decision.caller if decision.rights is None else decision.rights.caller
    return address_of(scope) if caller is None else (caller.issuer, caller.subject)


def caller_name(rights: Rights, request: Request) -> str:
    """Name who spends the privacy budget: the verified caller, else the address.

    Args:
        rights: The caller's rights.
        request: The request.

    Returns:
        Issuer and subject, or the client's address, which of IPv6 is that of its network.
    """
    if rights.caller is not None:
        return f"{rights.caller.issuer} {rights.caller.subject}"
    return address_of(request.scope)


def caller_rights(request: Request) -> Rights:
    """Return the rights of a request's sender, as they are now.

    Args:
        request: The request, after :class:`~rehearsal.node.access.middleware.AccessMiddleware`.

    Returns:
        What the caller may see.

    Raises:
        Problem: The token is invalid (401) or the stated purpose is refused, whatever is requested.
    """
    decision: AccessDecision = request.scope[SCOPE_KEY]
    decision.consulted = True
    decision.renew()
    if decision.rights is None:
        raise decision.problem or Problem(TOKEN_REFUSED, 401)
    return decision.rights
