"""Decides for one node who may ask what, from tokens, visas, its own rules and consent."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from rehearsal.node.access import consent
from rehearsal.node.access.audit_log import FILE_NAME, AuditLog
from rehearsal.node.access.rights import NOT_BELIEVED, Admission, Rights
from rehearsal.node.access.settings import (
    DATASETS_URL,
    GRANULARITIES,
    TIERS,
    AccessSettings,
    DatasetAccess,
    Tier,
    Veto,
)
from rehearsal.node.access.tokens import Caller, Fetch, TokenRefused, Verifier, linked_identities
from rehearsal.node.privacy.protected_answers import Protector
from rehearsal.node.privacy.protection import (
    BUDGET_FILE,
    SHARES_FILE,
    TERM_BUDGET_FILE,
    UNPROTECTED,
    Budget,
    Guard,
    PublicShares,
    secret_key,
)
from rehearsal.web.problem import Problem

if TYPE_CHECKING:
    from rehearsal.node.beacon.datasets import Holdings

PUBLIC_USER = "public"  # everybody without a token shares one budget
KEPT = 1024  # rights that were worked out
# who may assert what, by ``by`` (GA4GH Passport 1.2): role and place only who employs one, or its
# records; that one is a researcher a peer too. What people say of themselves counts for neither.
EMPLOYED_BY = ("so", "system")
VOUCHED_FOR_BY = ("so", "system", "peer")
COUNTRY_OF = {"UK": "GB", "EL": "GR"}  # top-level domains that are no ISO code


@dataclass(frozen=True, slots=True)
class _Gains:
    """What the visas of a caller give, whatever they are asked for."""

    registered: bool = False
    grants: Mapping[str, str] = field(default_factory=dict)  # value: source
    roles: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()


class Gate:
    """Decides for one node. ``audit`` None writes no log; ``folder`` None keeps nothing on disk.

    ``state``: the folder of what the node writes while it serves, or None.
    """

    def __init__(
        self,
        holdings: Holdings,
        folder: Path | None = None,
        audit: AuditLog | None = None,
        fetch: Fetch | None = None,
        clock: Callable[[], float] | None = None,
    ) -> None:
        """Raises InputError for keys or a secret that cannot be used."""
        settings = holdings.settings
        self._access: AccessSettings = settings.access
        self._people = holdings.people
        self._datasets = tuple(one.id for one in holdings.datasets)
        self.audit = audit
        extra = {} if clock is None else {"clock": clock}
        self._verifier = Verifier(
            self._access.issuers,
            self._access.audience or (settings.beacon_id,),
            folder,
            self._access.require_audience,
            self._access.max_token_age_s,
            fetch,
            **extra,
        )
        state = self.state = _state(self._access, folder)
        self.secret = bytes(32) if state is None else secret_key(state)
        self._guards = _guards(self._access, holdings, state, self.secret)
        self._shares = _shares(folder)
        self._kept: OrderedDict[tuple[bytes, str], Rights] = OrderedDict()

    @classmethod
    def open(cls, holdings: Holdings, folder: Path) -> Gate:
        """The gate of a served folder, with its audit log. Raises InputError."""
        state = _state(holdings.settings.access, folder) or folder
        return cls(holdings, folder, AuditLog(state / FILE_NAME))

    async def admit(self, authorization: list[bytes], purpose: list[bytes]) -> Admission:
        """What these headers give. Never raises for what a caller sends."""
        try:
            caller = await self._caller(authorization)
        except TokenRefused as refusal:
            return Admission(None, Problem(NOT_BELIEVED, 401), f"token: {refusal.rule}")
        try:
            stated = consent.read_purpose(_one_text(purpose))
        except Problem as problem:
            return Admission(None, problem, "purpose: malformed", caller)
        try:
            return Admission(self._rights(caller, stated))
        except Problem as problem:
            return Admission(None, problem, "purpose: not for a caller without the role", caller)

    async def _caller(self, authorization: list[bytes]) -> Caller | None:
        if not authorization:
            return None
        if len(authorization) > 1:
            raise TokenRefused("two tokens")
        scheme, _, token = authorization[0].decode("latin-1").partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or not token.isascii():
            raise TokenRefused("no bearer token")
        return self._verifier.cached(token) or await self._verifier.verify(token)

    def _rights(self, caller: Caller | None, purpose: consent.Purpose | None) -> Rights:
        if purpose is None:
            purpose = consent.read_purpose(self._access.purpose)
        key = (b"" if caller is None else caller.digest, str(purpose))
        known = self._kept.get(key)
        # a token that is verified anew is another caller: rights must not outlive its visas
        if known is None or known.caller is not caller:
            known = self._kept[key] = self._worked_out(caller, purpose)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return known

    def standing(self, caller: Caller, purpose: consent.Purpose | None) -> Rights:
        """The rights that a caller who was verified earlier has now, for a purpose stated then.

        Visas of issuers that the node does not believe any more do not count. Raises Problem
        where the caller's own is such, and where the purpose is not for the caller. Whether visas
        have expired is for who keeps them to see.
        """
        believed = {one.issuer: one.visas for one in self._access.issuers}
        if caller.issuer not in believed:
            raise Problem(NOT_BELIEVED, 401)
        visas = tuple(one for one in caller.visas if one.type in believed.get(one.issuer, ()))
        return self._worked_out(replace(caller, visas=visas), purpose)

    def _worked_out(self, caller: Caller | None, purpose: consent.Purpose | None) -> Rights:
        gains = _Gains() if caller is None else _gains(caller, self._access)
        tiers: dict[str, Tier] = {}
        rules, finest, protectors = {}, {}, {}
        user = PUBLIC_USER if caller is None else f"{caller.issuer} {caller.subject}"
        for dataset in self._datasets:
            needed = self._access.datasets.get(dataset, DatasetAccess())
            tier, rule = self._tier(dataset, needed, caller, gains, purpose)
            tiers[dataset], rules[dataset] = tier, rule
            given = [one for one in GRANULARITIES if _reaches(tier, getattr(needed, one))]
            if given:
                finest[dataset] = given[-1]
            if tier in self._guards:
                protectors[dataset] = Protector(self._guards[tier], user, self._shares)
        excluded = self._people.not_permitting(purpose, self._access.without_consent == "exclude")
        permitted = self._people.everyone - excluded if excluded else None
        rights = Rights(
            caller,
            purpose,
            tiers,
            rules,
            finest,
            protectors,
            excluded,
            permitted,
            gains.roles,
            gains.countries,
        )
        roles = self._access.roles.get(purpose.term) if purpose else None
        if roles is not None and not gains.roles.intersection(roles):
            raise rights.refusal()
        return rights

    def _tier(
        self,
        dataset: str,
        needed: DatasetAccess,
        caller: Caller | None,
        gains: _Gains,
        purpose: consent.Purpose | None,
    ) -> tuple[Tier, str]:
        """The caller's tier at a dataset and the rule that gives it."""
        if caller is None:
            return "public", "no token"
        for veto in self._access.vetoes:
            if _applies(veto, dataset, caller, gains, purpose):
                return "public", f"veto: {veto.name}"
        for value in (f"{DATASETS_URL}{dataset}", *needed.grants):
            if value in gains.grants:
                return "controlled", f"ControlledAccessGrants of {gains.grants[value]}"
        if gains.registered:
            return "registered", "ResearcherStatus and AcceptedTermsAndPolicies"
        return "public", "no visa"


def _state(settings: AccessSettings, folder: Path | None) -> Path | None:
    """Where the node keeps what it writes while it serves."""
    return folder if settings.state is None else (folder or Path()) / settings.state


def _guards(
    settings: AccessSettings, holdings: Holdings, state: Path | None, key: bytes
) -> dict[Tier, Guard]:
    """How each tier's answers are protected; tiers that are told exactly are left out."""
    protections = {tier: settings.protection_of(tier) for tier in TIERS}
    protected = {tier: one for tier, one in protections.items() if one != UNPROTECTED}
    if not protected:
        return {}
    people = holdings.variants.individuals
    budgets = [
        Budget(people, None if state is None else state / name)
        for name in (BUDGET_FILE, TERM_BUDGET_FILE)
    ]
    return {tier: Guard(key, len(people), one, *budgets) for tier, one in protected.items()}


def _shares(folder: Path | None) -> PublicShares | None:
    """How frequent alleles are elsewhere, where the folder tells; without, each costs most."""
    path = None if folder is None else folder / SHARES_FILE
    return PublicShares.open(path) if path is not None and path.exists() else None


def _reaches(tier: Tier, needed: Tier) -> bool:
    return TIERS.index(tier) >= TIERS.index(needed)


def _gains(caller: Caller, settings: AccessSettings) -> _Gains:
    """Registered access takes a bona fide researcher who accepted the terms, as published in
    "Registered access: authorizing data access" (Dyke et al., Eur J Hum Genet 2018)."""
    researcher = any(
        visa.value in settings.researcher_status and visa.by in VOUCHED_FOR_BY
        for visa in caller.values("ResearcherStatus")
    )
    accepted = any(
        visa.value in settings.terms for visa in caller.values("AcceptedTermsAndPolicies")
    )
    places = [
        visa.value.partition("@")
        for visa in caller.values("AffiliationAndRole")
        if visa.by in EMPLOYED_BY
    ]
    domains = {domain.rpartition(".")[2].upper() for _, _, domain in places}
    return _Gains(
        researcher and accepted,
        {v.value: v.source for v in caller.values("ControlledAccessGrants") if v.by == "dac"},
        frozenset(role for role, _, _ in places),
        frozenset(COUNTRY_OF.get(name, name) for name in domains if len(name) == 2),
    )


def _applies(
    veto: Veto, dataset: str, caller: Caller, gains: _Gains, purpose: consent.Purpose | None
) -> bool:
    """Whether a veto is meant: of any identity that is linked to the caller, and whoever issued or
    asserted any of the visas. A country that nobody vouches for may be the one meant."""
    identities = linked_identities((caller.issuer, caller.subject), caller.visas)
    issuers = {issuer for issuer, _ in identities} | {visa.issuer for visa in caller.visas}
    issuers |= {visa.source for visa in caller.visas}
    return (
        veto.dataset in (None, dataset)
        and (veto.issuer is None or veto.issuer in issuers)
        and (veto.subject is None or veto.subject in {subject for _, subject in identities})
        and (veto.country is None or not gains.countries or veto.country in gains.countries)
        and veto.purpose in (None, purpose.term if purpose else None)
    )


def _one_text(values: list[bytes]) -> str | None:
    if len(values) > 1:
        raise Problem("purpose: stated twice")
    return values[0].decode("latin-1") if values else None
