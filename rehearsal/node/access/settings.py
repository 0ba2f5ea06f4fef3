"""What ``access:`` in node.yaml says: who is believed, and what each tier may see.

Without the section nobody is believed: everybody is the public, and sees what the public may.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Protocol, TypeVar
from urllib.parse import urlsplit

from rehearsal.model import Granularity, InputError
from rehearsal.node.privacy.protection import PUBLIC, REGISTERED, UNPROTECTED, Protection

Tier = Literal["public", "registered", "controlled"]
TIERS: tuple[Tier, ...] = ("public", "registered", "controlled")
GRANULARITIES: tuple[Granularity, ...] = ("boolean", "count", "record")

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
CLINICAL_CARE = "DUO:0000043"
LOOPBACK = ("127.0.0.1", "::1", "localhost")

T = TypeVar("T")


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
        default_factory=lambda: {CLINICAL_CARE: ("clinician",)}
    )
    protection: Mapping[Tier, Protection] = field(
        default_factory=lambda: {"public": PUBLIC, "registered": REGISTERED}
    )

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
    given = _keys(source, "access", AccessSettings, values)
    _tuples(source, "access", given, ("audience", "researcher_status", "terms"))
    given["issuers"] = tuple(
        _issuer(source, f"access.issuers[{i}]", one)
        for i, one in enumerate(_list(source, "access.issuers", given.get("issuers")))
    )
    names = [one.issuer for one in given["issuers"]]
    if len(set(names)) != len(names):
        raise InputError(source, "access.issuers", "each issuer once")
    given["datasets"] = {
        name: _dataset(source, f"access.datasets.{name}", one)
        for name, one in _mapping(source, "access.datasets", given.get("datasets")).items()
    }
    given["vetoes"] = tuple(
        _made(source, f"access.vetoes[{i}]", Veto, one)
        for i, one in enumerate(_list(source, "access.vetoes", given.get("vetoes")))
    )
    if given.get("roles") is None:
        given.pop("roles", None)
    else:
        roles = dict(_mapping(source, "access.roles", given["roles"]))
        _tuples(source, "access.roles", roles, tuple(roles))
        given["roles"] = roles
    given["protection"] = AccessSettings().protection | {
        tier: _protection(source, tier, one)
        for tier, one in _mapping(source, "access.protection", given.get("protection")).items()
    }
    settings = _made(source, "access", AccessSettings, given)
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


def _issuer(source: Path | str, key: str, values: Any) -> IssuerSettings:
    given = _keys(source, key, IssuerSettings, values)
    _tuples(source, key, given, ("visas",))
    one = _made(source, key, IssuerSettings, given)
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
    given = _keys(source, key, DatasetAccess, values)
    _tuples(source, key, given, ("grants",))
    one = _made(source, key, DatasetAccess, given)
    needed = [getattr(one, name) for name in GRANULARITIES]
    if set(needed) - set(TIERS):
        raise InputError(source, key, f"tiers among {', '.join(TIERS)}")
    if sorted(needed, key=TIERS.index) != needed:
        raise InputError(source, key, "a finer granularity that needs no lower a tier")
    return one


def _protection(source: Path | str, tier: str, values: Any) -> Protection:
    key = f"access.protection.{tier}"
    if tier not in ("public", "registered"):
        raise InputError(source, "access.protection", "public, registered")
    if values == "none":
        return UNPROTECTED
    given = _keys(source, key, Protection, values)
    for name in ("threshold", "rounding", "noise"):
        if not isinstance(given.get(name, 1), int) or isinstance(given.get(name), bool):
            raise InputError(source, f"{key}.{name}", "a whole number")
    for name in ("user_budget", "individual_budget"):
        number = given.get(name, 0.0)
        if isinstance(number, bool) or not isinstance(number, int | float) or math.isnan(number):
            raise InputError(source, f"{key}.{name}", "nats, or .inf")
    return Protection(**given)


def _made(source: Path | str, key: str, kind: type[T], values: Any) -> T:
    """An instance, after a look at the types: YAML reads ``NO`` as false and 1e-8 as text."""
    given = _keys(source, key, kind, values)
    for one in fields(kind):  # type: ignore[arg-type]
        value = given.get(one.name)
        if one.name not in given or value is None:
            required = one.default is MISSING and one.default_factory is MISSING
            if required or (one.name in given and "None" not in str(one.type)):
                raise InputError(source, f"{key}.{one.name}", f"{one.type}")
            continue
        wanted = {"str": str, "str | None": str, "bool": bool, "int": int, "Tier": str}
        expected = wanted.get(str(one.type))
        if expected is None:
            continue
        if not isinstance(value, expected) or (expected is int and isinstance(value, bool)):
            raise InputError(source, f"{key}.{one.name}", f"{expected.__name__}, not {value!r}")
    return kind(**given)


def _keys(source: Path | str, key: str, kind: type, values: Any) -> dict[str, Any]:
    known = [one.name for one in fields(kind)]
    if not isinstance(values, Mapping) or not set(values) <= set(known):
        raise InputError(source, key, f"a mapping with the keys {', '.join(known)}")
    return dict(values)


def _mapping(source: Path | str, key: str, values: Any) -> Mapping[str, Any]:
    if values is None:
        return {}
    if not isinstance(values, Mapping) or not all(isinstance(name, str) for name in values):
        raise InputError(source, key, "a mapping")
    return values


def _list(source: Path | str, key: str, values: Any) -> list[Any]:
    if not isinstance(values, list | tuple | None):
        raise InputError(source, key, "a list")
    return list(values or ())


def _tuples(source: Path | str, key: str, given: dict[str, Any], names: tuple[str, ...]) -> None:
    """Turn these lists of texts into tuples."""
    for name in names:
        if name in given:
            values = _list(source, f"{key}.{name}", given[name])
            if not all(isinstance(one, str) and one for one in values):
                raise InputError(source, f"{key}.{name}", "a list of texts")
            given[name] = tuple(values)
