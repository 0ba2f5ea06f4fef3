"""Keys that tests sign with: the same for the same name."""

import hashlib
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from rehearsal.masked_sums.signing_keys import public_text

COORDINATOR = "coordinator"


def signing_key(name: str) -> Ed25519PrivateKey:
    """Return the private key of a node or coordinator."""
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())


def public_keys(*names: str) -> dict[str, str]:
    """Return public keys by name, as node.yaml has them."""
    return {name: public_text(signing_key(name)) for name in names}


def write_key(path: Path, name: str) -> Path:
    """Write a private key as its owner would have it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pem = signing_key(name).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.touch(mode=0o600)
    path.write_bytes(pem)
    return path
