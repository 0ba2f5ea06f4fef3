"""Names of changes of proteins in HGVS, in one-letter and in three-letter notation."""

from __future__ import annotations

import re

AMINO_ACIDS = {
    **{"Ala": "A", "Arg": "R", "Asn": "N", "Asp": "D", "Cys": "C", "Gln": "Q", "Glu": "E"},
    **{"Gly": "G", "His": "H", "Ile": "I", "Leu": "L", "Lys": "K", "Met": "M", "Phe": "F"},
    **{"Pro": "P", "Ser": "S", "Thr": "T", "Trp": "W", "Tyr": "Y", "Val": "V", "Ter": "*"},
}
_THREE_LETTERS = {one: three for three, one in AMINO_ACIDS.items()}
_NUMBER = r"[1-9]\d{0,4}"


def _pattern(letter: str) -> re.Pattern[str]:
    """Build the grammar of changes for one notation of an amino acid.

    The stop behind a frameshift or an extension may be ``Ter``, ``*`` or, as in older names, ``X``.
    """
    stop = rf"(?:Ter|\*|X)(?P<stop>{_NUMBER}|\?)"
    return re.compile(
        rf"(?P<first>{letter})(?P<from>{_NUMBER})(?:_(?P<last>{letter})(?P<to>{_NUMBER}))?"
        rf"(?:(?P<kind>del|dup|=|\?)|(?P<bases>delins|ins)(?P<new>(?:{letter})+)"
        rf"|(?P<shifted>{letter})?(?P<fs>fs)(?:{stop})?"
        rf"|(?P<longer>{letter})?(?P<ext>ext){stop.replace('<stop>', '<far>')}"
        rf"|(?P<other>{letter}))"
    )


_NOTATIONS = (_pattern("|".join((*AMINO_ACIDS, r"\*"))), _pattern(r"[ACDEFGHIKLMNPQRSTVWY*]"))
_IN_THREE_LETTERS = re.compile(rf"(?:p\.)?\(?(?:{'|'.join(AMINO_ACIDS)})\d")
_RESIDUE = re.compile(r"([A-Z][a-z]{2})(\d+)")


def change_named(name: str) -> str | None:
    """Write a change of a protein as nodes do.

    Args:
        name: The change, such as ``V600E``, ``p.(Val600Glu)``, ``Q1756Pfs*74`` or
            ``p.Gln1756fs``.

    Returns:
        The name in three-letter notation without parentheses, ``p.Gln1756ProfsTer74``. A frameshift
        has the parts that were sent. None if the text names no change of known amino acids.
    """
    text = name.removeprefix("p.")
    if text.startswith("(") and text.endswith(")"):  # predicted, as HGVS writes it
        text = text[1:-1]
    match = next(filter(None, (pattern.fullmatch(text) for pattern in _NOTATIONS)), None)
    if match is None or not _is_possible(match):
        return None
    place = _three(match["first"]) + match["from"]
    if match["last"]:
        place += f"_{_three(match['last'])}{match['to']}"
    return f"p.{place}{_ending(match)}"


def _is_possible(match: re.Match[str]) -> bool:
    """Tell whether a name has the places that its kind of change needs."""
    spans = match["kind"] in ("del", "dup") or match["bases"]
    if match["last"] and (not spans or int(match["to"]) <= int(match["from"])):
        return False
    return match["bases"] != "ins" or (
        match["last"] is not None and int(match["to"]) == int(match["from"]) + 1
    )


def _ending(match: re.Match[str]) -> str:
    if match["fs"]:
        stop = f"Ter{match['stop']}" if match["stop"] else ""
        return f"{_three(match['shifted'] or '')}fs{stop}"
    if match["ext"]:
        return f"{_three(match['longer'] or '')}extTer{match['far']}"
    return match["kind"] or f"{match['bases'] or ''}{_three(match['new'] or match['other'])}"


def _three(letters: str) -> str:
    """Write amino acids in three letters, whatever notation they have."""
    if letters[1:2].islower():
        return letters.replace("*", "Ter")
    return "".join(_THREE_LETTERS[letter] for letter in letters)


def names_like(change: str) -> str:
    """Write the pattern of all names that a change may have in full.

    Args:
        change: A name as :func:`change_named` writes it.

    Returns:
        A pattern of SQLite's GLOB: that of the name itself, or of a frameshift with all its parts.
    """
    match = re.fullmatch(r"(p\.[A-Z][a-z]{2}\d+)([A-Z][a-z]{2})?fs(Ter.+)?", change)
    if match is None:
        return change.replace("?", "[?]")
    place, new, stop = match.groups()
    return f"{place}{new or '[A-Z][a-z][a-z]'}fs{stop.replace('?', '[?]') if stop else 'Ter*'}"


def is_in_three_letters(name: str) -> bool:
    """Tell whether a change of a protein names its first amino acid by three letters.

    Args:
        name: The change, as sent.
    """
    return _IN_THREE_LETTERS.match(name) is not None


def residues(change: str) -> list[tuple[int, str]]:
    """List the amino acids that a change names as those of the reference.

    Args:
        change: A name as :func:`change_named` writes it.

    Returns:
        Numbers from 1, and letters.
    """
    place = re.match(r"p\.[A-Z][a-z]{2}\d+(?:_[A-Z][a-z]{2}\d+)?", change)
    found = _RESIDUE.findall(place[0]) if place else []
    return [(int(number), AMINO_ACIDS[three]) for three, number in found]


def short_change(name: str) -> str | None:
    """Write a change of one amino acid in one-letter form.

    Args:
        name: The change, as :func:`change_named` reads it.

    Returns:
        For example ``V600E``. None for another change.
    """
    change = change_named(name)
    match = re.fullmatch(r"p\.([A-Z][a-z]{2})(\d+)([A-Z][a-z]{2}|[=?])", change or "")
    if match is None:
        return None
    old, position, new = match.groups()
    return f"{AMINO_ACIDS[old]}{position}{AMINO_ACIDS.get(new, new)}"
