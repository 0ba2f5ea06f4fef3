"""One node's part in sums whose addends nobody else sees.

The protocol is that of Bonawitz et al. 2017 (Practical Secure Aggregation for Privacy-Preserving
Machine Learning), with two changes. Survivors hand out keys themselves instead of shares of keys:
a round that loses a node while it is opened is repeated under a new number. And the total is opened
at one of the nodes, so that its rule for small counts holds before the network sees a number.

One round:

1. Each node adds two kinds of masks to its vector. Those of pairs cancel each other in the total.
   Its own one is drawn for the round. The network adds the vectors.
2. The network says whose vectors are in the total. Each node confirms this list to each other
   node, once a round.
3. A node that has equal confirmations of all others on the list seals, for the node that opens, its
   own mask and the masks that it shares with nodes that are not on the list.
4. The opening node takes the masks from the total.

The network adds and relays. It may lie about who was lost: as no node confirms two lists, it never
gets both kinds of masks of one vector. That public keys are those of partners is checked before
:meth:`Participant.meet`, by :mod:`rehearsal.masked_sums.partners`.
"""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from numpy.typing import NDArray

from rehearsal.errors import mismatch
from rehearsal.masked_sums.pair_keys import (
    KEY_BYTES,
    confirmation,
    derived_key,
    mask_stream,
    pair_secret,
)

FEWEST = 3  # participants: of two, one knows the other's value from the total
NONCE = bytes(12)  # each key seals one message


class MaskingError(ValueError):
    """A message that the protocol does not allow. Its text is one line.

    Args:
        where: The round, node or part of the message.
        expected: What is allowed there.
        found: What stands there instead.
    """

    def __init__(self, where: str, expected: str, found: str) -> None:
        super().__init__(mismatch(f"masked sums: {where}", expected, found))


@dataclass(slots=True)
class _Round:
    """What a participant remembers of one round."""

    peers: frozenset[str]  # all whose masks are in its vector, without itself
    own_key: bytes = field(default_factory=lambda: secrets.token_bytes(KEY_BYTES))
    present: frozenset[str] | None = None  # the list that it confirmed
    revealed: bool = False


class Participant:
    """One node in one run.

    Args:
        run: The identifier of the run, the same at all nodes.
        name: The name of the node, unique in the run.
    """

    def __init__(self, run: str, name: str) -> None:
        self.run, self.name = run, name
        self._private_key = X25519PrivateKey.generate()
        self._secrets: dict[str, bytes] = {}
        self._rounds: dict[int, _Round] = {}

    @property
    def public_key(self) -> bytes:
        """The public key of this run, 32 bytes."""
        return self._private_key.public_key().public_bytes_raw()

    def meet(self, public_keys: Mapping[str, bytes]) -> None:
        """Agree on secrets with all other participants. Once a run.

        Args:
            public_keys: The public keys of all participants by name, with its own.

        Raises:
            MaskingError: It has met others before, there are fewer than three participants, or a
                key cannot be used.
        """
        if self._secrets:
            raise MaskingError("keys", "one list in a run", "a second one")
        if public_keys.get(self.name) != self.public_key:
            raise MaskingError("keys", f"the key of {self.name} among them", "none or another")
        self._check_number(public_keys)
        for name, key in public_keys.items():
            if name != self.name:
                try:
                    self._secrets[name] = pair_secret(self._private_key, key)
                except ValueError as error:
                    self._secrets.clear()
                    expected = "32 bytes of an X25519 key"
                    raise MaskingError(f"keys: {name}", expected, f"{len(key)} bytes") from error

    def mask(
        self, round_number: int, vector: NDArray[np.uint64], participants: Iterable[str]
    ) -> NDArray[np.uint64]:
        """Hide a vector.

        Args:
            round_number: A number that was not used before in this run.
            vector: The node's values, shape (n,).
            participants: Who takes part in this round, with this node.

        Returns:
            Shape (n,). Without the masks every value is equally likely.

        Raises:
            MaskingError: The round was masked before, or its participants are not among those
                that this node met, or fewer than three.
        """
        everybody = frozenset(participants)
        if round_number in self._rounds:
            raise MaskingError(f"round {round_number}", "a new number", "a round masked before")
        self._check_list(round_number, everybody, frozenset({self.name, *self._secrets}))
        state = _Round(everybody - {self.name})
        masked = vector + mask_stream(state.own_key, len(vector))
        for peer in sorted(state.peers):
            key = self._pair_key(peer, round_number, "mask")
            _add_pair(masked, mask_stream(key, len(vector)), self.name, peer)
        self._rounds[round_number] = state
        return masked

    def confirm(self, round_number: int, present: Iterable[str]) -> dict[str, bytes]:
        """Confirm to each other node whose vectors are in the total.

        Args:
            round_number: A round that this node masked.
            present: Those whose vectors were added, with this node.

        Returns:
            A confirmation for each other node on the list, by its name.

        Raises:
            MaskingError: The round is unknown, another list was confirmed before, or the list has
                others than the round's participants, or fewer than three.
        """
        state = self._round(round_number)
        listed = frozenset(present)
        self._check_list(round_number, listed, state.peers | {self.name})
        if state.present not in (None, listed):
            raise MaskingError(f"round {round_number}", "one list of nodes", "a second list")
        state.present = listed
        return {
            peer: confirmation(self._pair_key(peer, round_number, "confirm"), self.name, listed)
            for peer in sorted(listed - {self.name})
        }

    def reveal(self, round_number: int, confirmations: Mapping[str, bytes], opener: str) -> bytes:
        """Seal the keys of the masks that are left in the total, for the node that opens it.

        Args:
            round_number: A round whose list this node confirmed.
            confirmations: What every other node on the list confirmed to this one, by its name.
            opener: The node that opens the total: another one on the list.

        Returns:
            A message that only the opener reads.

        Raises:
            MaskingError: No list was confirmed, the opener is not on it, a confirmation is missing
                or speaks of another list, or the keys were revealed before.
        """
        state, listed = self._agreed(round_number, confirmations)
        if opener not in listed - {self.name}:
            raise MaskingError(f"round {round_number}: opener", "another node of the list", opener)
        if state.revealed:
            raise MaskingError(f"round {round_number}", "one message with keys", "a second request")
        state.revealed = True
        message = {name: key.hex() for name, key in self._left_keys(round_number).items()}
        seal = AESGCM(self._pair_key(opener, round_number, f"seal {self.name}"))
        return seal.encrypt(NONCE, json.dumps(message).encode(), None)

    def open(
        self,
        round_number: int,
        masked_total: NDArray[np.uint64],
        confirmations: Mapping[str, bytes],
        sealed: Mapping[str, bytes],
    ) -> NDArray[np.uint64]:
        """Take the masks from a total.

        Args:
            round_number: A round whose list this node confirmed.
            masked_total: The sum of the vectors of all nodes on the list, shape (n,).
            confirmations: What every other node on the list confirmed to this one, by its name.
            sealed: What every other node on the list revealed to this one, by its name.

        Returns:
            The sum of the values, shape (n,), modulo 2^64.

        Raises:
            MaskingError: A confirmation or a message is missing or not genuine, or this node has
                revealed its keys to another one.
        """
        state, listed = self._agreed(round_number, confirmations)
        if state.revealed:
            raise MaskingError(f"round {round_number}", "one opening", "a second one")
        total = masked_total.copy()
        for name in sorted(listed):
            keys = (
                self._left_keys(round_number)
                if name == self.name
                else self._unsealed(round_number, name, sealed)
            )
            for peer, key in keys.items():
                stream = mask_stream(key, len(total))
                if peer == name:
                    total -= stream
                else:
                    _add_pair(total, stream, peer, name)  # with the other sign
        state.revealed = True
        return total

    def _left_keys(self, round_number: int) -> dict[str, bytes]:
        """The keys of masks that the others on the list do not cancel; its own by its own name."""
        state = self._rounds[round_number]
        lost = sorted(state.peers - (state.present or frozenset()))
        pairs = {peer: self._pair_key(peer, round_number, "mask") for peer in lost}
        return {self.name: state.own_key, **pairs}

    def _unsealed(
        self, round_number: int, name: str, sealed: Mapping[str, bytes]
    ) -> dict[str, bytes]:
        """Read the message of another node."""
        where, expected = f"round {round_number}: keys of {name}", "a message sealed for this node"
        if name not in sealed:
            raise MaskingError(where, expected, "none")
        seal = AESGCM(self._pair_key(name, round_number, f"seal {name}"))
        try:
            message = json.loads(seal.decrypt(NONCE, sealed[name], None))
        except InvalidTag as error:
            raise MaskingError(where, expected, "another message") from error
        return {peer: bytes.fromhex(key) for peer, key in message.items()}

    def _agreed(
        self, round_number: int, confirmations: Mapping[str, bytes]
    ) -> tuple[_Round, frozenset[str]]:
        """Check that all nodes on the confirmed list have confirmed the same one."""
        state = self._round(round_number)
        if state.present is None:
            raise MaskingError(f"round {round_number}", "a confirmed list of nodes", "none")
        for peer in sorted(state.present - {self.name}):
            key = self._pair_key(peer, round_number, "confirm")
            genuine = confirmation(key, peer, state.present)
            if not hmac.compare_digest(genuine, confirmations.get(peer, b"")):
                where, expected = f"round {round_number}: {peer}", "a confirmation of the same list"
                found = "another one" if peer in confirmations else "none"
                raise MaskingError(where, expected, found)
        return state, state.present

    def _round(self, round_number: int) -> _Round:
        if round_number not in self._rounds:
            raise MaskingError(f"round {round_number}", "a round masked here", "an unknown one")
        return self._rounds[round_number]

    def _pair_key(self, peer: str, round_number: int, purpose: str) -> bytes:
        return derived_key(self._secrets[peer], self.run, round_number, purpose)

    def _check_list(self, round_number: int, listed: frozenset[str], known: frozenset[str]) -> None:
        """Check that a list names this node, only known ones, and at least three."""
        if self.name not in listed:
            raise MaskingError(f"round {round_number}", f"a list with {self.name}", "one without")
        if unknown := listed - known:
            expected = "participants of the run and the round"
            raise MaskingError(f"round {round_number}", expected, ", ".join(sorted(unknown)))
        self._check_number(listed)

    @staticmethod
    def _check_number(participants: Iterable[str]) -> None:
        number = len(list(participants))
        if number < FEWEST:
            raise MaskingError("participants", f"at least {FEWEST}", str(number))


def _add_pair(vector: NDArray[np.uint64], stream: NDArray[np.uint64], own: str, peer: str) -> None:
    """Add the mask of a pair in place: the one whose name is first adds, the other subtracts."""
    if own < peer:
        vector += stream
    else:
        vector -= stream
