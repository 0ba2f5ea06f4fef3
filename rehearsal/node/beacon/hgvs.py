"""Reading of genomic HGVS descriptions (``NC_000017.11:g.43057063G>A``) in queries.

``genomes.genomic_names`` writes them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rehearsal.errors import shown
from rehearsal.genomes.contig_names import CONTIG_OF_ACCESSION, CONTIG_OF_EARLIER_ACCESSION
from rehearsal.genomes.genomic_names import describe
from rehearsal.node.beacon.contigs import contig_lengths
from rehearsal.web.problem import Problem

CHANGE = (
    r"(?:(?P<ref>[ACGT])>(?P<alt>[ACGT])"
    r"|del(?P<deleted>[ACGT]*)(?:ins(?P<delins>[ACGT]+))?"
    r"|dup(?P<duplicated>[ACGT]*)"
    r"|(?P<inverted>inv)"
    r"|ins(?P<inserted>[ACGT]+))"
)
PATTERN = re.compile(
    r"(?P<accession>NC_\d{6}\.\d+):(?P<numbers>[gm])\.(?P<first>\d{1,10})(?:_(?P<last>\d{1,10}))?"
    + CHANGE
)
_LETTERS = re.compile("(del|dup|ins|inv)|[acgt]+")
CONTIGS = CONTIG_OF_ACCESSION | CONTIG_OF_EARLIER_ACCESSION  # the liftover moves the latter


@dataclass(frozen=True, slots=True)
class Description:
    """A parsed description. No allele has one with an accession of GRCh37."""

    contig: str
    start: int  # of the range to search, 0-based
    end: int  # exclusive
    text: str  # the description that a matching allele has
    stated: str = ""  # bases of the range, where the description names them


def parse(text: str) -> Description:
    """Parse a description of a substitution, deletion, insertion, duplication, inversion or delins.

    Args:
        text: The description.

    Returns:
        The parsed description.

    Raises:
        Problem: The text is not a genomic description on GRCh38 (400).
    """
    match = PATTERN.fullmatch(text) or PATTERN.fullmatch(with_capital_bases(text))
    contig = _contig_of(match) if match else None
    if match is None or contig is None:
        expected = (
            "a genomic description on GRCh38, like NC_000017.11:g.43057063G>A, or a name like "
            "NM_007294.4:c.5266dup or NP_009225.1:p.Gln1756ProfsTer74"
        )
        raise Problem.mismatch("genomicAlleleShortForm", expected, shown(text))
    first, last = int(match["first"]), int(match["last"] or match["first"])
    if expected_positions := _find_fault(match, contig, first, last):
        raise Problem.mismatch("genomicAlleleShortForm", expected_positions, shown(text))
    stated = match["ref"] or match["deleted"] or match["duplicated"] or ""
    return Description(contig, first - 1, last, _canonical(match, contig, first, last), stated)


def with_capital_bases(text: str) -> str:
    """Write the bases of a name with capitals, as HGVS has them.

    Args:
        text: A name, such as ``NC_000017.11:g.43057063g>a``.

    Returns:
        The name, with the same words for its change.
    """
    sequence, colon, named = text.partition(":")
    kind, change = named[:2], named[2:]  # such as g.
    return sequence + colon + kind + _LETTERS.sub(lambda word: word[1] or word[0].upper(), change)


def _contig_of(match: re.Match[str]) -> str | None:
    """Return the contig of an accession; None where it is not known, or not numbered by m."""
    contig = CONTIGS.get(match["accession"])
    return None if match["numbers"] == "m" and contig != "chrM" else contig


def _numbered(match: re.Match[str], contig: str) -> str:
    """Return what stands before the change: m. of chrM, which requests also number with g."""
    return f"{match['accession']}:{'m' if contig == 'chrM' else 'g'}."


def _find_fault(match: re.Match[str], contig: str, first: int, last: int) -> str | None:
    """Return what was expected when the positions, 1-based and inclusive, are wrong."""
    if first < 1 or last < first:
        return "ascending positions from 1"
    length = contig_lengths(match["accession"] not in CONTIG_OF_ACCESSION)[contig]
    if last > length:
        return f"positions on {contig}, at most {length}"
    if match["inserted"] and last != first + 1:
        return "an insertion between two neighbouring positions"
    for stated in (match["ref"], match["deleted"], match["duplicated"]):
        if stated and len(stated) != last - first + 1:
            return f"a range as long as the bases {stated}"
    return None


def _canonical(match: re.Match[str], contig: str, first: int, last: int) -> str:
    """Return the description without the bases that newer HGVS omits (``delCT`` is ``del``)."""
    where = f"{first}" if first == last else f"{first}_{last}"
    if match["ref"]:
        change = f"{match['ref']}>{match['alt']}"
    elif match["inserted"]:
        change = f"ins{match['inserted']}"
    elif match["duplicated"] is not None:
        change = "dup"
    elif match["inverted"]:
        change = "inv"
    elif match["deleted"] and match["delins"] and match["deleted"] != match["delins"]:
        return describe(contig, first - 1, match["deleted"], match["delins"])
    else:
        change = "del" + (f"ins{match['delins']}" if match["delins"] else "")
    return f"{_numbered(match, contig)}{where}{change}"
