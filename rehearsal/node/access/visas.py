"""Visas, and whose they are: what others have stated about a caller (GA4GH Passport 1.2)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote

Identity = tuple[str, str]  # issuer, subject


@dataclass(frozen=True, slots=True)
class Visa:
    """One verified statement about somebody."""

    issuer: str
    subject: str
    type: str
    value: str
    source: str
    by: str | None
    expires: float


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a token belongs to, the visas that count, and until when that is so.

    ``expires``: seconds since 1970. ``dropped``: rules by which visas were left out, for the audit
    log. ``digest``: of the token.
    """

    issuer: str
    subject: str
    visas: tuple[Visa, ...]
    expires: float
    dropped: tuple[str, ...] = ()
    digest: bytes = b""

    def visas_of_type(self, kind: str) -> Iterable[Visa]:
        return (visa for visa in self.visas if visa.type == kind)


def linked_identities(own: Identity, visas: Iterable[Visa]) -> set[Identity]:
    """All identities that LinkedIdentities visas tie to one's own, directly or over others.

    The value of such a visa: ``sub,iss;sub,iss``, each part percent-encoded.
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
