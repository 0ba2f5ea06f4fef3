"""Visas, the statements of others about a caller, and linked identities (GA4GH Passport 1.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

Identity = tuple[str, str]  # (issuer, subject)

# accepted values of ``by`` of a link: the records of the source ("system", as in the example of
# Passport 1.2) or its signing official ("so"). The person concerned ("self") must not make links:
# they would make everybody's visas one's own. A missing value must count as unknown.
LINK_SOURCES = ("so", "system")


@dataclass(frozen=True, slots=True)
class Visa:
    """One verified statement about a subject."""

    issuer: str
    subject: str
    type: str  # for example ControlledAccessGrants
    value: str
    source: str  # the organisation that made the statement
    by: str | None  # the kind of person at the source: self, peer, system, so, dac
    expires: float  # seconds since 1970


@dataclass(frozen=True, slots=True)
class Caller:
    """The owner of a verified token, with the visas that count."""

    issuer: str
    subject: str
    visas: tuple[Visa, ...]
    expires: float  # of the token or of its first visa; seconds since 1970
    dropped: tuple[str, ...] = ()  # why visas were left out, for the audit log
    digest: bytes = b""  # SHA-256 of the token

    def visas_of_type(self, kind: str) -> Iterable[Visa]:
        """Iterate over the visas of one type.

        Args:
            kind: The visa type, for example ``ResearcherStatus``.
        """
        return (visa for visa in self.visas if visa.type == kind)


def linked_identities(own: Identity, visas: Iterable[Visa]) -> set[Identity]:
    """Find the identities whose visas are one's own, by links of trustworthy sources.

    Args:
        own: The caller's issuer and subject.
        visas: The caller's verified visas.

    Returns:
        The identities, including ``own``.
    """
    return claimed_identities(own, (visa for visa in visas if visa.by in LINK_SOURCES))


def claimed_identities(own: Identity, visas: Iterable[Visa]) -> set[Identity]:
    """Find all identities that LinkedIdentities visas link to one's own, directly or indirectly.

    A link by whatever source counts here, so that nobody escapes a veto by weak links. The value of
    such a visa is ``sub,iss;sub,iss``, each part percent-encoded.

    Args:
        own: The caller's issuer and subject.
        visas: The caller's verified visas.

    Returns:
        The identities, including ``own``.
    """
    groups = []
    for visa in visas:
        if visa.type == "LinkedIdentities":
            pairs = (item.split(",") for item in visa.value.split(";"))
            named = {(unquote(parts[1]), unquote(parts[0])) for parts in pairs if len(parts) == 2}
            groups.append(named | {(visa.issuer, visa.subject)})
    linked = {own}
    growing = True
    while growing:
        joined = set().union(linked, *(group for group in groups if group & linked))
        growing, linked = len(joined) > len(linked), joined
    return linked
