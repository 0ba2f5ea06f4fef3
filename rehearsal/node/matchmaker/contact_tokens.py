"""Contact tokens, by which a caller and a node refer to a person without naming the person."""

from __future__ import annotations

import hmac
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

from rehearsal.errors import InputError, shown
from rehearsal.node.access.visas import Caller
from rehearsal.node.privacy.secret_key import secret_key
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.people_store import PeopleStore

LENGTH = 32  # hexadecimal digits: 128 bits


class ContactTokens:
    """Keyed digests of caller and person.

    The token of a person is always the same for one caller and differs between callers. Without the
    node's secret it reveals neither.

    Args:
        secret: The node's secret key.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = hmac.digest(secret, b"contact token", "sha256")

    @classmethod
    def of_node(cls, folder: Path) -> ContactTokens:
        """Create the tokens of a node.

        Args:
            folder: The node's folder.

        Returns:
            The node's tokens.

        Raises:
            InputError: The folder is not a node's folder.
        """
        return cls(secret_key(folder / (NodeSettings.read(folder).access.state or "")))

    def token(self, issuer: str, subject: str, person: str) -> str:
        """Return the token of a person for a caller.

        Args:
            issuer: The caller's issuer.
            subject: The caller's subject at the issuer.
            person: The person's identifier.

        Returns:
            32 hexadecimal digits.
        """
        parts = (part.encode() for part in (issuer, subject, person))
        message = b"".join(len(part).to_bytes(4) + part for part in parts)
        return hmac.new(self._key, message, sha256).hexdigest()[:LENGTH]

    def for_caller(self, caller: Caller, person: str) -> str:
        """Return the token of a person for a verified caller.

        Args:
            caller: The caller.
            person: The person's identifier.

        Returns:
            32 hexadecimal digits.
        """
        return self.token(caller.issuer, caller.subject, person)

    def person(self, issuer: str, subject: str, token: str, people: Iterable[str]) -> str | None:
        """Find the person of a token.

        Args:
            issuer: The issuer of the caller who got the token.
            subject: The caller's subject.
            token: The token.
            people: Identifiers of the node's people.

        Returns:
            The person's identifier, or None.
        """
        return next((one for one in people if self.token(issuer, subject, one) == token), None)


def find_person_of_token(folder: Path, issuer: str, subject: str, token: str) -> str:
    """Find the person of a contact token, for the node's operator.

    Args:
        folder: The node's folder.
        issuer: The issuer of the caller who got the token.
        subject: The caller's subject.
        token: The token.

    Returns:
        The person's identifier.

    Raises:
        InputError: The node gave this caller no such token.
    """
    contacts = ContactTokens.of_node(folder)
    people = PeopleStore.open(folder / "people.sqlite")
    try:
        found = contacts.person(issuer, subject, token, people.all_identifiers())
    finally:
        people.close()
    if found is None:
        expected = f"a contact token that this node gave to {subject} of {issuer}"
        raise InputError(folder, "token", expected, shown(token))
    return found
