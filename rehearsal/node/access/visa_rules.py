"""What a caller's visas give at one node: registered access, grants, roles, until a veto."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rehearsal.model import Tier
from rehearsal.node.access.consent import Purpose
from rehearsal.node.access.settings import (
    DATASETS_URL,
    AccessSettings,
    DatasetAccess,
    Veto,
)
from rehearsal.node.access.visas import Caller, Visa, linked_identities

# who may assert what, by ``by`` (GA4GH Passport 1.2): role and place only who employs one, or its
# records; that one is a researcher a peer too. What people say of themselves counts for neither.
EMPLOYED_BY = ("so", "system")
VOUCHED_FOR_BY = ("so", "system", "peer")
COUNTRY_OF = {"UK": "GB", "EL": "GR"}  # top-level domains that are no ISO code


@dataclass(frozen=True, slots=True)
class GrantedAccess:
    """What the visas of a caller give, whatever they are asked for.

    ``grants``: values of ControlledAccessGrants, each with its source. ``roles``, ``countries``:
    what the caller's employers vouch for.
    """

    registered: bool = False
    grants: Mapping[str, str] = field(default_factory=dict)
    roles: frozenset[str] = frozenset()
    countries: frozenset[str] = frozenset()


def granted_access(caller: Caller | None, settings: AccessSettings) -> GrantedAccess:
    """What the node's settings take the visas of a caller for; nothing without a token."""
    if caller is None:
        return GrantedAccess()
    affiliations = [
        visa.value.partition("@")
        for visa in caller.visas_of_type("AffiliationAndRole")
        if visa.by in EMPLOYED_BY
    ]
    return GrantedAccess(
        _is_registered(caller, settings),
        {visa.value: visa.source for visa in _grants(caller)},
        frozenset(role for role, _, _ in affiliations),
        _countries(domain for _, _, domain in affiliations),
    )


def _is_registered(caller: Caller, settings: AccessSettings) -> bool:
    """Registered access takes a bona fide researcher who accepted the terms, as published in
    "Registered access: authorizing data access" (Dyke et al., Eur J Hum Genet 2018)."""
    researcher = any(
        visa.value in settings.researcher_status and visa.by in VOUCHED_FOR_BY
        for visa in caller.visas_of_type("ResearcherStatus")
    )
    accepted = any(
        visa.value in settings.terms for visa in caller.visas_of_type("AcceptedTermsAndPolicies")
    )
    return researcher and accepted


def _grants(caller: Caller) -> Iterator[Visa]:
    """Grants of data access committees."""
    return (visa for visa in caller.visas_of_type("ControlledAccessGrants") if visa.by == "dac")


def _countries(domains: Iterator[str]) -> frozenset[str]:
    """Countries by the top-level domains of employers."""
    names = {domain.rpartition(".")[2].upper() for domain in domains}
    return frozenset(COUNTRY_OF.get(name, name) for name in names if len(name) == 2)


def tier_of(
    dataset: str,
    settings: AccessSettings,
    caller: Caller | None,
    granted: GrantedAccess,
    purpose: Purpose | None,
) -> tuple[Tier, str]:
    """The caller's tier at a dataset and, for the audit log, the rule that gives it."""
    if caller is None:
        return "public", "no token"
    for veto in settings.vetoes:
        if _applies(veto, dataset, caller, granted, purpose):
            return "public", f"veto: {veto.name}"
    needed = settings.datasets.get(dataset, DatasetAccess())
    for value in (f"{DATASETS_URL}{dataset}", *needed.grants):
        if value in granted.grants:
            return "controlled", f"ControlledAccessGrants of {granted.grants[value]}"
    if granted.registered:
        return "registered", "ResearcherStatus and AcceptedTermsAndPolicies"
    return "public", "no visa"


def _applies(
    veto: Veto, dataset: str, caller: Caller, granted: GrantedAccess, purpose: Purpose | None
) -> bool:
    """Whether a veto is meant. A country that nobody vouches for may be the one meant."""
    term = purpose.term if purpose else None
    return (
        veto.dataset in (None, dataset)
        and veto.purpose in (None, term)
        and (veto.country is None or not granted.countries or veto.country in granted.countries)
        and _is_about(veto, caller)
    )


def _is_about(veto: Veto, caller: Caller) -> bool:
    """Whether a veto's issuer and subject are the caller's: of any identity that is linked to the
    caller, and whoever issued or asserted any of the visas."""
    identities = linked_identities((caller.issuer, caller.subject), caller.visas)
    subjects = {subject for _, subject in identities}
    issuers = {issuer for issuer, _ in identities}
    issuers |= {name for visa in caller.visas for name in (visa.issuer, visa.source)}
    return veto.issuer in (None, *issuers) and veto.subject in (None, *subjects)
