"""A small issuer of tokens for rehearsals. It stands for the broker and the committees that sign
visas.

Keys are made per run and readable by their owner only. Anyone who has the folder can act as anyone
at every node that trusts the issuer. Use it for synthetic people only.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.exceptions import PyJWTError

from rehearsal.errors import InputError, cause, mismatch, shown
from rehearsal.files import atomic_path, write_json
from rehearsal.node.access.settings import (
    DATASETS_URL,
    VISA_TYPES,
    AccessSettings,
    DatasetAccess,
    IssuerSettings,
)
from rehearsal.node.access.token_format import VISA
from rehearsal.node.settings.node_settings import NodeSettings

URL = "https://issuer.rehearsal.example"  # reserved by RFC 2606: no such host exists
AUDIENCE = "https://network.rehearsal.example"  # all nodes of a rehearsal
CENTRAL_COMMITTEE = f"{DATASETS_URL}all"  # a grant that nodes may accept for any of their datasets

TRUSTED = "issuer.jwks.json"  # in a node's folder: public keys of the run's issuer
SETTINGS, JWKS, SECRET_KEYS, SUBJECTS = "issuer.json", "jwks.json", "keys.json", "subjects"
ALGORITHMS = ("ES256", "RS256")


@dataclass(frozen=True, slots=True)
class Issuer:
    """An issuer with its keys.

    Args:
        folder: Folder of its files.
        url: Its URL, the ``iss`` of its tokens.
        keys: Key id and private key in PEM, by algorithm.
    """

    folder: Path
    url: str
    keys: dict[str, tuple[str, str]]

    @property
    def jku(self) -> str:
        """URL of its public keys, which its visas name."""
        return f"{self.url}/jwks"

    def jwks(self) -> dict[str, Any]:
        """Read its public keys.

        Returns:
            A JWK set.
        """
        return json.loads((self.folder / JWKS).read_text(encoding="utf-8"))

    def trusted(self, jwks_file: str | None = None) -> IssuerSettings:
        """Build the entry of ``access.issuers`` with which a node trusts this issuer.

        Args:
            jwks_file: File of the public keys in the node's folder. None puts the keys into the
                entry.

        Returns:
            The entry.
        """
        keys = None if jwks_file is not None else self.jwks()
        return IssuerSettings(
            self.url, jwks=keys, jwks_file=jwks_file, jku=self.jku, visas=VISA_TYPES
        )

    def sign(self, claims: dict[str, Any], kind: str, algorithm: str = "ES256") -> str:
        """Sign a JWT.

        Args:
            claims: Its claims.
            kind: Its type (header ``typ``).
            algorithm: "ES256" or "RS256".

        Returns:
            The encoded token.
        """
        kid, key = self.keys[algorithm]
        headers = {"typ": kind, "kid": kid}
        if VISA in claims:
            headers["jku"] = self.jku
        return jwt.encode(claims, key, algorithm, headers)


def make_issuer(folder: Path, url: str = URL) -> Issuer:
    """Open the issuer of a folder, or make one with new keys.

    Args:
        folder: Folder of the issuer. It is created if needed.
        url: URL of a new issuer.

    Returns:
        The issuer.

    Raises:
        InputError: The folder holds a damaged issuer, or keys that others may read.
    """
    if (folder / SETTINGS).exists():
        return open_issuer(folder)
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    private = {
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "RS256": rsa.generate_private_key(public_exponent=65537, key_size=2048),
    }
    kids = {algorithm: f"{algorithm.lower()}-{secrets.token_hex(4)}" for algorithm in private}
    keys = {algorithm: (kids[algorithm], _pem(key).decode()) for algorithm, key in private.items()}
    public = [_public_jwk(kids[algorithm], algorithm, key) for algorithm, key in private.items()]
    _write_secret(folder / SECRET_KEYS, json.dumps(keys))
    write_json(folder / JWKS, {"keys": public})
    write_json(folder / SETTINGS, {"url": url.rstrip("/")})
    return Issuer(folder, url.rstrip("/"), keys)


def open_issuer(folder: Path) -> Issuer:
    """Open an issuer that was made before.

    Args:
        folder: Folder of the issuer.

    Returns:
        The issuer.

    Raises:
        InputError: The folder holds no usable issuer, or keys that others may read.
    """
    path = folder / SECRET_KEYS
    try:
        url = json.loads((folder / SETTINGS).read_text(encoding="utf-8"))["url"]
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            expected = "keys that only their owner may read (chmod 600)"
            raise InputError(path, "permissions", expected, "keys that others may read")
        keys = {name: tuple(pair) for name, pair in json.loads(path.read_text()).items()}
        _check_keys(url, keys)
    except InputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, AttributeError, PyJWTError) as error:
        is_file = not isinstance(error, OSError)
        reason = f"{SETTINGS} or {SECRET_KEYS} has other content" if is_file else cause(error)
        expected, found = "an issuer made by 'rehearsal issuer init'", f"none ({reason})"
        raise InputError(folder, "issuer", expected, found) from None
    return Issuer(folder, url, keys)


def _check_keys(url: object, keys: Mapping[str, Sequence[str]]) -> None:
    """Raise an error unless the URL is text and every algorithm has an id and a private key."""
    if not isinstance(url, str):
        raise TypeError(mismatch("url", "text", shown(url)))
    for name in ALGORITHMS:
        kid, key = keys[name]
        jwt.get_algorithm_by_name(name).prepare_key(key)
        if not isinstance(kid, str):
            raise TypeError(mismatch(name, "the id of a key as text", shown(kid)))


@contextmanager
def issuer_copy(folder: Path) -> Iterator[Path]:
    """Copy an issuer's settings and keys to a private folder for as long as the block runs.

    Tokens that are issued from the copy leave no trace in the original folder.

    Args:
        folder: Folder of the issuer.

    Yields:
        Folder of the copy.
    """
    with TemporaryDirectory() as copy:
        for name in (SETTINGS, JWKS, SECRET_KEYS):
            shutil.copy(folder / name, copy)
        yield Path(copy)


def rehearsal_access(country: str, has_tumours: bool = False) -> AccessSettings:
    """Build the ``access`` settings of a country's node in a rehearsal.

    The node trusts the run's issuer, whose keys lie in its folder, and accepts the central
    committee's grant for each of its datasets.

    Args:
        country: Country code.
        has_tumours: Whether the node has a tumour dataset. Few people have a tumour, so anonymous
            users see nothing of it.

    Returns:
        The settings.
    """
    settings = NodeSettings.for_country(country, country, has_tumours=has_tumours)
    grants = (CENTRAL_COMMITTEE,)
    datasets = {**dict.fromkeys(settings.datasets, DatasetAccess()), **settings.access.datasets}
    trusted = IssuerSettings(URL, jwks_file=TRUSTED, jku=f"{URL}/jwks", visas=VISA_TYPES)
    return AccessSettings(
        audience=(AUDIENCE, settings.beacon_id),
        issuers=(trusted,),
        datasets={name: replace(one, grants=grants) for name, one in datasets.items()},
    )


def _pem(key: Any) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _public_jwk(kid: str, algorithm: str, key: Any) -> dict[str, Any]:
    made = jwt.get_algorithm_by_name(algorithm).to_jwk(key.public_key(), as_dict=True)
    made.pop("key_ops", None)
    return {**made, "kid": kid, "alg": algorithm, "use": "sig"}


def _write_secret(path: Path, text: str) -> None:
    """Write a file that nobody else can read at any moment."""
    with atomic_path(path) as aside:
        descriptor = os.open(aside, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
