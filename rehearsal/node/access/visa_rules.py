"""The access that a caller's visas give at one node: registered access, grants, roles, vetoes."""

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
from rehearsal.node.access.visas import Caller, Visa, claimed_identities

# accepted values of a visa's ``by`` (GA4GH Passport 1.2). An affiliation counts when asserted by
# the employer ("so", signing official) or its records ("system"), researcher status also when
# asserted by a peer. Self-asserted visas never count.
AFFILIATION_SOURCES = ("so", "system")
RESEARCHER_SOURCES = ("so", "system", "peer")
COUNTRY_OF = {"UK": "GB", "EL": "GR"}  # top-level domains that differ from the ISO code


@dataclass(frozen=True, slots=True)
class GrantedAccess:
    """The access that a caller's visas give, independent of the request."""

    registered: bool = False
    grants: Mapping[str, str] = field(default_factory=dict)  # ControlledAccessGrants: source
    roles: frozenset[str] = frozenset()  # asserted by the caller's employers
    countries: frozenset[str] = frozenset()  # of the caller's employers


def granted_access(caller: Caller | None, settings: AccessSettings) -> GrantedAccess:
    """Evaluate a caller's visas by the node's settings.

    Args:
        caller: The verified caller. None, a caller without a token, has no access.
        settings: The node's access settings.

    Returns:
        What the visas give.
    """
    if caller is None:
        return GrantedAccess()
    affiliations = [
        visa.value.partition("@")
        for visa in caller.visas_of_type("AffiliationAndRole")
        if visa.by in AFFILIATION_SOURCES
    ]
    return GrantedAccess(
        _is_registered(caller, settings),
        {visa.value: visa.source for visa in _grants(caller)},
        frozenset(role for role, _, _ in affiliations),
        _countries(domain for _, _, domain in affiliations),
    )


def _is_registered(caller: Caller, settings: AccessSettings) -> bool:
    """Tell whether a caller has registered access.

    It requires a bona fide researcher who accepted the terms, as published in "Registered access:
    authorizing data access" (Dyke et al., Eur J Hum Genet 2018).
    """
    researcher = any(
        visa.value in settings.researcher_status and visa.by in RESEARCHER_SOURCES
        for visa in caller.visas_of_type("ResearcherStatus")
    )
    accepted = any(
        visa.value in settings.terms for visa in caller.visas_of_type("AcceptedTermsAndPolicies")
    )
    return researcher and accepted


def _grants(caller: Caller) -> Iterator[Visa]:
    """Yield the grants asserted by data access committees."""
    return (visa for visa in caller.visas_of_type("ControlledAccessGrants") if visa.by == "dac")


def _countries(domains: Iterator[str]) -> frozenset[str]:
    """Derive countries from the top-level domains of employers."""
    names = {domain.rpartition(".")[2].upper() for domain in domains}
    return frozenset(COUNTRY_OF.get(name, name) for name in names if len(name) == 2)


def tier_of(
    dataset: str,
    settings: AccessSettings,
    caller: Caller | None,
    granted: GrantedAccess,
    purpose: Purpose | None,
) -> tuple[Tier, str]:
    """Determine the caller's tier at a dataset.

    Args:
        dataset: Dataset identifier.
        settings: The node's access settings.
        caller: The verified caller, or None without a token.
        granted: What the caller's visas give.
        purpose: The stated purpose, or None.

    Returns:
        The tier, and the rule that gives it, for the audit log.
    """
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
    """Tell whether a veto applies. A caller of unknown country may be of the vetoed one."""
    term = purpose.term if purpose else None
    return (
        veto.dataset in (None, dataset)
        and veto.purpose in (None, term)
        and (veto.country is None or not granted.countries or veto.country in granted.countries)
        and _is_about(veto, caller)
    )


def _is_about(veto: Veto, caller: Caller) -> bool:
    """Tell whether a veto's issuer and subject match the caller.

    All identities that the caller claims count, and all issuers and sources of the caller's visas.
    """
    identities = claimed_identities((caller.issuer, caller.subject), caller.visas)
    subjects = {subject for _, subject in identities}
    issuers = {issuer for issuer, _ in identities}
    issuers |= {name for visa in caller.visas for name in (visa.issuer, visa.source)}
    return veto.issuer in (None, *issuers) and veto.subject in (None, *subjects)
