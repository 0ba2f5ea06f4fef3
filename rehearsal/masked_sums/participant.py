"""One node's part in sums whose addends nobody else sees.

The protocol is that of Bonawitz et al. 2017 (Practical Secure Aggregation for Privacy-Preserving
Machine Learning), with two changes. Survivors hand out keys themselves instead of shares of keys:
a round that loses a node while it is opened is repeated under a new number. And the total is opened
at one of the nodes, so that its rule for small counts holds before the network sees a number.

One round:

1. Each node adds two kinds of masks to its vector. Those of pairs cancel each other in the total.
   Its own one is drawn for the round. The network adds the vectors.
2. The network says whose vectors are in the total. Each node confirms this list to each other
   node, once a round, and seals a random seed for it.
3. A node that has equal confirmations of all others on the list seals for the node that opens: its
   own mask, the masks that it shares with nodes that are not on the list, the fewest people that
   its values may tell of, and two check words. These are its vector times random numbers that
   follow from the opener's seed, under masks of pairs that cancel in the sum over the list.
4. The opening node takes the masks from the total, and compares its check words with their sum.

The network adds and relays. It may lie about who was lost: as no node confirms two lists, it never
gets both kinds of masks of one vector. It may add numbers of its own to the total, so that counts
look larger than they are: it does not know the seed, so the check words differ, and a total is
opened once. A difference of ``2**63`` in single words, which is found with the probability 3/4,
and others that large powers of two divide, are for those who use the total to refuse, as no count
is so large. That public keys are those of partners is checked before :meth:`Participant.meet`, by
:mod:`rehearsal.masked_sums.partners`.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from numpy.typing import NDArray

from rehearsal.errors import mismatch
from rehearsal.masked_sums.pair_keys import (
    KEY_BYTES,
    confirmation,
    derived_key,
    mask_stream,
    pair_secret,
)
from rehearsal.masked_sums.sealed_messages import (
    CHECK_WORDS,
    Revealed,
    check_words,
    new_seed,
    seal,
    unseal,
)

FEWEST = 3  # participants: of two, one knows the other's value from the total
CONFIRMED_BYTES = 32  # of a confirmation; the sealed seed follows


class MaskingError(ValueError):
    """A message that the protocol does not allow. Its text is one line.

    Args:
        where: The round, node or part of the message.
        expected: What is allowed there.
        found: What stands there instead.
    """

    def __init__(self, where: str, expected: str, found: str) -> None:
        super().__init__(mismatch(f"masked sums: {where}", expected, found))


@dataclass(frozen=True, slots=True)
class OpenedTotal:
    """The sum of the values of the nodes on a list."""

    vector: NDArray[np.uint64]  # shape (n,), modulo 2^64
    smallest_count: int  # the largest of those of the nodes on the list


@dataclass(slots=True)
class _Round:
    """What a participant remembers of one round."""

    peers: frozenset[str]  # all whose masks are in its vector, without itself
    vector: NDArray[np.uint64] | None  # None once it has told its keys or opened the total
    own_key: bytes = field(default_factory=lambda: secrets.token_bytes(KEY_BYTES))
    seed: bytes = field(default_factory=new_seed)  # of check words, if it opens
    present: frozenset[str] | None = None  # the list that it confirmed


class Participant:
    """One node in one run.

    Args:
        run: The identifier of the run, the same at all nodes.
        name: The name of the node, unique in the run.
        smallest_count: The fewest people that its values may tell of.
    """

    def __init__(self, run: str, name: str, smallest_count: int = 1) -> None:
        self.run, self.name, self._least = run, name, smallest_count
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
        """Hide a vector, and keep it until its keys are told. Earlier rounds are given up.

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
        for earlier in self._rounds.values():
            earlier.vector = None
        state = _Round(everybody - {self.name}, vector.copy())
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
            A confirmation with a sealed seed for each other node on the list, by its name.

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
            + seal(self._pair_key(peer, round_number, f"seed {self.name}"), state.seed)
            for peer in sorted(listed - {self.name})
        }

    def reveal(self, round_number: int, confirmations: Mapping[str, bytes], opener: str) -> bytes:
        """Seal what the node that opens the total needs, for this node only.

        Args:
            round_number: A round whose list this node confirmed.
            confirmations: What every other node on the list confirmed to this one, by its name.
            opener: The node that opens the total: another one on the list.

        Returns:
            A message that only the opener reads.

        Raises:
            MaskingError: No list was confirmed, the opener is not on it, a confirmation is missing
                or speaks of another list, the opener's seed is not genuine, or the keys were
                revealed before.
        """
        state, listed = self._agreed(round_number, confirmations)
        if opener not in listed - {self.name}:
            raise MaskingError(f"round {round_number}: opener", "another node of the list", opener)
        purpose, sealed_seed = f"seed {opener}", confirmations[opener][CONFIRMED_BYTES:]
        try:
            seed = unseal(self._pair_key(opener, round_number, purpose), sealed_seed)
        except ValueError:
            where, expected = f"round {round_number}: seed of {opener}", "one sealed for this node"
            raise MaskingError(where, expected, "another message") from None
        check, state.vector = check_words(seed, _kept_vector(round_number, state)), None
        for peer in sorted(listed - {self.name}):
            key = self._pair_key(peer, round_number, "check")
            _add_pair(check, mask_stream(key, CHECK_WORDS), self.name, peer)
        message = Revealed(self._left_keys(round_number), check, self._least)
        return message.seal(self._pair_key(opener, round_number, f"seal {self.name}"))

    def open(
        self,
        round_number: int,
        masked_total: NDArray[np.uint64],
        confirmations: Mapping[str, bytes],
        sealed: Mapping[str, bytes],
    ) -> OpenedTotal:
        """Take the masks from a total, once.

        Args:
            round_number: A round whose list this node confirmed.
            masked_total: The sum of the vectors of all nodes on the list, shape (n,).
            confirmations: What every other node on the list confirmed to this one, by its name.
            sealed: What every other node on the list revealed to this one, by its name.

        Returns:
            The sum of the values, and the fewest people that it may tell of.

        Raises:
            MaskingError: A confirmation or a message is missing or not genuine, this node has
                revealed its keys to another one, or the total is not the sum of the vectors.
        """
        state, listed = self._agreed(round_number, confirmations)
        vector, others = _kept_vector(round_number, state), sorted(listed - {self.name})
        revealed = {name: self._unsealed(round_number, name, sealed) for name in others}
        check, state.vector = check_words(state.seed, vector), None
        for name, message in revealed.items():
            check += message.check
            key = self._pair_key(name, round_number, "check")
            _add_pair(check, mask_stream(key, CHECK_WORDS), self.name, name)
        keys = {name: one.keys for name, one in revealed.items()}
        keys[self.name] = self._left_keys(round_number)
        total = _without_masks(masked_total, keys)
        if (check_words(state.seed, total) != check).any():
            expected = "the sum of the values of the nodes on the list"
            raise MaskingError(f"round {round_number}: total", expected, "other numbers")
        return OpenedTotal(total, max(self._least, *(r.smallest_count for r in revealed.values())))

    def _left_keys(self, round_number: int) -> dict[str, bytes]:
        """The keys of masks that the others on the list do not cancel; its own by its own name."""
        state = self._rounds[round_number]
        lost = sorted(state.peers - (state.present or frozenset()))
        pairs = {peer: self._pair_key(peer, round_number, "mask") for peer in lost}
        return {self.name: state.own_key, **pairs}

    def _unsealed(self, round_number: int, name: str, sealed: Mapping[str, bytes]) -> Revealed:
        """Read the message of another node."""
        where, expected = f"round {round_number}: keys of {name}", "a message sealed for this node"
        if name not in sealed:
            raise MaskingError(where, expected, "none")
        try:
            return Revealed.unseal(self._pair_key(name, round_number, f"seal {name}"), sealed[name])
        except ValueError:
            raise MaskingError(where, expected, "another message") from None

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
            found_here = confirmations.get(peer, b"")[:CONFIRMED_BYTES]
            if not hmac.compare_digest(genuine, found_here):
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


def _kept_vector(round_number: int, state: _Round) -> NDArray[np.uint64]:
    """Return the vector of a round. Raises MaskingError if it is in a total already."""
    if state.vector is None:
        expected = "one message with keys or one opening, before the next round"
        raise MaskingError(f"round {round_number}", expected, "a second request or a late one")
    return state.vector


def _add_pair(vector: NDArray[np.uint64], stream: NDArray[np.uint64], own: str, peer: str) -> None:
    """Add the mask of a pair in place: the one whose name is first adds, the other subtracts."""
    if own < peer:
        vector += stream
    else:
        vector -= stream


def _without_masks(
    masked_total: NDArray[np.uint64], keys: Mapping[str, Mapping[str, bytes]]
) -> NDArray[np.uint64]:
    """Take masks from a total, by the node that tells them and whose they are."""
    total = masked_total.copy()
    for name in sorted(keys):
        for peer, key in keys[name].items():
            stream = mask_stream(key, len(total))
            if peer == name:
                total -= stream
            else:
                _add_pair(total, stream, peer, name)  # with the other sign
    return total
