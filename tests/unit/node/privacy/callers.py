"""Callers who get no exact answers, and callers whose tokens are refused."""

from rehearsal.network.issuer import make_issuer
from rehearsal.network.tokens import create_person, sign_tokens

from ..hostile_tokens import AUDIENCE, TOKENS, Forge

PEOPLE = {
    "one": ("researcher", "FI"),
    "two": ("researcher", "SE"),
    "committee": ("committee", "FI"),
}
HOSTILE = {"expired": "expired", "nonsense": "no JWT", "stranger": "issued by somebody else"}


def make_forge(folder):
    """Make an issuer whom nodes trust, and one whom they do not know.

    Args:
        folder: Where their keys are written.
    """
    return Forge(make_issuer(folder / "mine"), make_issuer(folder / "evil", "https://evil.example"))


def tokens_of(forge):
    """Sign the tokens of all callers, by name.

    Args:
        forge: The two issuers.
    """
    signed = {
        name: sign_tokens(forge.mine, create_person(*person), AUDIENCE).passport
        for name, person in PEOPLE.items()
    }
    return signed | {name: TOKENS[kind](forge) for name, kind in HOSTILE.items()}
