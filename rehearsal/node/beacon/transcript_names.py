"""Names of alleles in the numbers of transcripts (``c.``) and of proteins (``p.``).

A node with a gene model turns a name of a transcript into a genomic description: the question is
then the same, whoever asks it in which way. It refuses what contradicts its gene model or its
reference, because another allele than the meant one would be looked up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal, NoReturn

from rehearsal.errors import shown
from rehearsal.genomes import genomic_names
from rehearsal.genomes.coding_names import coding_name, find_position, shifted
from rehearsal.genomes.coding_sequence import reverse_complement
from rehearsal.genomes.gene_bases import GeneBases
from rehearsal.genomes.transcripts import Transcript
from rehearsal.genomes.variant_classes import LONGEST_INDEL
from rehearsal.node.beacon import hgvs
from rehearsal.node.beacon.protein_changes import change_named, residues
from rehearsal.web.problem import Problem

WHERE = "genomicAlleleShortForm"
_SEQUENCE = r"(?P<accession>[^\s:()]{1,60})(?:\((?P<gene>[^\s:()]{1,60})\))?"
_PLACE = r"[-*]?\d{1,9}(?:[+-]\d{1,9})?"
_CODING = re.compile(rf"{_SEQUENCE}:c\.(?P<first>{_PLACE})(?:_(?P<last>{_PLACE}))?{hgvs.CHANGE}")
_PROTEIN = re.compile(rf"{_SEQUENCE}:(?P<change>p\.\S{{1,200}})")


@dataclass(frozen=True, slots=True)
class CodingQuery:
    """The allele with this name in the numbers of a transcript."""

    name: str  # as sent


@dataclass(frozen=True, slots=True)
class ProteinQuery:
    """All variants with this effect on a protein, in any gene or in one."""

    change: str  # as protein_changes.change_named writes it
    gene: str | None  # as sent; None: any
    protein: str = ""  # accession of the protein; empty: not named


def is_coding_name(text: str) -> bool:
    """Tell whether a text names an allele by a transcript.

    Args:
        text: A description of an allele.
    """
    return ":c." in text


def is_protein_name(text: str) -> bool:
    """Tell whether a text names a change of a protein and the protein.

    Args:
        text: A description of an allele.
    """
    return ":p." in text


def protein_query(text: str, gene: str | None = None, where: str = WHERE) -> ProteinQuery:
    """Read a change of a protein, with or without the protein.

    Args:
        text: For example ``NP_009225.1:p.(Gln1756fs)`` or ``V600E``.
        gene: The gene, where the request names it apart.
        where: Place of the text in the request, for the message.

    Returns:
        The query.

    Raises:
        Problem: The text is something else (400).
    """
    match = _PROTEIN.fullmatch(text)
    change = change_named(match["change"] if match else text)
    if change is None:
        expected = "a change like V600E" if match is None else "a change like p.Val600Glu"
        raise Problem.mismatch(where, expected, shown(text))
    if match is None:
        return ProteinQuery(change, gene)
    if gene is not None:
        raise Problem.mismatch("geneId", "no gene, as the change names its protein", shown(gene))
    return ProteinQuery(change, match["gene"], match["accession"])


def on_gene_model(
    query: CodingQuery | ProteinQuery, genes: GeneBases | None
) -> tuple[hgvs.Description | ProteinQuery, str]:
    """Find what a name means on a node's gene model.

    Args:
        query: The name.
        genes: The gene model. None for a node without one.

    Returns:
        The genomic description, or the change in the protein's gene; and the name by the 3' rule,
        empty if it is the one that was sent.

    Raises:
        Problem: The node does not know the transcript or protein in this version, or the name
            contradicts its bases or amino acids (400).
    """
    if genes is None:
        expected = "a genomic description, as this node has no gene model"
        found = query.name if isinstance(query, CodingQuery) else query.protein
        raise Problem.mismatch(WHERE, expected, shown(found))
    if isinstance(query, ProteinQuery):
        return _of_protein(query, genes), ""
    return _of_transcript(query.name, genes)


def _of_protein(query: ProteinQuery, genes: GeneBases) -> ProteinQuery:
    transcript = genes.of_protein(query.protein)
    if transcript is None:
        _refuse_accession(query.protein, genes, "p")
    _check_gene(transcript, query.gene)
    protein = genes.protein(transcript)
    for number, letter in residues(query.change):
        there = protein[number - 1 : number]
        if there != letter:
            expected = f"{there or 'a residue'} at {number} of {query.protein}"
            raise Problem.mismatch(WHERE, expected, shown(query.change))
    return replace(query, gene=transcript.gene, protein="")


def _of_transcript(name: str, genes: GeneBases) -> tuple[hgvs.Description, str]:
    match = _parsed(name)
    transcript = genes.transcript(match["accession"])
    if transcript is None:
        _refuse_accession(match["accession"], genes, "c")
    _check_gene(transcript, match["gene"])
    window = genes.window(transcript)
    start, end = _places(match, transcript)
    bases = window.get(start, end)
    _check_bases(match, transcript, bases)
    if end - start > LONGEST_INDEL and (kind := _kind(match)):
        text = f"{genomic_names.numbered(transcript.contig)}{start + 1}_{end}{kind}"
        return hgvs.parse(text), ""  # moved in a repeat by the search
    change = _change(match, transcript.forward, start, end, bases)
    if not change.deleted and not change.inserted:
        raise Problem.mismatch(WHERE, "bases other than those of the reference", shown(name))
    first, last, inserted = change.start, change.end, change.inserted
    usual = coding_name(transcript, window, first, last, inserted)
    sent = _without_stated_bases(match)
    again = "" if usual in ("", sent) else f"{transcript.name}:{usual}"
    if change.deleted and inserted:
        text = genomic_names.describe(transcript.contig, first, change.deleted, inserted)
        return hgvs.parse(text), again
    first, last, inserted = shifted(True, window, first, last, inserted)
    before = window.get(first - len(inserted), first)
    deleted = window.get(first, last)
    text = genomic_names.describe_moved(transcript.contig, first, deleted, inserted, before)
    return hgvs.parse(text), again


def _parsed(name: str) -> re.Match[str]:
    """Take a name apart. Raises Problem."""
    match = _CODING.fullmatch(name) or _CODING.fullmatch(hgvs.with_capital_bases(name))
    if match is None:
        expected = "a change of bases of a transcript, like NM_007294.4:c.5266dup"
        raise Problem.mismatch(WHERE, expected, shown(name))
    return match


def _kind(match: re.Match[str]) -> str:
    """Return the change of a structural variant that has a name; empty: it is another change."""
    if match["inverted"] or match["duplicated"] is not None:
        return "inv" if match["inverted"] else "dup"
    return "" if match["ref"] or match["inserted"] or match["delins"] else "del"


def _refuse_accession(accession: str, genes: GeneBases, numbers: Literal["c", "p"]) -> NoReturn:
    """Refuse an unknown accession, one of another version, or a transcript for its protein."""
    other = genes.other_version(accession) or ""
    transcript = genes.transcript(other)
    known = transcript or genes.of_protein(other)
    if known is None:
        raise Problem.mismatch(WHERE, _ANY_KNOWN, shown(accession))
    of_transcript = known.name if transcript is None else other
    right = of_transcript if numbers == "c" else known.protein
    reason = "the version of this node's gene model"
    if right != other:
        reason = f"as {numbers}. numbers a {'transcript' if numbers == 'c' else 'protein'}"
    raise Problem.mismatch(WHERE, f"{right or 'a protein'}, {reason}", shown(accession))


_ANY_KNOWN = "a transcript or protein of this node's gene model"


def _check_gene(transcript: Transcript, gene: str | None) -> None:
    if gene is not None and gene.upper() != transcript.gene.upper():
        expected = f"{transcript.gene}, the gene of {transcript.name}"
        raise Problem.mismatch(WHERE, expected, shown(gene))


def _places(match: re.Match[str], transcript: Transcript) -> tuple[int, int]:
    """Find the range that a name states; of an insertion, the empty one between its two bases."""
    names = [match["first"], match["last"] or match["first"]]
    ends = [_place(name, transcript) for name in names]
    first, last = ends if transcript.forward else ends[::-1]
    found = shown(f"c.{'_'.join(names)}")
    if first > last:
        raise Problem.mismatch(WHERE, "ascending positions", found)
    if not match["inserted"]:
        return first, last + 1
    if last != first + 1:
        raise Problem.mismatch(WHERE, "an insertion between two neighbouring positions", found)
    return last, last


def _place(name: str, transcript: Transcript) -> int:
    position = find_position(transcript, name)
    if position is None:
        raise Problem.mismatch(WHERE, f"a base of {transcript.name}", shown(f"c.{name}"))
    return position


def _check_bases(match: re.Match[str], transcript: Transcript, bases: str) -> None:
    """Refuse stated bases that are not those of the reference. Raises Problem."""
    stated = match["ref"] or match["deleted"] or match["duplicated"]
    there = bases if transcript.forward else reverse_complement(bases)
    if stated and stated != there:
        expected = f"{there or 'bases of the reference'} at c.{match['first']} of {transcript.name}"
        raise Problem.mismatch(WHERE, expected, stated)


def _change(
    match: re.Match[str], forward: bool, start: int, end: int, bases: str
) -> genomic_names.TrimmedAllele:
    """Write a change on the forward strand, without bases that stay."""
    if match["duplicated"] is not None:
        return genomic_names.TrimmedAllele("", end, "", bases)
    if match["inverted"]:
        return genomic_names.trimmed("", start, bases, reverse_complement(bases))
    new = match["alt"] or match["inserted"] or match["delins"] or ""
    return genomic_names.trimmed("", start, bases, new if forward else reverse_complement(new))


def _without_stated_bases(match: re.Match[str]) -> str:
    """Write the change of a name as nodes do: ``delCT`` is ``del``."""
    where = match["first"] + (f"_{match['last']}" if match["last"] else "")
    if match["ref"]:
        return f"c.{where}{match['ref']}>{match['alt']}"
    if match["duplicated"] is not None:
        return f"c.{where}dup"
    if match["inverted"]:
        return f"c.{where}inv"
    if match["inserted"]:
        return f"c.{where}ins{match['inserted']}"
    return f"c.{where}del" + (f"ins{match['delins']}" if match["delins"] else "")
