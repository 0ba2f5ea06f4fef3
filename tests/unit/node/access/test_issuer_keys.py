"""The usable keys of an issuer."""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from rehearsal.errors import InputError
from rehearsal.node.access.issuer_keys import usable_keys
from rehearsal.node.access.settings import IssuerSettings
from rehearsal.node.access.tokens import TokenVerifier

from ..hostile_tokens import AUDIENCE


def jwk(key, **more):
    name = "RS256" if isinstance(key, rsa.RSAPublicKey) else "ES256"
    made = jwt.get_algorithm_by_name(name).to_jwk(key, as_dict=True)
    return {**made, "kid": "k", **more}


P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
WEAK = rsa.generate_private_key(public_exponent=65537, key_size=1024)


def test_only_keys_for_the_two_algorithms_are_used():
    assert list(usable_keys({"keys": [jwk(P256.public_key())]})) == ["k"]


@pytest.mark.parametrize(
    "key",
    [
        jwk(P384.public_key()),
        jwk(WEAK.public_key()),
        jwk(P256.public_key(), use="enc"),
        jwk(P256.public_key(), alg="ES384"),
        jwk(P256.public_key(), kid=None),
        jwk(P256.public_key(), d="AAAA"),
        {"kty": "oct", "k": "c2VjcmV0", "kid": "k", "alg": "HS256"},
        {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "k"},
        "nonsense",
    ],
    ids=["P-384", "RSA 1024", "for encryption", "ES384", "no kid", "private", "secret", "bad", "x"],
)
def test_other_keys_are_left_out(key):
    assert usable_keys({"keys": [key]}) == {}


def test_unusable_configured_keys_give_one_line(tmp_path):
    for settings in (
        IssuerSettings("https://a.example", jwks={"keys": []}),
        IssuerSettings("https://a.example", jwks_file="absent.json"),
    ):
        with pytest.raises(InputError, match=r"https://a.example: .*key|JWK"):
            TokenVerifier([settings], [AUDIENCE], tmp_path)
