"""What nodes and coordinators sign: messages of which none can stand for another.

Each begins with what it is for, and every part with its length (8 bytes, big-endian). So no message
of one kind, run, node or round is one of another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson


@dataclass(frozen=True, slots=True)
class SignedKey:
    """A node's public key in one run, signed with the node's identity key."""

    public_key: bytes  # X25519, 32 bytes
    signature: bytes  # Ed25519, 64 bytes, of a key_message


@dataclass(frozen=True, slots=True)
class AddressedRun:
    """To which run at which node a coordinator speaks."""

    node: str  # its code
    run: str  # id of the run at the node, which the node drew


def task_digest(algorithm: str, parameters: Mapping[str, Any], purpose: str) -> bytes:
    """Digest what a node computes, to compare it with what others do.

    Args:
        algorithm: The digest of the algorithm.
        parameters: Its parameters.
        purpose: DUO term.

    Returns:
        32 bytes (SHA-256).
    """
    given = orjson.dumps(parameters, option=orjson.OPT_SORT_KEYS)
    message = _message("task", algorithm.encode(), given, purpose.encode())
    return hashlib.sha256(message).digest()


def key_message(analysis: str, node: str, public_key: bytes, task: bytes) -> bytes:
    """Write what a node signs with its identity key when it joins an analysis.

    Args:
        analysis: The identifier of the analysis, the same at all nodes.
        node: The node's code.
        public_key: Its X25519 key of this run.
        task: What it computes, as of :func:`task_digest`.
    """
    return _message("key", analysis.encode(), node.encode(), public_key, task)


def keys_message(to: AddressedRun, analysis: str, keys: Mapping[str, SignedKey]) -> bytes:
    """Write what a coordinator signs of the keys of all nodes.

    Args:
        to: The run that gets them.
        analysis: The identifier of the analysis.
        keys: The keys by node.
    """
    parts = [part for name in sorted(keys) for part in (name.encode(), *_parts(keys[name]))]
    return _addressed("keys", to, analysis.encode(), *parts)


def attempt_message(
    to: AddressedRun, round_number: int, attempt: int, nodes: Sequence[str]
) -> bytes:
    """Write what a coordinator signs of an attempt to add masked sums.

    Args:
        to: The run that takes part.
        round_number: The round.
        attempt: The number of the attempt.
        nodes: The nodes that take part.
    """
    names = [name.encode() for name in sorted(nodes)]
    return _addressed("attempt", to, _number(round_number), _number(attempt), *names)


def state_message(to: AddressedRun, round_number: int, content: bytes) -> bytes:
    """Write what a coordinator signs of a state.

    Args:
        to: The run that gets it.
        round_number: The round that it follows.
        content: The whole state.
    """
    return _addressed("state", to, _number(round_number), hashlib.sha256(content).digest())


def _addressed(kind: str, to: AddressedRun, *parts: bytes) -> bytes:
    return _message(kind, to.node.encode(), to.run.encode(), *parts)


def _message(kind: str, *parts: bytes) -> bytes:
    named = (b"rehearsal federated analysis 1", kind.encode(), *parts)
    return b"".join(len(part).to_bytes(8, "big") + part for part in named)


def _parts(key: SignedKey) -> tuple[bytes, bytes]:
    return key.public_key, key.signature


def _number(value: int) -> bytes:
    return str(value).encode()
