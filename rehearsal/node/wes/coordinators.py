"""Who may play the network's part at a node: coordinators whose keys its operator has listed."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error
from collections.abc import Sequence

from rehearsal.masked_sums.signing_keys import is_signed
from rehearsal.web.problem import Problem

SIGNATURE_HEADER = "x-rehearsal-signature"


class Coordinators:
    """Checks what comes from the network.

    Args:
        keys: Public keys of coordinators, 32 bytes each.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    def require_any(self) -> None:
        """Check that the node accepts coordinators at all.

        Raises:
            Problem: It lists none (403).
        """
        if not self._keys:
            raise Problem(
                "This node takes nothing from a network: its node.yaml lists no "
                "analyses.coordinators.",
                403,
            )

    def check(self, signature: str | None, message: bytes) -> None:
        """Check that a coordinator signed a message.

        Args:
            signature: The signature in base64; None or empty: there is none.
            message: The message.

        Raises:
            Problem: None of them did (403).
        """
        self.require_any()
        try:
            given = b64decode(signature or "", validate=True)
        except (Error, ValueError):
            given = b""
        if not any(is_signed(key, given, message) for key in self._keys):
            expected = "one by a coordinator that analyses.coordinators in node.yaml lists"
            found = "another one" if signature else "none"
            raise Problem.mismatch("signature", expected, found, 403)
