"""Names of changes in a transcript's own numbers: HGVS names such as ``c.68_69del``.

Rules: HGVS nomenclature, recommendations for DNA. A change that can be described at several places
is named at the one furthest towards the transcript's 3' end.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from dataclasses import dataclass

from rehearsal.genomes.coding_sequence import reverse_complement
from rehearsal.genomes.transcripts import Transcript

FLANK = 100  # bases before a transcript within which repeats are searched for names
_PLACE = re.compile(r"([-*]?)([1-9][0-9]{0,8})([+-][1-9][0-9]{0,8})?")


@dataclass(frozen=True, slots=True)
class Window:
    """Bases of the reference around changes."""

    start: int  # 0-based position of the first base
    bases: str

    def get(self, start: int, end: int) -> str:
        """Read bases.

        Args:
            start: First base, 0-based.
            end: Exclusive end.

        Returns:
            The bases, nothing if one of them is outside.
        """
        inside = self.start <= start and end <= self.start + len(self.bases)
        return self.bases[start - self.start : end - self.start] if inside else ""


def coding_name(transcript: Transcript, window: Window, start: int, end: int, inserted: str) -> str:
    """Name a change in the numbers of a coding transcript.

    Args:
        transcript: The transcript.
        window: Bases around the change.
        start: First changed base, 0-based.
        end: Exclusive end; equal to ``start`` for an insertion before it.
        inserted: The new bases.

    Returns:
        The name, nothing if the transcript has no coding bases or the change is not inside of it.
    """
    if transcript.cds_start == transcript.cds_end:
        return ""
    if end == start or not inserted:
        start, end, inserted = shifted(transcript.forward, window, start, end, inserted)
    ahead = inserted if transcript.forward else reverse_complement(inserted)
    if end == start:
        return _insertion_name(transcript, window, start, inserted, ahead)
    place = _span_name(transcript, start, end)
    if not place:
        return ""
    old = window.get(start, end)
    old = old if transcript.forward else reverse_complement(old)
    if not inserted:
        return f"c.{place}del"
    if end - start == 1 == len(inserted):
        return f"c.{place}{old}>{ahead}"
    return f"c.{place}delins{ahead}"


def position_name(transcript: Transcript, position: int) -> str:
    """Name a base in a coding transcript's numbers.

    Args:
        transcript: The transcript.
        position: 0-based position in the contig, inside the transcript.

    Returns:
        A number such as ``68``, ``-12``, ``*7``, or ``67+3`` in an intron.
    """
    exons = transcript.exons
    k = bisect_right(exons, (position, 1 << 62)) - 1
    end = exons[k][1]
    if position < end:
        return _exonic_name(transcript, position)
    after, before = position - (end - 1), exons[k + 1][0] - position
    if not transcript.forward:
        after, before = before, after
    upstream = end - 1 if transcript.forward else exons[k + 1][0]
    downstream = exons[k + 1][0] if transcript.forward else end - 1
    if after <= before:
        return f"{_exonic_name(transcript, upstream)}+{after}"
    return f"{_exonic_name(transcript, downstream)}-{before}"


def find_position(transcript: Transcript, name: str) -> int | None:
    """Find the base that a name in a coding transcript's numbers means.

    Args:
        transcript: The transcript.
        name: A number as :func:`position_name` writes it.

    Returns:
        The 0-based position in the contig. None if no base of the transcript has this name.
    """
    match = _PLACE.fullmatch(name)
    if match is None:
        return None
    side, number, offset = match[1], int(match[2]), int(match[3] or 0)
    first = {"": number - 1, "-": -number, "*": transcript.coding_length + number - 1}[side]
    base = _exonic_position(transcript, first + _untranslated_before(transcript))
    if base is None:
        return None
    position = base + offset if transcript.forward else base - offset
    inside = transcript.start <= position < transcript.end
    # only the name that a base has is taken: 68+5000 may be past the middle of an intron
    return position if inside and position_name(transcript, position) == name else None


def _untranslated_before(transcript: Transcript) -> int:
    """Count the bases of exons before the first coding one, in the transcript's direction."""
    if transcript.forward:
        return sum(max(0, min(b, transcript.cds_start) - a) for a, b in transcript.exons)
    return sum(max(0, b - max(a, transcript.cds_end)) for a, b in transcript.exons)


def _exonic_position(transcript: Transcript, along: int) -> int | None:
    """Find a base of the exons by its number along the transcript, from 0."""
    if along < 0:
        return None
    for start, end in transcript.exons if transcript.forward else transcript.exons[::-1]:
        if along < end - start:
            return start + along if transcript.forward else end - 1 - along
        along -= end - start
    return None


def _exonic_name(transcript: Transcript, position: int) -> str:
    """Name a base of an exon."""
    first, last = transcript.cds_start, transcript.cds_end - 1
    if not transcript.forward:
        first, last = last, first
    ahead = 1 if transcript.forward else -1
    if (position - first) * ahead < 0:
        return f"-{_exonic_distance(transcript, position, first)}"
    if (position - last) * ahead > 0:
        return f"*{_exonic_distance(transcript, last, position)}"
    return str(_exonic_distance(transcript, first, position) + 1)


def _exonic_distance(transcript: Transcript, one: int, other: int) -> int:
    """Count the steps between two bases of exons, without introns."""
    low, high = min(one, other), max(one, other)
    return sum(max(0, min(b, high) - max(a, low)) for a, b in transcript.exons)


def _span_name(transcript: Transcript, start: int, end: int) -> str:
    """Name a stretch of bases by its ends; nothing if one is outside the transcript."""
    if start < transcript.start or end > transcript.end or start >= end:
        return ""
    names = [position_name(transcript, start), position_name(transcript, end - 1)]
    if end - start == 1:
        return names[0]
    return "_".join(names if transcript.forward else names[::-1])


def _insertion_name(
    transcript: Transcript, window: Window, at: int, inserted: str, ahead: str
) -> str:
    """Name an insertion before a base: a duplication if the same bases stand before it."""
    size = len(inserted)
    copy = (at - size, at) if transcript.forward else (at, at + size)
    if window.get(*copy) == inserted:
        place, kind = _span_name(transcript, *copy), "dup"
    else:
        place, kind = _span_name(transcript, at - 1, at + 1), f"ins{ahead}"
    return f"c.{place}{kind}" if place else ""


def shifted(
    forward: bool, window: Window, start: int, end: int, inserted: str
) -> tuple[int, int, str]:
    """Move a deletion or an insertion as far in one direction as the bases allow.

    Args:
        forward: Whether to move along the reference.
        window: Bases around the change.
        start: First changed base, 0-based.
        end: Exclusive end; equal to ``start`` for an insertion before it.
        inserted: The new bases; nothing for a deletion.

    Returns:
        The change at its last place: start, end and new bases.
    """
    step = 1 if forward else -1
    while True:
        if forward:
            entering, leaving = (
                window.get(end, end + 1),
                inserted[:1] or window.get(start, start + 1),
            )
        else:
            entering, leaving = (
                window.get(start - 1, start),
                inserted[-1:] or window.get(end - 1, end),
            )
        if entering in ("", "N") or entering != leaving:
            return start, end, inserted
        start, end = start + step, end + step
        if inserted:
            inserted = inserted[1:] + entering if forward else entering + inserted[:-1]
