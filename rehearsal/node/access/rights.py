"""What one caller may see: found out once for every request, before anything is looked up."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pyroaring import BitMap

from rehearsal.model import GRANULARITIES, Granularity, Tier
from rehearsal.node.access.consent import Purpose
from rehearsal.node.access.visas import Caller
from rehearsal.node.privacy.protected_answers import Protector
from rehearsal.web.problem import Problem

if TYPE_CHECKING:
    from starlette.requests import Request

SCOPE_KEY = "rehearsal.access_decision"

# one wording for all refusals of a kind: the audit log knows why, the caller need not
NOT_BELIEVED = "the token is not accepted here"
NO_TOKEN = "this needs a token"
NO_RIGHT = "the token gives no right to this"
NO_CHOICE = "filters: no right to choose people so here; at most a sex and one exact term"


@dataclass(frozen=True)
class Rights:
    """What one caller may see for one purpose.

    ``finest``: by dataset, the finest granularity; a dataset that is not in it is as if it were
    not here. ``protectors``: by dataset, how answers are protected; those of a dataset that is not
    in it are exact. ``excluded``: numbers of the people who are in no answer; ``permitted``: the
    others, or None where nobody is excluded. ``tiers``, ``rules``: by dataset, the caller's tier
    and what gave it. ``roles``, ``countries``: what the caller's employers vouch for.
    """

    caller: Caller | None
    purpose: Purpose | None
    tiers: Mapping[str, Tier]
    rules: Mapping[str, str]
    finest: Mapping[str, Granularity]
    protectors: Mapping[str, Protector]
    excluded: BitMap
    permitted: BitMap | None
    roles: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()

    @cached_property
    def log_entry(self) -> dict[str, Any]:
        """What the audit log says of whoever has these rights."""
        return {
            **caller_log_entry(self.caller),
            "purpose": None if self.purpose is None else str(self.purpose),
            "rules": {
                dataset: f"{self.finest.get(dataset, 'nothing')}: {rule}"
                for dataset, rule in self.rules.items()
            },
        }

    def granted(self, dataset: str, wanted: Granularity) -> Granularity:
        """The wanted granularity, or the finest that this dataset gives."""
        return min(wanted, self.finest[dataset], key=GRANULARITIES.index)

    def granted_anywhere(self, wanted: Granularity) -> Granularity:
        """The same of whichever dataset gives most: for answers that come from none."""
        finest: Granularity = max(
            self.finest.values(), key=GRANULARITIES.index, default=GRANULARITIES[0]
        )
        return min(wanted, finest, key=GRANULARITIES.index)

    def sees(self, dataset: str) -> bool:
        """Whether the dataset is there for the caller at all."""
        return dataset in self.finest

    def exact(self, dataset: str, wanted: Granularity) -> bool:
        """Whether the dataset would tell the caller this as it is: nothing protects it."""
        given = self.granted(dataset, wanted)
        return given == "record" or dataset not in self.protectors

    def refusal_of_filters(self) -> Problem:
        """What is said where no dataset that is asked lets the caller choose people by these
        filters: of the rights alone, not of who is here."""
        return Problem(NO_CHOICE, 401 if self.caller is None else 403)

    def refusal(self) -> Problem:
        """What is said to a caller whose rights do not suffice."""
        if self.caller is None:
            return Problem(NO_TOKEN, 401)
        return Problem(NO_RIGHT, 403)

    def require_records(self, datasets: Iterable[str]) -> None:
        """Raises Problem (401 or 403) unless one of the datasets gives records.

        Asked before a person or a file is looked for: who has no right learns nothing from the
        answer, nor from how long it takes.
        """
        if not any(self.finest.get(one) == "record" for one in datasets):
            raise self.refusal()


def caller_log_entry(caller: Caller | None) -> dict[str, Any]:
    """What the audit log says of a caller."""
    if caller is None:
        return {"subject": None}
    entry: dict[str, Any] = {"issuer": caller.issuer, "subject": caller.subject}
    return {**entry, "dropped": caller.dropped} if caller.dropped else entry


@dataclass(slots=True)
class AccessDecision:
    """What was found out about one request, and what goes into the audit log about it.

    ``problem``: why it is refused whatever it asks; ``rule``: the same for the log; ``caller``:
    who is refused, once a token is believed. ``consulted``: whether a handler wanted to know: only
    then there is a decision.
    """

    rights: Rights | None
    problem: Problem | None = None
    rule: str = ""
    caller: Caller | None = None
    consulted: bool = False


def caller_rights(request: Request) -> Rights:
    """The rights of whoever sent the request. Raises Problem for a token that is not
    believed, whatever is asked; then nobody looks further."""
    decision: AccessDecision = request.scope[SCOPE_KEY]
    decision.consulted = True
    if decision.rights is None:
        raise decision.problem or Problem(NOT_BELIEVED, 401)
    return decision.rights
