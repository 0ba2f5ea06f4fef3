"""The section ``access:`` of node.yaml: whose tokens are trusted, and what each tier may see.

Without the section no issuer is trusted: every caller is anonymous and sees what the public may.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, Protocol
from urllib.parse import urlsplit

from rehearsal.errors import InputError, shown
from rehearsal.model import GRANULARITIES, TIERS, Tier
from rehearsal.node.access.matchmaker_settings import MatchmakerKey, read_matchmakers
from rehearsal.node.access.yaml_values import (
    described,
    read_dataclass,
    read_dataclasses,
    read_keys,
    read_list,
    read_mapping,
    texts_to_tuples,
)
from rehearsal.node.privacy.protection import PUBLIC, REGISTERED, UNPROTECTED, Protection

SETTINGS_FILE = "node.yaml"  # in the folder of a node
PROTECTED_TIERS: tuple[Tier, ...] = ("public", "registered")

VISA_TYPES = (
    "ControlledAccessGrants",
    "ResearcherStatus",
    "AffiliationAndRole",
    "AcceptedTermsAndPolicies",
    "LinkedIdentities",
)
# a link makes the visas of one identity those of another, at any issuer: an issuer may sign links
# only where its entry says so
DEFAULT_VISA_TYPES = tuple(name for name in VISA_TYPES if name != "LinkedIdentities")
# "Registered access: authorizing data access": defines a bona fide researcher and the terms
REGISTERED_ACCESS = "https://doi.org/10.1038/s41431-018-0219-y"
DATASETS_URL = "https://datasets.rehearsal.example/"  # prefix of datasets in ControlledAccessGrants
CLINICAL_CARE, CLINICIAN = "DUO:0000043", "clinician"  # purpose and role
LOOPBACK = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True, slots=True)
class IssuerSettings:
    """An issuer of tokens or visas on the node's allow-list.

    Exactly one of ``jwks``, ``jwks_file`` and ``jwks_url`` is given.
    """

    issuer: str  # compared with the claim ``iss``, character by character
    jwks: Mapping[str, Any] | None = None  # public keys, as a JWK set
    jwks_file: str | None = None  # file of a JWK set, relative to the node's folder
    jwks_url: str | None = None  # the only address from which keys are fetched
    jku: str | None = None  # address of the key that visas must name; by default ``jwks_url``
    userinfo_url: str | None = None  # where to fetch the visas of an access token's owner
    identifies: bool = True  # whether its tokens may identify a caller
    visas: tuple[str, ...] = DEFAULT_VISA_TYPES  # visa types that it may sign

    @property
    def key_address(self) -> str | None:
        """The ``jku`` that this issuer's tokens may name."""
        return self.jku or self.jwks_url


@dataclass(frozen=True, slots=True)
class DatasetAccess:
    """The lowest tier that gets each granularity of a dataset's answers."""

    boolean: Tier = "public"
    count: Tier = "public"
    record: Tier = "controlled"
    # values of ControlledAccessGrants that open the dataset, beside DATASETS_URL + identifier
    grants: tuple[str, ...] = ()


# of somatic variants: few people have a tumour, so the public sees nothing of them
CLOSED = DatasetAccess("controlled", "controlled", "controlled")


@dataclass(frozen=True, slots=True)
class Veto:
    """A node's own refusal, which overrides grants of others. None matches everything."""

    name: str  # for the audit log
    dataset: str | None = None  # dataset identifier
    issuer: str | None = None  # issuer of the caller's token or of a visa
    subject: str | None = None  # the caller's ``sub``, or a linked one
    country: str | None = None  # of the caller's employer: ``clinician@hospital.fi`` is of FI
    purpose: str | None = None  # DUO term


@dataclass(frozen=True, slots=True)
class AccessSettings:
    """Who may query what at one node. By default everybody is anonymous."""

    # accepted values of a token's ``aud``; empty stands for the node's Beacon identifier
    audience: tuple[str, ...] = ()
    require_audience: bool = True  # whether a token must have ``aud``
    max_token_age_s: int = 24 * 3600  # longest accepted lifetime of a token, seconds
    # purpose of requests that state none; None stands for any use, which only people without
    # any restriction permit
    purpose: str | None = None
    # whether people without a consent record are left out of all answers
    without_consent: Literal["exclude", "include"] = "exclude"
    # folder of the audit log, the budget and the node's secret; None: the node's own folder
    state: str | None = None
    researcher_status: tuple[str, ...] = (REGISTERED_ACCESS,)  # accepted ResearcherStatus values
    terms: tuple[str, ...] = (REGISTERED_ACCESS,)  # accepted AcceptedTermsAndPolicies values
    issuers: tuple[IssuerSettings, ...] = ()  # the allow-list
    datasets: Mapping[str, DatasetAccess] = field(default_factory=dict)  # by dataset identifier
    vetoes: tuple[Veto, ...] = ()
    matchmakers: tuple[MatchmakerKey, ...] = ()  # that sign in with keys
    # by purpose: the roles (AffiliationAndRole) that may state it
    roles: Mapping[str, tuple[str, ...]] = field(
        default_factory=lambda: {CLINICAL_CARE: (CLINICIAN,)}
    )
    # privacy protection of answers, by tier
    protection: Mapping[Tier, Protection] = field(
        default_factory=lambda: {"public": PUBLIC, "registered": REGISTERED}
    )

    def state_folder(self, folder: Path) -> Path:
        """Return the folder of what the node writes while it serves.

        Args:
            folder: The node's folder.
        """
        return folder if self.state is None else folder / self.state

    def protection_of(self, tier: Tier) -> Protection:
        """Return the protection of answers to a tier.

        Args:
            tier: The caller's tier. Answers to ``controlled`` are exact.
        """
        return UNPROTECTED if tier == "controlled" else self.protection[tier]

    def protected_tiers(self) -> dict[Tier, Protection]:
        """Return the protection of each tier whose answers are not exact."""
        found = {tier: self.protection_of(tier) for tier in TIERS}
        return {tier: one for tier, one in found.items() if one != UNPROTECTED}


class AccessedNode(Protocol):
    """The settings of a node that access decisions depend on."""

    @property
    def beacon_id(self) -> str:
        """The node's Beacon identifier, the default audience of tokens."""
        ...

    @property
    def country_code(self) -> str:
        """The node's country, ISO 3166-1 alpha-2."""
        ...

    @property
    def people_dataset(self) -> str:
        """The dataset of the node's people."""
        ...

    @property
    def datasets(self) -> tuple[str, ...]:
        """Identifiers of all datasets."""
        ...

    @property
    def access(self) -> AccessSettings:
        """The access settings."""
        ...


def open_to_all(datasets: Iterable[str]) -> AccessSettings:
    """Build settings that show everything exactly to everybody, without consent checks.

    Only for synthetic people.

    Args:
        datasets: Identifiers of the node's datasets.

    Returns:
        The settings.
    """
    everything = DatasetAccess("public", "public", "public")
    return AccessSettings(
        without_consent="include",
        datasets=dict.fromkeys(datasets, everything),
        roles={},
        protection={"public": UNPROTECTED, "registered": UNPROTECTED},
    )


def closed_datasets(names: Iterable[object]) -> dict[str, DatasetAccess]:
    """Build the access to datasets that only grants open.

    Args:
        names: Identifiers of datasets. What is no text, or empty, is left out.

    Returns:
        The access by dataset.
    """
    return {name: CLOSED for name in names if name and isinstance(name, str)}


def access_settings(
    source: Path | str, values: Any, closed: Iterable[object] = ()
) -> AccessSettings:
    """Read access settings from YAML values.

    Args:
        source: The file, for error messages.
        values: Content of the section ``access``, or None without one.
        closed: Identifiers of datasets that only grants open, unless the section says otherwise.

    Returns:
        The settings.

    Raises:
        InputError: Names the file and the key of a wrong value.
    """
    if values is None:
        return AccessSettings(datasets=closed_datasets(closed))
    given = read_keys(source, "access", AccessSettings, values)
    texts_to_tuples(source, "access", given, ("audience", "researcher_status", "terms"))
    given["issuers"] = _issuers(source, given.get("issuers"))
    datasets = closed_datasets(closed)
    for name, one in read_mapping(source, "access.datasets", given.get("datasets")).items():
        default = datasets.get(name, DatasetAccess())
        datasets[name] = _dataset(source, f"access.datasets.{name}", one, default)
    given["datasets"] = datasets
    given["vetoes"] = read_dataclasses(source, "access.vetoes", Veto, given.get("vetoes"))
    given["matchmakers"] = read_matchmakers(source, given.get("matchmakers"))
    roles = given.pop("roles", None)
    if roles is not None:
        given["roles"] = _roles(source, roles)
    given["protection"] = _protections(source, given.get("protection"))
    settings = read_dataclass(source, "access", AccessSettings, given)
    if settings.without_consent not in ("exclude", "include"):
        raise InputError(
            source, "access.without_consent", "exclude or include", shown(settings.without_consent)
        )
    if settings.max_token_age_s <= 0:
        raise InputError(
            source,
            "access.max_token_age_s",
            "a whole number of seconds above 0",
            shown(settings.max_token_age_s),
        )
    return settings


def as_yaml(settings: AccessSettings) -> dict[str, Any]:
    """Convert settings to plain values, which :func:`access_settings` reads back.

    Args:
        settings: The settings.

    Returns:
        The content of the section ``access``.
    """
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
    names: set[str] = set()
    for i, one in enumerate(issuers):
        if one.issuer in names:
            found = f"{shown(one.issuer)} a second time"
            raise InputError(source, f"access.issuers[{i}].issuer", "each issuer once", found)
        names.add(one.issuer)
    return issuers


def _roles(source: Path | str, values: Any) -> dict[str, tuple[str, ...]]:
    roles = dict(read_mapping(source, "access.roles", values))
    texts_to_tuples(source, "access.roles", roles, tuple(roles))
    return roles


def _protections(source: Path | str, values: Any) -> dict[Tier, Protection]:
    """Return the protection of each tier: the given one, or the default."""
    protections = dict(AccessSettings().protection)
    for name, one in read_mapping(source, "access.protection", values).items():
        protections[_protected_tier(source, name)] = _protection(source, name, one)
    return protections


def _protected_tier(source: Path | str, name: str) -> Tier:
    for tier in PROTECTED_TIERS:
        if name == tier:
            return tier
    expected = f"one of the keys {', '.join(PROTECTED_TIERS)}"
    raise InputError(source, f"access.protection.{name}", expected, "an unknown key")


def _issuer(source: Path | str, key: str, values: Any) -> IssuerSettings:
    given = read_keys(source, key, IssuerSettings, values)
    texts_to_tuples(source, key, given, ("visas",))
    one = read_dataclass(source, key, IssuerSettings, given)
    key_sources = [
        name for name in ("jwks", "jwks_file", "jwks_url") if getattr(one, name) is not None
    ]
    if len(key_sources) != 1:
        found = " and ".join(key_sources) or "none of them"
        raise InputError(source, key, "exactly one of jwks, jwks_file, jwks_url", found)
    for name in ("jwks_url", "userinfo_url"):
        url = getattr(one, name)
        if url is not None and not is_safe_url(url):
            expected = "an https address, or an http address of this machine"
            raise InputError(source, f"{key}.{name}", expected, shown(url))
    for name in one.visas:
        if name not in VISA_TYPES:
            expected = f"visa types among {', '.join(VISA_TYPES)}"
            raise InputError(source, f"{key}.visas", expected, shown(name))
    return one


def is_safe_url(url: str) -> bool:
    """Tell whether keys and visas may be fetched from an address without being changed on the way.

    Args:
        url: The address.

    Returns:
        Whether it is ``https``, or ``http`` on this machine, without user name or fragment.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        return False
    if not host or parts.username or parts.password or parts.fragment:
        return False
    return parts.scheme == "https" or (parts.scheme == "http" and host in LOOPBACK)


def _dataset(source: Path | str, key: str, values: Any, default: DatasetAccess) -> DatasetAccess:
    given = asdict(default) | read_keys(source, key, DatasetAccess, values)
    texts_to_tuples(source, key, given, ("grants",))
    one = read_dataclass(source, key, DatasetAccess, given)
    needed = [getattr(one, name) for name in GRANULARITIES]
    for name, tier in zip(GRANULARITIES, needed, strict=True):
        if tier not in TIERS:
            expected = f"a tier: {', '.join(TIERS)}"
            raise InputError(source, f"{key}.{name}", expected, shown(tier))
    if sorted(needed, key=TIERS.index) != needed:
        raise InputError(
            source,
            key,
            "tiers that stay or rise from boolean to count to record",
            ", ".join(f"{name} {tier}" for name, tier in zip(GRANULARITIES, needed, strict=True)),
        )
    return one


def _protection(source: Path | str, tier: str, values: Any) -> Protection:
    key = f"access.protection.{tier}"
    if values == "none":
        return UNPROTECTED
    if not isinstance(values, Mapping):
        expected = (
            f"none, or a mapping with the keys {', '.join(one.name for one in fields(Protection))}"
        )
        raise InputError(source, key, expected, described(values))
    given = read_keys(source, key, Protection, values)
    _check_protection(source, key, given)
    try:
        return Protection(**given)
    except InputError as error:  # which does not know the file
        raise InputError(source, f"{key}.{error.key}", error.expected, error.found) from None


def _check_protection(source: Path | str, key: str, given: Mapping[str, Any]) -> None:
    """Check the types of a tier's protection: whole numbers, shares, and budgets in nats."""
    for name in ("threshold", "rounding"):
        if not isinstance(given.get(name, 1), int) or isinstance(given.get(name), bool):
            raise InputError(source, f"{key}.{name}", "a whole number", described(given[name]))
    for name in ("noise", "budget", "caller_share"):
        number = given.get(name, 0.0)
        if isinstance(number, bool) or not isinstance(number, int | float) or math.isnan(number):
            raise InputError(source, f"{key}.{name}", "a number, or .inf", described(number))
