"""Genes that cannot be used: left out with a note while they are few and nothing needs them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from rehearsal.errors import InputError, InputErrors
from rehearsal.genomes.transcripts import Transcript
from rehearsal.logs import note

MOST_ODD = 0.2  # of the genes; more are a sign of a file of another assembly
MOST_NOTES = 5


def keep_usable(
    found: Sequence[tuple[str, Transcript | InputError]], needed: Collection[str]
) -> list[Transcript]:
    """Keep the genes that can be used.

    A few real genes begin at another codon, shift their frame or read a stop as selenocysteine.

    Args:
        found: The names of genes with a transcript, or with what is wrong with it.
        needed: Names of genes that a run cannot leave out.

    Returns:
        The transcripts.

    Raises:
        InputError: A gene that is needed cannot be used, or more than one in five cannot.
    """
    odd = [(gene, one) for gene, one in found if isinstance(one, InputError)]
    if errors := [error for gene, error in odd if gene in needed]:
        raise InputErrors(errors)
    if len(odd) > MOST_ODD * len(found):
        raise InputErrors([error for _, error in odd])
    _note_left_out(odd)
    return [one for _, one in found if isinstance(one, Transcript)]


def _note_left_out(odd: Sequence[tuple[str, InputError]]) -> None:
    for gene, error in odd[:MOST_NOTES]:
        note(f"gene {gene} is left out: {error}")
    if len(odd) > MOST_NOTES:
        note(f"{len(odd) - MOST_NOTES} more genes of {odd[0][1].source} are left out likewise")
