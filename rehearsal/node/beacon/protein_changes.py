"""Changes of one amino acid, in one-letter and in three-letter notation."""

from __future__ import annotations

import re

AMINO_ACIDS = {
    **{"Ala": "A", "Arg": "R", "Asn": "N", "Asp": "D", "Cys": "C", "Gln": "Q", "Glu": "E"},
    **{"Gly": "G", "His": "H", "Ile": "I", "Leu": "L", "Lys": "K", "Met": "M", "Phe": "F"},
    **{"Pro": "P", "Ser": "S", "Thr": "T", "Trp": "W", "Tyr": "Y", "Val": "V", "Ter": "*"},
}


_THREE_LETTERS = {one: three for three, one in AMINO_ACIDS.items()}
_ONE_CHANGE = re.compile(r"([A-Z][a-z]{2}|[A-Z*])(\d{1,5})([A-Z][a-z]{2}|[A-Z*?=])")


def protein_name(change: str) -> str:
    """Write a change of one amino acid as HGVS does.

    Args:
        change: The change in one-letter form, such as ``V600E``.

    Returns:
        For example ``p.Val600Glu``.
    """
    old, new = change[:-1].rstrip("0123456789"), change[-1]
    number = change[len(old) : -1]
    return f"p.{_THREE_LETTERS.get(old, old)}{number}{_THREE_LETTERS.get(new, new)}"


def short_change(name: str) -> str | None:
    """Write a change of one amino acid in one-letter form.

    Args:
        name: The change, such as ``V600E``, ``Val600Glu`` or ``p.(Val600Glu)``.

    Returns:
        For example ``V600E``. None for another change.
    """
    name = name.removeprefix("p.")
    if name.startswith("(") and name.endswith(")"):  # predicted, as HGVS writes it
        name = name[1:-1]
    match = _ONE_CHANGE.fullmatch(name)
    if match is None:
        return None
    old, position, new = match.groups()
    return f"{AMINO_ACIDS.get(old, old)}{position}{AMINO_ACIDS.get(new, new)}"
