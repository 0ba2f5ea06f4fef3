"""Names of changes of proteins, as HGVS and BCSQ write them.

Rules: HGVS nomenclature, recommendations for proteins (substitution, deletion, duplication,
insertion, delins, frameshift, extension). Predicted changes stand without parentheses, as in
ClinVar.
"""

from __future__ import annotations

from rehearsal.genomes.coding_sequence import CodingSequence, translate

THREE_LETTERS = {
    **{"A": "Ala", "C": "Cys", "D": "Asp", "E": "Glu", "F": "Phe", "G": "Gly", "H": "His"},
    **{"I": "Ile", "K": "Lys", "L": "Leu", "M": "Met", "N": "Asn", "P": "Pro", "Q": "Gln"},
    **{"R": "Arg", "S": "Ser", "T": "Thr", "V": "Val", "W": "Trp", "Y": "Tyr", "*": "Ter"},
    "X": "Xaa",
}


def protein_name(coding: CodingSequence, first: int, last: int, new: str) -> tuple[str, str]:
    """Name what a change of coding bases does to the protein.

    Args:
        coding: The coding bases.
        first: First replaced coding base, 0-based.
        last: Exclusive end; equal to ``first`` for an insertion.
        new: The new bases in the transcript's direction.

    Returns:
        The name in HGVS, and the change of amino acids in BCSQ: the number and letters of the
        codons before and after, or those before if no amino acid changes.
    """
    codon = first // 3
    old = coding.protein
    tail = coding.bases[last:]
    shifted = (len(new) - (last - first)) % 3 != 0
    if not shifted and last - first == len(new):
        until = -(-last // 3)
        middle = coding.bases[codon * 3 : first] + new + coding.bases[last : until * 3]
        after = translate(middle)
        beyond = translate(coding.bases[until * 3 :] + coding.tail, to_stop=True)
        return _same_length(old, codon, after, beyond)
    changed = coding.bases[codon * 3 : first] + new + tail + coding.tail
    after = old[:codon] + translate(changed, to_stop=True)
    short = codon_change(coding, first, last, new)
    if codon == 0 and not after.startswith("M"):
        return "p.Met1?", short
    return (_frameshift(old, after) if shifted else _in_frame(old, after)), short


def codon_change(coding: CodingSequence, first: int, last: int, new: str) -> str:
    """Write what an insertion or deletion does to codons, as ``bcftools csq -B 1`` does.

    Args:
        coding: The coding bases.
        first: First replaced coding base, 0-based.
        last: Exclusive end; equal to ``first`` for an insertion.
        new: The new bases in the transcript's direction.

    Returns:
        Number of the first codon and amino acids before and after, such as ``22GLP>22G``. From four
        on, the first and the end: ``4T..84>4T..7``. With a shift of the frame they reach to the
        next stop. The two sides are never the same.
    """
    codon = first // 3
    begun = coding.bases[3 * codon : first] + new
    if (len(new) - (last - first)) % 3:
        before = coding.protein[codon:]
        after = translate(begun + coding.bases[last:], to_stop=True)
    else:
        until = -(-max(last, first + 1) // 3) * 3
        before = translate(coding.bases[3 * codon : until])
        after = translate(begun + coding.bases[last:until], to_stop=True)
    if _brief(codon, before) == _brief(codon, after):  # ends alike: begin where they differ
        same = _first_difference(before, after)
        codon, before, after = codon + same, before[same:], after[same:]
    return f"{_brief(codon, before)}>{_brief(codon, after)}"


def _brief(codon: int, letters: str) -> str:
    """Write amino acids from a codon on, counted from 0."""
    if len(letters) < 4:
        return f"{codon + 1}{letters or '?'}"
    return f"{codon + 1}{letters[0]}..{codon + 1 + len(letters.removesuffix('*'))}"


def _same_length(old: str, codon: int, after: str, beyond: str) -> tuple[str, str]:
    """Name codons that replace as many others. ``beyond``: what is read behind them."""
    before = old[codon : codon + len(after)]
    number = codon + 1
    if before == after:
        return f"p.{_three(before[0])}{number}=", f"{number}{before}"
    short = f"{number}{before}>{number}{after}"
    if codon == 0:
        return "p.Met1?", short
    while before[0] == after[0]:
        before, after, number = before[1:], after[1:], number + 1
    if after[0] == "*":  # the rest of the new codons is not read
        return f"p.{_three(before[0])}{number}Ter", short
    while len(before) > 1 and before[-1] == after[-1]:
        before, after = before[:-1], after[:-1]
    if len(before) > 1:
        return f"{_span(number, before)}delins{_three(after)}", short
    if before == "*":
        ends = str(len(beyond)) if beyond.endswith("*") else "?"
        return f"p.Ter{number}{_three(after)}extTer{ends}", short
    return f"p.{_three(before)}{number}{_three(after)}", short


def _frameshift(old: str, after: str) -> str:
    """Name a protein that is another from some amino acid on."""
    at = _first_difference(old, after)
    if at >= len(old) or at >= len(after):
        return "p.?" if old != after else f"p.{_three(old[-1])}{len(old)}="
    if after[at] == "*":
        return f"p.{_three(old[at])}{at + 1}Ter"
    stop = after.find("*")
    ends = str(stop - at + 1) if stop >= 0 else "?"
    if old[at] == "*":
        return f"p.Ter{at + 1}{_three(after[at])}extTer{int(ends) - 1 if stop >= 0 else '?'}"
    return f"p.{_three(old[at])}{at + 1}{_three(after[at])}fsTer{ends}"


def _in_frame(old: str, after: str) -> str:
    """Name a protein that has lost or gained whole amino acids, as near its end as can be."""
    at = _first_difference(old, after)
    if old == after:
        return f"p.{_three(old[-1])}{len(old)}="
    if at < len(old) and old[at] == "*":  # the end is read through
        return _frameshift(old, after)
    if at < len(after) and after[at] == "*":
        return f"p.{_three(old[at])}{at + 1}Ter"
    if not after.endswith("*") or len(after) <= at:
        return "p.?"
    return _lost_and_gained(old, after, at)


def _lost_and_gained(old: str, after: str, at: int) -> str:
    """Name amino acids that are lost, gained or replaced from ``at`` on, before an equal end."""
    same = 0
    while same < min(len(old), len(after)) - at and old[-1 - same] == after[-1 - same]:
        same += 1
    lost, gained = old[at : len(old) - same], after[at : len(after) - same]
    if "*" in gained or "*" in lost:
        return f"{_span(at + 1, old[at : len(old) - 1])}delins{_three(gained)}"
    if lost and gained:
        return f"{_span(at + 1, lost)}delins{_three(gained)}"
    if lost:
        return f"{_span(at + 1, lost)}del"
    if old[at - len(gained) : at] == gained:
        return f"{_span(at - len(gained) + 1, gained)}dup"
    return f"p.{_three(old[at - 1])}{at}_{_three(old[at])}{at + 1}ins{_three(gained)}"


def _first_difference(one: str, other: str) -> int:
    """Find the first place where two proteins differ; the shorter one's length if there is none."""
    for at, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return at
    return min(len(one), len(other))


def _three(letters: str) -> str:
    return "".join(THREE_LETTERS[letter] for letter in letters)


def _span(number: int, letters: str) -> str:
    """Name a stretch of amino acids by its ends, numbers from 1."""
    first = f"p.{_three(letters[0])}{number}"
    if len(letters) == 1:
        return first
    return f"{first}_{_three(letters[-1])}{number + len(letters) - 1}"
