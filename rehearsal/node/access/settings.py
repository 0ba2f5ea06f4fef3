"""What ``access:`` in node.yaml says: who is believed, and what each tier may see.

Without the section nobody is believed: everybody is the public, and sees what the public may.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from rehearsal.errors import InputError
from rehearsal.model import GRANULARITIES, TIERS, Tier
from rehearsal.node.access.yaml_values import (
    read_dataclass,
    read_dataclasses,
    read_keys,
    read_list,
    read_mapping,
    texts_to_tuples,
)
from rehearsal.node.privacy.protection import PUBLIC, REGISTERED, UNPROTECTED, Protection

PROTECTED_TIERS: tuple[Tier, ...] = ("public", "registered")

VISA_TYPES = (
    "ControlledAccessGrants",
    "ResearcherStatus",
    "AffiliationAndRole",
    "AcceptedTermsAndPolicies",
    "LinkedIdentities",
)
# "Registered access: authorizing data access", what a bona fide researcher is and agrees to
REGISTERED_ACCESS = "https://doi.org/10.1038/s41431-018-0219-y"
DATASETS_URL = "https://datasets.rehearsal.example/"  # ControlledAccessGrants name data by URL
CLINICAL_CARE, CLINICIAN = "DUO:0000043", "clinician"  # purpose and role
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class IssuerSettings:
    """An issuer on the node's allow-list.

    ``issuer`` is compared with ``iss`` letter by letter. Its public keys stand here (``jwks``), in
    a file of the node's folder (``jwks_file``), or at ``jwks_url``: the only address from which
    keys are ever fetched. ``jku``: what visas must name as the place of their key (by default
    ``jwks_url``). ``userinfo_url``: where the visas of an access token's owner are asked for.
    ``identifies``: whether it may say who a caller is; ``visas``: types that it may sign.
    """

    issuer: str
    jwks: Mapping[str, Any] | None = None
    jwks_file: str | None = None
    jwks_url: str | None = None
    jku: str | None = None
    userinfo_url: str | None = None
    identifies: bool = True
    visas: tuple[str, ...] = VISA_TYPES

    @property
    def key_address(self) -> str | None:
        """The ``jku`` that this issuer's tokens may name."""
        return self.jku or self.jwks_url


@dataclass(frozen=True, slots=True)
class DatasetAccess:
    """The least tier for each granularity. ``grants``: values of ControlledAccessGrants that open
    the dataset, beside ``DATASETS_URL`` and its identifier."""

    boolean: Tier = "public"
    count: Tier = "public"
    record: Tier = "controlled"
    grants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Veto:
    """The node's own no to what others granted. What is None matches everything.

    ``country``: of the subject's affiliation (``clinician@hospital.fi`` is of FI);
    ``purpose``: a DUO term.
    """

    name: str
    dataset: str | None = None
    issuer: str | None = None
    subject: str | None = None
    country: str | None = None
    purpose: str | None = None


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Who may ask what at one node. The defaults let in nobody but the public.

    ``audience``: what a token's ``aud`` must name one of; empty stands for the node's Beacon id.
    ``purpose``: taken for requests that state none; None: such a request may be for anything, so
    only people who permit everything are in its answer. ``without_consent``: whether people
    without a consent record are left out of all answers. ``roles``: for some purposes, the roles
    (AffiliationAndRole) that may state them. ``protection``: of answers, by tier. ``state``:
    folder of the audit log, the budget and the node's secret; None: the node's own folder.
    """

    audience: tuple[str, ...] = ()
    require_audience: bool = True
    max_token_age_s: int = 24 * 3600  # a token that is valid for longer is not taken
    purpose: str | None = None
    without_consent: Literal["exclude", "include"] = "exclude"
    state: str | None = None
    researcher_status: tuple[str, ...] = (REGISTERED_ACCESS,)
    terms: tuple[str, ...] = (REGISTERED_ACCESS,)
    issuers: tuple[IssuerSettings, ...] = ()
    datasets: Mapping[str, DatasetAccess] = field(default_factory=dict)
    vetoes: tuple[Veto, ...] = ()
    roles: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {CLINICAL_CARE: (CLINICIAN,)}
    )
    protection: Mapping[Tier, Protection] = field(
        default_factory=lambda: {"public": PUBLIC, "registered": REGISTERED}
    )

    def state_folder(self, folder: Path) -> Path:
        """Where a node of this folder keeps what it writes while it serves."""
        return folder if self.state is None else folder / self.state

    def protection_of(self, tier: Tier) -> Protection:
        """How answers to this tier are protected; those to controlled access are exact."""
        return UNPROTECTED if tier == "controlled" else self.protection[tier]


class AccessedNode(Protocol):
    """What decides about access needs to know of its node: a part of the node's settings."""

    @property
    def beacon_id(self) -> str: ...

    @property
    def country_code(self) -> str: ...

    @property
    def people_dataset(self) -> str: ...

    @property
    def datasets(self) -> tuple[str, ...]: ...

    @property
    def access(self) -> AccessSettings: ...


def open_to_all(datasets: Iterable[str]) -> AccessSettings:
    """Everybody sees everything exactly, and no consent is asked: for people who do not exist."""
    everything = DatasetAccess("public", "public", "public")
    return AccessSettings(
        without_consent="include",
        datasets=dict.fromkeys(datasets, everything),
        roles={},
        protection={"public": UNPROTECTED, "registered": UNPROTECTED},
    )


def access_settings(source: Path | str, values: Any) -> AccessSettings:
    """The settings that YAML gives. Raises InputError naming ``source`` and the key."""
    if values is None:
        return AccessSettings()
    given = read_keys(source, "access", AccessSettings, values)
    texts_to_tuples(source, "access", given, ("audience", "researcher_status", "terms"))
    given["issuers"] = _issuers(source, given.get("issuers"))
    given["datasets"] = {
        name: _dataset(source, f"access.datasets.{name}", one)
        for name, one in read_mapping(source, "access.datasets", given.get("datasets")).items()
    }
    given["vetoes"] = read_dataclasses(source, "access.vetoes", Veto, given.get("vetoes"))
    roles = given.pop("roles", None)
    if roles is not None:
        given["roles"] = _roles(source, roles)
    given["protection"] = _protections(source, given.get("protection"))
    settings = read_dataclass(source, "access", AccessSettings, given)
    if settings.without_consent not in ("exclude", "include"):
        raise InputError(source, "access.without_consent", "exclude or include")
    if settings.max_token_age_s <= 0:
        raise InputError(source, "access.max_token_age_s", "seconds, more than 0")
    return settings


def as_yaml(settings: AccessSettings) -> dict[str, Any]:
    """Plain values that :func:`access_settings` reads back to the same settings."""
    return _plain(asdict(settings))


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items() if one is not None}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return value


# --- reading ------------------------------------------------------------------------------------


def _issuers(source: Path | str, values: Any) -> tuple[IssuerSettings, ...]:
    rows = read_list(source, "access.issuers", values)
    issuers = tuple(_issuer(source, f"access.issuers[{i}]", one) for i, one in enumerate(rows))
    if len({one.issuer for one in issuers}) != len(issuers):
        raise InputError(source, "access.issuers", "each issuer once")
    return issuers


def _roles(source: Path | str, values: Any) -> dict[str, tuple[str, ...]]:
    roles = dict(read_mapping(source, "access.roles", values))
    texts_to_tuples(source, "access.roles", roles, tuple(roles))
    return roles


def _protections(source: Path | str, values: Any) -> dict[Tier, Protection]:
    """What is given, over the defaults."""
    protections = dict(AccessSettings().protection)
    for name, one in read_mapping(source, "access.protection", values).items():
        protections[_protected_tier(source, name)] = _protection(source, name, one)
    return protections


def _protected_tier(source: Path | str, name: str) -> Tier:
    for tier in PROTECTED_TIERS:
        if name == tier:
            return tier
    raise InputError(source, "access.protection", ", ".join(PROTECTED_TIERS))


def _issuer(source: Path | str, key: str, values: Any) -> IssuerSettings:
    given = read_keys(source, key, IssuerSettings, values)
    texts_to_tuples(source, key, given, ("visas",))
    one = read_dataclass(source, key, IssuerSettings, given)
    if sum(keys is not None for keys in (one.jwks, one.jwks_file, one.jwks_url)) != 1:
        raise InputError(source, key, "one of jwks, jwks_file, jwks_url")
    for name in ("jwks_url", "userinfo_url"):
        url = getattr(one, name)
        if url is not None and not is_safe_url(url):
            raise InputError(source, f"{key}.{name}", "https, or http on this machine")
    if set(one.visas) - set(VISA_TYPES):
        raise InputError(source, f"{key}.visas", f"some of {', '.join(VISA_TYPES)}")
    return one


def is_safe_url(url: str) -> bool:
    """Whether keys and visas may be fetched from there: nobody on the way can change them."""
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username or parts.password or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)


def _dataset(source: Path | str, key: str, values: Any) -> DatasetAccess:
    given = read_keys(source, key, DatasetAccess, values)
    texts_to_tuples(source, key, given, ("grants",))
    one = read_dataclass(source, key, DatasetAccess, given)
    needed = [getattr(one, name) for name in GRANULARITIES]
    if set(needed) - set(TIERS):
        raise InputError(source, key, f"tiers among {', '.join(TIERS)}")
    if sorted(needed, key=TIERS.index) != needed:
        raise InputError(source, key, "a finer granularity that needs no lower a tier")
    return one


def _protection(source: Path | str, tier: str, values: Any) -> Protection:
    key = f"access.protection.{tier}"
    if values == "none":
        return UNPROTECTED
    given = read_keys(source, key, Protection, values)
    for name in ("threshold", "rounding", "noise"):
        if not isinstance(given.get(name, 1), int) or isinstance(given.get(name), bool):
            raise InputError(source, f"{key}.{name}", "a whole number")
    for name in ("user_budget", "individual_budget"):
        number = given.get(name, 0.0)
        if isinstance(number, bool) or not isinstance(number, int | float) or math.isnan(number):
            raise InputError(source, f"{key}.{name}", "nats, or .inf")
    return Protection(**given)
