"""Keys of questions, by which noise, prices and budgets recognise the same question."""

from __future__ import annotations

import hashlib

from pyroaring import BitMap


def question_key(*parts: str | bytes) -> bytes:
    """Build the key of a question.

    Build it from the meaning (``str(variant)``, the set of people left by the filters), never from
    the request's text. Two wordings of one question must have one key. Otherwise an attacker could
    average the noise.

    Args:
        *parts: The matched allele or term, then all restrictions.

    Returns:
        32 bytes (SHA-256).
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


def allele_question(contig: str, start: int, ref: str, alt: str) -> bytes:
    """Build the key of the question who carries an allele.

    Args:
        contig: Contig name.
        start: Position, 0-based.
        ref: Reference allele.
        alt: Alternate allele.

    Returns:
        32 bytes.
    """
    return question_key(f"{contig}-{start + 1}-{ref}-{alt}")  # equals str(Variant)


def term_question(term: str, descendants: bool = True) -> bytes:
    """Build the key of the question who has an ontology term.

    Args:
        term: The term, a CURIE.
        descendants: Whether descendant terms count too.

    Returns:
        32 bytes.
    """
    return question_key("term", term, "below" if descendants else "alone")


def people_key(people: BitMap | None) -> bytes:
    """Build the part of :func:`question_key` for the people that a question is restricted to.

    Args:
        people: Numbers of the people. None stands for everybody.

    Returns:
        Bytes that identify the set.
    """
    return b"everybody" if people is None else people.to_array().tobytes()
