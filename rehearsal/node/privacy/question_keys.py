"""The names of questions: what noise, prices and budgets know a question by."""

from __future__ import annotations

import hashlib

from pyroaring import BitMap


def question_key(*parts: str | bytes) -> bytes:
    """One name (32 bytes) for what is asked: the matched allele, then whatever narrows it.

    Make it of what was meant (``str(variant)``, the set of people that filters leave), never of
    the request's text: two wordings of a question must have one key, or noise could be averaged.
    """
    digest = hashlib.sha256()
    for part in parts:
        data = part.encode() if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.digest()


def allele_question(contig: str, start: int, ref: str, alt: str) -> bytes:
    """The name of the question who carries an allele; ``start`` is 0-based."""
    return question_key(f"{contig}-{start + 1}-{ref}-{alt}")  # as str(Variant) has it


def term_question(term: str, descendants: bool = True) -> bytes:
    """The name of the question who has a term or, with ``descendants``, one below it."""
    return question_key("term", term, "below" if descendants else "alone")


def people_key(people: BitMap | None) -> bytes:
    """A part of :func:`question_key` for the people a question is narrowed to; None: everybody."""
    return b"everybody" if people is None else people.to_array().tobytes()
