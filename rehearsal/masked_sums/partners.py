"""With whom a node adds masked sums: those whose identity keys its operator has listed.

Against a network that replaces keys or adds nodes of its own, masks need keys that somebody vouches
for (Bonawitz et al. 2017, section 6.2: a public-key infrastructure). Here each operator does so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rehearsal.masked_sums.participant import MaskingError
from rehearsal.masked_sums.signed_messages import SignedKey, key_message
from rehearsal.masked_sums.signing_keys import is_signed


class NotPartnerError(MaskingError):
    """A key of somebody with whom the node adds no sums."""


@dataclass(frozen=True, slots=True)
class JoinedNode:
    """What a node says of itself when it joins an analysis. All of it is public."""

    node: str  # its code
    analysis: str  # identifier of the analysis
    task: bytes  # what it computes, as of signed_messages.task_digest
    key: SignedKey
    partners: Mapping[str, bytes]  # by code, the identity keys that the node accepts

    @classmethod
    def signed(
        cls,
        identity: Ed25519PrivateKey,
        node: str,
        analysis: str,
        task: bytes,
        public_key: bytes,
        partners: Mapping[str, bytes],
    ) -> JoinedNode:
        """Sign a node's key.

        Args:
            identity: The node's identity key.
            node: Its code.
            analysis: Identifier of the analysis.
            task: What it computes.
            public_key: Its X25519 key of this run.
            partners: By code, the identity keys that it accepts.
        """
        signature = identity.sign(key_message(analysis, node, public_key, task))
        return cls(node, analysis, task, SignedKey(public_key, signature), partners)

    def check(self, other: str, key: SignedKey) -> None:
        """Check that a key is one of a partner that computes the same in the same analysis.

        Args:
            other: The code of the other node.
            key: Its key.

        Raises:
            NotPartnerError: The node does not accept it.
        """
        where = f"keys: {other}"
        if other not in self.partners:
            expected = "a partner that analyses.partners in node.yaml lists"
            raise NotPartnerError(where, expected, "another node")
        message = key_message(self.analysis, other, key.public_key, self.task)
        if not is_signed(self.partners[other], key.signature, message):
            expected = f"a key that {other} signed for this analysis, with its identity key"
            raise NotPartnerError(where, expected, "another signature")

    def check_all(self, keys: Mapping[str, SignedKey]) -> None:
        """Check the keys of all other nodes.

        Args:
            keys: The keys by node, also that of this one.

        Raises:
            NotPartnerError: The node does not accept one of them.
        """
        for name in sorted(keys):
            if name != self.node:
                self.check(name, keys[name])
