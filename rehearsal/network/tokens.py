"""Passports and visas for invented people, signed by the issuer of a run."""

from __future__ import annotations

import json
import re
import secrets
import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from rehearsal.errors import InputError, shown
from rehearsal.files import write_json
from rehearsal.network.issuer import (
    ALGORITHMS,
    AUDIENCE,
    CENTRAL_COMMITTEE,
    SUBJECTS,
    URL,
    Issuer,
    open_issuer,
)
from rehearsal.node.access.settings import DATASETS_URL, REGISTERED_ACCESS, VISA_TYPES
from rehearsal.node.access.token_format import MAX_TOKEN, PASSPORT, PASSPORT_TYPE, VISA

SUBJECT = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")
HOUR_S = 3600
Role = Literal["researcher", "clinician", "committee"]


@dataclass(frozen=True, slots=True)
class VisaObject:
    """The content of one visa (GA4GH Passport 1.2). Our nodes accept none with ``conditions``."""

    type: str
    value: str
    source: str  # URL of the organisation that asserts it
    by: str  # role in that organisation: so, dac, system or self
    asserted: int  # seconds since the epoch
    conditions: tuple[Any, ...] = ()


@dataclass(frozen=True, slots=True)
class Person:
    """A person known to the issuer.

    Args:
        subject: The subject of their tokens.
        visas: What their visas state.
    """

    subject: str
    visas: tuple[VisaObject, ...] = ()


@dataclass(frozen=True, slots=True)
class Tokens:
    """The tokens of one person.

    Args:
        access: An access token, which never carries visas.
        passport: The signed visas.
    """

    access: str
    passport: str


def create_person(
    role: Role, country: str, grants: Sequence[str] = (), issuer: str = URL, name: str = ""
) -> Person:
    """Create a researcher, clinician or committee member of a country.

    Researchers and clinicians are bona fide and have accepted the terms. A committee member decides
    on access and has none.

    Args:
        role: The role.
        country: Country code.
        grants: Datasets, or their URLs, that a committee has granted.
        issuer: URL of the issuer.
        name: Subject; ``{role}-{country}`` when empty.

    Returns:
        The person.
    """
    place = country.lower()
    home = {"researcher": "university", "clinician": "hospital", "committee": "dac"}[role]
    source, now = f"https://{home}.example.{place}", int(time.time())
    visas = [VisaObject("AffiliationAndRole", f"{role}@{home}.example.{place}", source, "so", now)]
    if role != "committee":
        visas += [
            VisaObject("ResearcherStatus", REGISTERED_ACCESS, source, "so", now),
            VisaObject("AcceptedTermsAndPolicies", REGISTERED_ACCESS, issuer, "self", now),
        ]
    visas += [
        VisaObject("ControlledAccessGrants", dataset_url(one), f"{issuer}/dac", "dac", now)
        for one in grants
    ]
    return Person(name or f"{role}-{place}", tuple(visas))


def tokens_by_tier(folder: Path, country: str, lifetime_s: int = HOUR_S) -> dict[str, str]:
    """Issue passports by access tier for a researcher of a country.

    Anonymous users need none. Controlled access rests on the central committee's grant.

    Args:
        folder: Folder of the issuer.
        country: Country code.
        lifetime_s: Lifetime of the passports, in seconds.

    Returns:
        Passports by tier: "registered" and "controlled".
    """
    issuer = open_issuer(folder)
    known = create_person(
        "researcher", country, issuer=issuer.url, name=f"registered-{country.lower()}"
    )
    granted = create_person("researcher", country, [CENTRAL_COMMITTEE], issuer.url)
    return {
        "registered": sign_tokens(issuer, known, lifetime_s=lifetime_s).passport,
        "controlled": sign_tokens(issuer, granted, lifetime_s=lifetime_s).passport,
    }


def dataset_url(dataset: str) -> str:
    """Return the URL by which a grant names a dataset.

    Args:
        dataset: Id or URL of the dataset.

    Returns:
        The URL.
    """
    return dataset if "://" in dataset else f"{DATASETS_URL}{dataset}"


def linked_identities(mine: tuple[str, str], other: tuple[str, str]) -> VisaObject:
    """Build a LinkedIdentities visa: two identities belong to one person.

    Args:
        mine: Issuer and subject of the visa's holder.
        other: Issuer and subject of the other identity.

    Returns:
        The visa.
    """
    value = f"{quote(other[1], safe='')},{quote(other[0], safe='')}"
    return VisaObject("LinkedIdentities", value, mine[0], "system", int(time.time()))


def oversize(who: Person, passport: str) -> tuple[str, str] | None:
    """Tell that a passport is too long for the header of a request.

    Args:
        who: The person.
        passport: The passport.

    Returns:
        What was expected, and what was found. None: it is short enough.
    """
    if len(passport) <= MAX_TOKEN:
        return None
    expected = f"visas for a passport of at most {MAX_TOKEN} bytes (else use the access token)"
    return expected, f"{len(who.visas)} visas in {len(passport)} bytes"


def sign_tokens(
    issuer: Issuer,
    who: Person,
    audience: str | Iterable[str] = AUDIENCE,
    lifetime_s: int = HOUR_S,
    algorithm: str = "ES256",
    now: float | None = None,
) -> Tokens:
    """Issue tokens for a person, and store the person so that ``/userinfo`` can answer.

    Args:
        issuer: The issuer.
        who: The person.
        audience: Who may accept the tokens.
        lifetime_s: Lifetime, in seconds.
        algorithm: "ES256" or "RS256".
        now: Time of issue, in seconds since the epoch; None for the present.

    Returns:
        The tokens.

    Raises:
        InputError: The subject is not a plain name, or a visa type or the algorithm is unknown.
    """
    if not SUBJECT.fullmatch(who.subject):
        expected = "lower-case letters, digits, '.', '_' and '-'"
        raise InputError("token", "subject", expected, shown(who.subject))
    if unknown := [visa.type for visa in who.visas if visa.type not in VISA_TYPES]:
        raise InputError("token", "visa", f"one of {', '.join(VISA_TYPES)}", shown(unknown[0]))
    if algorithm not in ALGORITHMS:
        raise InputError("token", "algorithm", f"one of {', '.join(ALGORITHMS)}", shown(algorithm))
    begun = int(time.time() if now is None else now)
    claims = {
        "iss": issuer.url,
        "sub": who.subject,
        "aud": audience if isinstance(audience, str) else list(audience),
        "iat": begun,
        "exp": begun + lifetime_s,
    }
    write_json(issuer.folder / SUBJECTS / f"{who.subject}.json", asdict(who))
    access = issuer.sign(
        {**claims, "scope": f"openid {PASSPORT}", "jti": secrets.token_hex(8)},
        "at+jwt",
        algorithm,
    )
    visas = sign_visas(issuer, who, lifetime_s, algorithm, begun)
    passport = issuer.sign(
        {**claims, "jti": secrets.token_hex(8), PASSPORT: visas}, PASSPORT_TYPE, algorithm
    )
    return Tokens(access, passport)


def sign_visas(
    issuer: Issuer,
    who: Person,
    lifetime_s: int = HOUR_S,
    algorithm: str = "ES256",
    now: float | None = None,
) -> list[str]:
    """Sign the visas of a person.

    Args:
        issuer: The issuer.
        who: The person.
        lifetime_s: Lifetime, in seconds.
        algorithm: "ES256" or "RS256".
        now: Time of issue, in seconds since the epoch; None for the present.

    Returns:
        One signed JWT per visa.
    """
    begun = int(time.time() if now is None else now)
    signed = []
    for visa in who.visas:
        content = {key: value for key, value in asdict(visa).items() if key != "conditions"}
        if visa.conditions:
            content["conditions"] = list(visa.conditions)
        claims = {
            "iss": issuer.url,
            "sub": who.subject,
            "iat": begun,
            "exp": begun + lifetime_s,
            "jti": secrets.token_hex(8),
            VISA: content,
        }
        signed.append(issuer.sign(claims, "vnd.ga4gh.visa+jwt", algorithm))
    return signed


def known_person(issuer: Issuer, subject: str) -> Person | None:
    """Find a person to whom tokens were issued.

    Args:
        issuer: The issuer.
        subject: Subject of the person.

    Returns:
        The person; None when no tokens were issued to this subject.
    """
    path = issuer.folder / SUBJECTS / f"{subject}.json"
    if not SUBJECT.fullmatch(subject) or not path.is_file():
        return None
    content = json.loads(path.read_text(encoding="utf-8"))
    visas = tuple(
        replace(VisaObject(**one), conditions=tuple(one["conditions"])) for one in content["visas"]
    )
    return Person(content["subject"], visas)
