"""Keys of matchmakers (Matchmaker Exchange 1.1): the header ``X-Auth-Token``.

A matchmaker that signs in with a key has no token and no visas. The operator vouches for it with an
entry of ``access.matchmakers``, which names the client, the purpose of its requests and the digest
of the key. A key opens :data:`KEY_PATHS` only. It stands for a grant of the node's own people and
for the roles that the purpose requires, so vetoes and consent apply as to every other caller.
"""

from __future__ import annotations

import hmac
import math
from hashlib import sha256

from rehearsal.node.access.consent import Purpose, read_purpose
from rehearsal.node.access.matchmaker_settings import MatchmakerKey
from rehearsal.node.access.settings import DATASETS_URL, AccessedNode
from rehearsal.node.access.visas import Caller, Visa
from rehearsal.web.problem import Problem

HEADER_NAME = "X-Auth-Token"
HEADER = HEADER_NAME.lower()
KEY_PATHS = frozenset({"/match", "/heartbeat", "/metrics"})
KEY_ISSUER = "matchmaker key"  # stands for the issuer in the audit log and in vetoes
LONGEST_KEY = 255  # bytes, the limit of the Matchmaker Exchange


class MatchmakerKeys:
    """The matchmakers that may sign in with a key.

    Args:
        node: The node's identity and access settings.
    """

    def __init__(self, node: AccessedNode) -> None:
        self._callers = [
            (bytes.fromhex(one.sha256), _caller(one, node), read_purpose(one.purpose))
            for one in node.access.matchmakers
        ]

    def find(self, key: bytes) -> tuple[Caller, Purpose | None] | None:
        """Find the owner of a key. It takes the same time for every key.

        Args:
            key: The key as sent.

        Returns:
            The matchmaker and the purpose of its requests, or None for an unknown key.
        """
        return self.of_digest(sha256(key[: LONGEST_KEY + 1]).digest())

    def purpose(self, caller: Caller, stated: Purpose | None) -> Purpose | None:
        """Return the purpose of a request: that of its key, or else the stated one.

        Args:
            caller: The caller.
            stated: The purpose stated in the request.

        Returns:
            The purpose.

        Raises:
            Problem: Another purpose than the key's is stated (403).
        """
        known = self.again(caller)
        if known is None:
            return stated
        if stated not in (None, known[1]):
            raise Problem(f"The key is for the purpose {known[1]}.", 403)
        return known[1]

    def again(self, caller: Caller) -> tuple[Caller, Purpose | None] | None:
        """Find a caller who signed in earlier.

        Args:
            caller: The caller of before.

        Returns:
            As :meth:`find`; None also for a caller with a token.
        """
        return self.of_digest(caller.digest) if caller.issuer == KEY_ISSUER else None

    def of_digest(self, digest: bytes) -> tuple[Caller, Purpose | None] | None:
        """Find the owner of a key by its digest.

        Args:
            digest: SHA-256 of the key.

        Returns:
            As :meth:`find`.
        """
        found = None
        for known, caller, purpose in self._callers:  # compares with all, whichever is right
            if hmac.compare_digest(known, digest):
                found = caller, purpose
        return found


def _caller(key: MatchmakerKey, node: AccessedNode) -> Caller:
    """Build the caller of a key, with what the operator's entry asserts about it."""
    purpose = read_purpose(key.purpose)
    roles = node.access.roles.get(purpose.term, ()) if purpose else ()
    asserted = [("ControlledAccessGrants", f"{DATASETS_URL}{node.people_dataset}", "dac")]
    asserted += [("AffiliationAndRole", f"{role}@{key.client}", "so") for role in roles]
    visas = (
        Visa(KEY_ISSUER, key.client, kind, value, node.beacon_id, by, math.inf)
        for kind, value, by in asserted
    )
    return Caller(KEY_ISSUER, key.client, tuple(visas), math.inf, digest=bytes.fromhex(key.sha256))
