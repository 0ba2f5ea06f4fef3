"""Tokens by which an asker and a node speak of somebody without naming them."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from rehearsal.errors import InputError
from rehearsal.node.access.visas import Caller
from rehearsal.node.privacy.secret_key import secret_key
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.people_store import PeopleStore

LENGTH = 32  # hexadecimal digits: 128 bits


class ContactTokens:
    """A token is a keyed digest of asker and person: the same at every question of one asker,
    another for another asker, and telling neither without the node's secret."""

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"contact token", "sha256")

    @classmethod
    def of_node(cls, folder: Path) -> ContactTokens:
        """Those of a node's folder. Raises InputError for a folder that is none."""
        return cls(secret_key(folder / (NodeSettings.read(folder).access.state or "")))

    def token(self, issuer: str, subject: str, person: str) -> str:
        """The token of a person for the asker whom an issuer calls ``subject``."""
        parts = (part.encode() for part in (issuer, subject, person))
        message = b"".join(len(part).to_bytes(4) + part for part in parts)
        return hmac.new(self._key, message, sha256).hexdigest()[:LENGTH]

    def for_caller(self, caller: Caller, person: str) -> str:
        return self.token(caller.issuer, caller.subject, person)

    def person(self, issuer: str, subject: str, token: str, people: Iterable[str]) -> str | None:
        """Who of the node's people a token of this asker stands for."""
        return next((one for one in people if self.token(issuer, subject, one) == token), None)


def find_person_of_token(folder: Path, issuer: str, subject: str, token: str) -> str:
    """Who a contact token of an asker stands for: for the node's operator. Raises InputError."""
    contacts = ContactTokens.of_node(folder)
    people = PeopleStore.open(folder / "people.sqlite")
    try:
        found = contacts.person(issuer, subject, token, people.all_identifiers())
    finally:
        people.close()
    if found is None:
        raise InputError(folder, "token", f"one that this node gave to {subject} of {issuer}")
    return found
