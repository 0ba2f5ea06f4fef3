"""Bad tokens, each made from a good one by one change. ``HOSTILE`` maps a name to its maker."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace

import jwt
from cryptography.hazmat.primitives import serialization as form
from cryptography.hazmat.primitives.asymmetric import ec

from rehearsal.network.tokens import create_person, linked_identities, sign_tokens, sign_visas
from rehearsal.node.access.token_format import PASSPORT, PASSPORT_TYPE, VISA

DATASET = "GDI-FI-REHEARSAL-1"
AUDIENCE = "org.rehearsal.fi"
HOUR = 3600


class Forge:
    """Makes tokens: ``mine`` is trusted; ``evil`` has the same form and other keys."""

    def __init__(self, mine, evil):
        self.mine, self.evil = mine, evil
        self.good = create_person("researcher", "FI", [DATASET], issuer=mine.url)

    def claims(self, **changes):
        now = int(time.time())
        claims = {"iss": self.mine.url, "sub": self.good.subject, "aud": AUDIENCE}
        claims |= {"iat": now, "exp": now + HOUR, PASSPORT: sign_visas(self.mine, self.good)}
        claims |= changes
        return {key: value for key, value in claims.items() if value is not ...}

    def passport(self, kind=PASSPORT_TYPE, key=None, algorithm="ES256", headers=None, **changes):
        kid, own = self.mine.keys["ES256" if algorithm == "none" else algorithm]
        headers = {"typ": kind, "kid": kid} | (headers or {})
        headers = {name: value for name, value in headers.items() if value is not ...}
        return jwt.encode(self.claims(**changes), key or own, algorithm, headers)

    def by_rsa(self, algorithm):
        """With the trusted RSA key, by an unsupported algorithm."""
        kid, key = self.mine.keys["RS256"]
        return jwt.encode(self.claims(), key, algorithm, {"typ": PASSPORT_TYPE, "kid": kid})

    def with_listed_issuer(self):
        kid, _ = self.mine.keys["ES256"]
        claims = self.claims() | {"iss": [self.mine.url]}
        return by_hand({"alg": "ES256", "typ": PASSPORT_TYPE, "kid": kid}, claims, b"x" * 64)

    def with_visa(self, text):
        return self.passport(**{PASSPORT: [text]})

    def visa(self, signer=None, headers=None, said=None, typ="vnd.ga4gh.visa+jwt", **changes):
        signer = signer or self.mine
        now = int(time.time())
        grant = {"type": "ControlledAccessGrants", "source": "https://dac.example", "by": "dac"}
        grant |= {"value": f"https://datasets.rehearsal.example/{DATASET}", "asserted": now}
        grant |= said or {}
        claims = {"iss": self.mine.url, "sub": self.good.subject, "iat": now, "exp": now + HOUR}
        claims |= {VISA: {key: value for key, value in grant.items() if value is not ...}}
        claims = {key: value for key, value in (claims | changes).items() if value is not ...}
        kid, key = signer.keys["ES256"]
        headers = {"typ": typ, "kid": kid, "jku": self.mine.jku} | (headers or {})
        headers = {name: value for name, value in headers.items() if value is not ...}
        return jwt.encode(claims, key, "ES256", headers)


def public_pem(issuer):
    key = jwt.PyJWK(next(k for k in issuer.jwks()["keys"] if k["kty"] == "RSA"))
    return key.key.public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)


def by_hand(header, claims, signature=b""):
    """A JWT built by hand, as a library would refuse to."""
    parts = [json.dumps(header).encode(), json.dumps(claims).encode(), signature]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


def hs256_with(secret):
    def make(forge):
        kid, _ = forge.mine.keys["RS256"]
        text = by_hand({"alg": "HS256", "typ": PASSPORT_TYPE, "kid": kid}, forge.claims())
        signed = text.rstrip(".")
        mac = hmac.new(secret(forge), signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"

    return make


def tampered(forge):
    """The claims of a caller with fewer rights, under the signature of another token."""
    head, _, signature = forge.passport().split(".")
    _, claims, _ = forge.passport(sub="somebody-else").split(".")
    return f"{head}.{claims}.{signature}"


def flipped(forge):
    head, claims, signature = forge.passport().split(".")
    return f"{head}.{claims}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


def tampered_visa(forge):
    head, _, signature = forge.visa(said={"value": "https://datasets.rehearsal.example/X"}).split(
        "."
    )
    return forge.with_visa(".".join([head, forge.visa().split(".")[1], signature]))


def of_another(forge):
    other = replace(forge.good, subject="somebody-else")
    return forge.passport(**{PASSPORT: sign_visas(forge.mine, other)})


def linked_by_a_stranger(forge):
    """Visas of somebody else, and a link that only the evil issuer signed."""
    other = replace(forge.good, subject="somebody-else")
    tie = replace(
        forge.good,
        visas=(
            linked_identities(
                (forge.mine.url, forge.good.subject), (forge.mine.url, other.subject)
            ),
        ),
    )
    return forge.passport(
        **{PASSPORT: [*sign_visas(forge.mine, other), *sign_visas(forge.evil, tie)]}
    )


def linked_to_a_third(forge):
    other = replace(forge.good, subject="somebody-else")
    tie = replace(
        forge.good,
        visas=(linked_identities((forge.mine.url, forge.good.subject), (forge.mine.url, "third")),),
    )
    return forge.passport(
        **{PASSPORT: [*sign_visas(forge.mine, other), *sign_visas(forge.mine, tie)]}
    )


def linked_by(asserted_by):
    """Visas of somebody else, and a link that a trusted issuer signed, asserted by ``by``."""

    def make(forge):
        other = replace(forge.good, subject="somebody-else")
        tie = linked_identities(
            (forge.mine.url, forge.good.subject), (forge.mine.url, other.subject)
        )
        ties = forge.visa(said={"type": tie.type, "value": tie.value, "by": asserted_by})
        return forge.passport(**{PASSPORT: [*sign_visas(forge.mine, other), ties]})

    return make


def visas_in_access_token(forge):
    return forge.passport(kind="at+jwt", scope="openid ga4gh_passport_v1")


def _now():
    return int(time.time())


EVIL = "https://evil.example/jwks"
EC_KEY = ec.generate_private_key(ec.SECP256R1())

# refused as a whole: 401
# refused with a message of their own, because the caller can do something about it
SIZES = {
    "oversize": lambda f: f.passport(padding="x" * 50_000),
    "too many visas": lambda f: f.passport(**{PASSPORT: ["x.y.z"] * 201}),
}
TOKENS = {
    "empty": lambda f: "",
    "no JWT": lambda f: "let-me-in",
    "two parts": lambda f: f.passport().rpartition(".")[0],
    "four parts": lambda f: f.passport() + ".x",
    "not base64": lambda f: "%%%." + f.passport().partition(".")[2],
    "not JSON": lambda f: "YWJj.YWJj.YWJj",
    "claims that are a list": lambda f: by_hand({"alg": "ES256", "typ": PASSPORT_TYPE}, [1]),
    "claims nested deep": lambda f: "e30." + base64.urlsafe_b64encode(b"[" * 15000).decode() + ".x",
    "algorithm none": lambda f: by_hand({"alg": "none", "typ": PASSPORT_TYPE}, f.claims()),
    "algorithm nOnE": lambda f: by_hand(
        {"alg": "nOnE", "typ": PASSPORT_TYPE, "kid": f.mine.keys["ES256"][0]}, f.claims()
    ),
    "HS256 with the public key": hs256_with(lambda f: public_pem(f.mine)),
    "HS256 with the key set": hs256_with(lambda f: json.dumps(f.mine.jwks()).encode()),
    "HS256 with an empty secret": hs256_with(lambda f: b""),
    "RS384": lambda f: f.by_rsa("RS384"),
    "PS256": lambda f: f.by_rsa("PS256"),
    "kid of the key of another algorithm": lambda f: f.passport(
        headers={"kid": f.mine.keys["RS256"][0]}
    ),
    "expired": lambda f: f.passport(iat=_now() - 2 * HOUR, exp=_now() - 1),
    "expired long ago": lambda f: f.passport(iat=1, exp=2),
    "issued in the future": lambda f: f.passport(iat=_now() + 600),
    "not yet valid": lambda f: f.passport(nbf=_now() + 600),
    "valid for a year": lambda f: f.passport(exp=_now() + 365 * 24 * HOUR),
    "expiry as text": lambda f: f.passport(exp="never"),
    "expiry that is not a number": lambda f: f.passport(exp=True),
    "infinite expiry": lambda f: f.passport(exp=float("inf")),
    "unknown issuer": lambda f: f.passport(iss="https://evil.example"),
    "issuer with a slash more": lambda f: f.passport(iss=f.mine.url + "/"),
    "issuer in capitals": lambda f: f.passport(iss=f.mine.url.upper()),
    "issuer that is a list": lambda f: f.with_listed_issuer(),
    "signed by somebody else": lambda f: f.passport(key=f.evil.keys["ES256"][1]),
    "issued by somebody else": lambda f: sign_tokens(f.evil, f.good, AUDIENCE).passport,
    "unknown kid": lambda f: f.passport(headers={"kid": "no-such-key"}),
    "no kid": lambda f: f.passport(headers={"kid": ...}),
    "kid that is a path": lambda f: f.passport(headers={"kid": "../../dev/null"}),
    "kid that is SQL": lambda f: f.passport(headers={"kid": "' OR 1=1 --"}),
    "hostile jku": lambda f: f.passport(headers={"jku": EVIL}),
    "jku that looks alike": lambda f: f.passport(headers={"jku": f.mine.jku + "@evil.example"}),
    "hostile x5u": lambda f: f.passport(headers={"x5u": "https://evil.example/cert"}),
    "its own key in the header": lambda f: f.passport(
        key=EC_KEY,
        headers={"jwk": json.loads(jwt.get_algorithm_by_name("ES256").to_jwk(EC_KEY.public_key()))},
    ),
    "critical header": lambda f: f.passport(headers={"crit": ["exp"], "exp": 1}),
    "no exp": lambda f: f.passport(exp=...),
    "no iat": lambda f: f.passport(iat=...),
    "no iss": lambda f: f.passport(iss=...),
    "no sub": lambda f: f.passport(sub=...),
    "no audience": lambda f: f.passport(aud=...),
    "empty sub": lambda f: f.passport(sub=""),
    "sub with a line break": lambda f: f.passport(sub="a\nb"),
    "wrong audience": lambda f: f.passport(aud="https://other.example"),
    "audience that holds ours": lambda f: f.passport(aud=AUDIENCE + ".evil.example"),
    "tampered claims": tampered,
    "tampered signature": flipped,
    "no signature": lambda f: f.passport().rpartition(".")[0] + ".",
    "visas inside an access token": visas_in_access_token,
    "visas that are no list": lambda f: f.passport(**{PASSPORT: "all"}),
    "no visas": lambda f: f.passport(**{PASSPORT: ...}),
    "a visa in the place of a passport": lambda f: sign_visas(f.mine, f.good)[0],
    "an ID token": lambda f: f.passport(kind="id+jwt"),
}


def _of_no_time(name, value):
    return lambda forge: forge.passport(**{name: value})


NO_TIMES = (10**400, -(10**400), 10**308, float("inf"), float("-inf"), float("nan"), "soon", [], {})
TOKENS |= {
    f"{name} of {str(value)[:9]}": _of_no_time(name, value)
    for name in ("exp", "iat", "nbf")
    for value in NO_TIMES
}

# the caller is identified, but the visa does not count: 403
VISAS = {
    "no grant": lambda f: f.passport(**{PASSPORT: []}),
    "visa expired": lambda f: f.with_visa(f.visa(iat=_now() - 2 * HOUR, exp=_now() - 1)),
    "visa of the future": lambda f: f.with_visa(f.visa(iat=_now() + 600)),
    "visa asserted in the future": lambda f: f.with_visa(f.visa(said={"asserted": _now() + 600})),
    "visa never asserted": lambda f: f.with_visa(f.visa(said={"asserted": ...})),
    "visa tampered": tampered_visa,
    "visa of an unknown issuer": lambda f: f.with_visa(f.visa(f.evil, iss=f.evil.url)),
    "visa signed by somebody else": lambda f: f.with_visa(f.visa(f.evil)),
    "visa with a hostile jku": lambda f: f.with_visa(f.visa(f.evil, headers={"jku": EVIL})),
    "visa with a jku on this machine": lambda f: f.with_visa(
        f.visa(f.evil, headers={"jku": "http://127.0.0.1:1/jwks"})
    ),
    "visa without jku": lambda f: f.with_visa(f.visa(headers={"jku": ...})),
    "visa with an unknown kid": lambda f: f.with_visa(f.visa(headers={"kid": "other"})),
    "visa with conditions": lambda f: f.with_visa(
        f.visa(said={"conditions": [[{"type": "AffiliationAndRole", "value": "const:x"}]]})
    ),
    "visa with conditions of no form": lambda f: f.with_visa(f.visa(said={"conditions": "x"})),
    "visa by itself": lambda f: f.with_visa(f.visa(said={"by": "self"})),
    "visa by nobody": lambda f: f.with_visa(f.visa(said={"by": ...})),
    "visa by somebody new": lambda f: f.with_visa(f.visa(said={"by": "god"})),
    "visa without source": lambda f: f.with_visa(f.visa(said={"source": ...})),
    "visa without value": lambda f: f.with_visa(f.visa(said={"value": ...})),
    "visa with another value": lambda f: f.with_visa(
        f.visa(said={"value": f"https://evil.example/{DATASET}"})
    ),
    "visa for another dataset": lambda f: f.with_visa(
        f.visa(said={"value": "https://datasets.rehearsal.example/GDI-SE-REHEARSAL-1"})
    ),
    "visa with a pattern as value": lambda f: f.with_visa(
        f.visa(said={"value": "https://datasets.rehearsal.example/*"})
    ),
    "visa of another type": lambda f: f.with_visa(f.visa(said={"type": "controlledaccessgrants"})),
    "visa without object": lambda f: f.with_visa(f.visa(**{VISA: ...})),
    "visa without expiry": lambda f: f.with_visa(f.visa(exp=...)),
    "visa that is an access token": lambda f: f.with_visa(f.visa(scope="openid")),
    "visa of a type of token that is none": lambda f: f.with_visa(f.visa(typ=PASSPORT_TYPE)),
    "visa for another audience": lambda f: f.with_visa(f.visa(aud="https://other.example")),
    "visa too long": lambda f: f.with_visa(f.visa(said={"padding": "x" * 9000})),
    "visa that is no JWT": lambda f: f.with_visa("nonsense"),
    "visa of another subject": of_another,
    "visa of another subject, linked by a stranger": linked_by_a_stranger,
    "visa of another subject, linked to a third": linked_to_a_third,
    "visa of another subject, linked by self": linked_by("self"),
    "visa of another subject, linked by a peer": linked_by("peer"),
    "visa of another subject, linked by a committee": linked_by("dac"),
    "visa of another subject, linked by nobody": linked_by(...),
}

HOSTILE = {**TOKENS, **VISAS}
