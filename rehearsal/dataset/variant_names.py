"""Variants to plant, by any of their names: configured, by coordinates, or in HGVS."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import NamedTuple

from rehearsal.errors import InputError, shown
from rehearsal.genomes.assembly import CONTIG_LENGTHS, REFSEQ
from rehearsal.genomes.coding_names import Window, shifted
from rehearsal.genomes.coding_sequence import CODE, CodingSequence, reverse_complement
from rehearsal.genomes.contig_names import find_contig
from rehearsal.genomes.gene_bases import GeneBases
from rehearsal.genomes.genomic_names import trimmed
from rehearsal.genomes.known_bases import KnownBases
from rehearsal.genomes.transcripts import Transcript
from rehearsal.logs import note
from rehearsal.model import Block, PlantedVariant, Variant
from rehearsal.node.beacon import hgvs
from rehearsal.node.beacon.protein_changes import AMINO_ACIDS, change_named
from rehearsal.node.beacon.transcript_names import CodingQuery, on_gene_model, protein_query
from rehearsal.web.problem import Problem

_COORDINATES = re.compile(r"(\w+)[-:](\d{1,9})[-:]([ACGT]+)[-:]([ACGT]+)", re.IGNORECASE)
_FORMS = "coordinates like chr17-43124027-ACT-A, or an HGVS name (g., c. or p.) on GRCh38"
_WITHOUT_GENE = "coordinates like chr17-43124027-ACT-A or a g. name"
OPTION = "--plant"
_LONGEST_SHIFT = 1_000  # bases beside an allele that are read to align it to the left

Fetch = Callable[[Block], str]  # bases of a stretch


class KnownReference(NamedTuple):
    """A reference, and which of its bases are not drawn."""

    bases: Fetch
    settled: Fetch  # N where a base is drawn


@dataclass(frozen=True)
class VariantNames:
    """Reads names of variants on a reference and a gene model.

    Args:
        known: The configured variants by ``GENE:NAME``.
        transcripts: All transcripts of the gene model.
        reference: Makes the reference that has these transcripts' coding bases.
        source: The command, for errors.
        stated: The reference bases that the names read so far stand on, which it must have.
    """

    known: Mapping[str, PlantedVariant]
    transcripts: Sequence[Transcript]
    reference: Callable[[Sequence[Transcript]], KnownReference]
    source: str
    stated: list[KnownBases] = field(default_factory=list)

    def read(self, name: str) -> PlantedVariant:
        """Read the name of a variant.

        Args:
            name: ``GENE:NAME`` of the configuration, coordinates (1-based, as in VCF), or an HGVS
                name with a RefSeq accession, a contig or a gene in front.

        Returns:
            The variant, without carriers. Left-aligned, unless it is configured.

        Raises:
            InputError: There is no such variant.
        """
        if name in self.known:
            return self.known[name]
        try:
            variant, stated = self._variant(name)
        except Problem as problem:
            parts = re.search(r"expected (.*), found (.*)", problem.message)
            expected, found = parts.groups() if parts else (_FORMS, problem.message)
            raise InputError(self.source, f"--plant {name}", expected, found) from None
        self.stated.append(replace(stated, source=name))
        for one in self.known.values():
            if one.variant == variant:
                return one
        return PlantedVariant(variant, "", name, "", "")

    def _variant(self, name: str) -> _Placed:
        match = _COORDINATES.fullmatch(name)
        if match is not None:
            return self._by_coordinates(name, *match.groups())
        sequence, _, change = name.partition(":")
        if change.startswith("g.") and (contig := find_contig(sequence)):
            placed = self._by_description(f"{REFSEQ[contig]}:{change}")
            self._note_drawn(name, placed.stated, hgvs.parse(f"{REFSEQ[contig]}:{change}"))
            return placed
        if change.startswith(("c.", "p.")):
            return self._by_gene(sequence, change)
        found = shown(name)
        expected = f"a planted variant of the configuration ({', '.join(self.known)}), {_FORMS}"
        raise InputError(self.source, OPTION, expected, found)

    def _by_coordinates(self, name: str, sequence: str, place: str, ref: str, alt: str) -> _Placed:
        contig, start, ref, alt = find_contig(sequence), int(place) - 1, ref.upper(), alt.upper()
        where = f"--plant {name}"
        if contig is None:
            raise InputError(self.source, where, "a contig of GRCh38", shown(sequence))
        if start < 0 or start + len(ref) > CONTIG_LENGTHS[contig]:
            expected = f"a position from 1 to {CONTIG_LENGTHS[contig]}, the length of {contig}"
            raise InputError(self.source, where, expected, place)
        if ref == alt:
            raise InputError(self.source, where, "an allele that differs from REF", alt)
        return self._as_stated(contig, start, ref, alt)

    def _by_description(self, text: str, fetch: Fetch | None = None) -> _Placed:
        fetch = fetch or self.reference(()).bases
        match = hgvs.PATTERN.fullmatch(hgvs.parse(text).text)
        stated = hgvs.parse(text)
        if match is None:
            raise Problem.mismatch(OPTION, _FORMS, shown(text))
        start, end = stated.start, stated.end
        if end > CONTIG_LENGTHS[stated.contig]:
            expected = f"a position on {stated.contig}"
            raise Problem.mismatch(OPTION, expected, shown(text))
        if match["inserted"]:
            return self._normal(stated.contig, end - 1, "", match["inserted"], fetch)
        ref = stated.stated or fetch(Block(stated.contig, start, end))
        if match["duplicated"] is not None:
            return self._normal(stated.contig, start, ref, ref + ref, fetch)
        new = reverse_complement(ref) if match["inverted"] else match["alt"] or match["delins"]
        return self._normal(stated.contig, start, ref, new or "", fetch)

    def _by_gene(self, sequence: str, change: str) -> _Placed:
        """Read a name in the numbers of a transcript or protein, or of a gene's transcript."""
        is_coding = change.startswith("c.")
        by_gene = {one.gene: one for one in self.transcripts}
        if sequence in by_gene:
            one = by_gene[sequence]
            sequence = one.name if is_coding else one.protein
        mine = [one for one in self.transcripts if sequence in (one.name, one.protein)]
        if not mine:
            self._refuse_unknown(sequence)
        fetch = self.reference(mine).bases
        genes = GeneBases(mine or self.transcripts, fetch)
        if is_coding:
            description, _ = on_gene_model(CodingQuery(f"{sequence}:{change}"), genes)
            if not isinstance(description, hgvs.Description):
                raise Problem.mismatch(OPTION, _FORMS, shown(change))
            return self._by_description(description.text, fetch)
        on_gene_model(protein_query(f"{sequence}:{change}"), genes)  # refuses what contradicts it
        return self._by_codon(CodingSequence.of(mine[0], genes.window(mine[0]).get), change, fetch)

    def _by_codon(self, coding: CodingSequence, change: str, fetch: Fetch) -> _Placed:
        """Change one amino acid by the fewest bases."""
        best = min(_codon_changes(coding, change), default=None)
        if best is None:
            expected = "a change of one amino acid that changes of neighbouring bases can make"
            raise Problem.mismatch(OPTION, expected, shown(change))
        _, start, ref, alt = best
        return self._normal(coding.transcript.contig, start, ref, alt, fetch)

    def _refuse_unknown(self, sequence: str) -> None:
        """Refuse what is no gene, transcript or protein, in any version, and say what is one."""
        known = [name for one in self.transcripts for name in (one.name, one.protein)]
        if sequence.partition(".")[0] not in {name.partition(".")[0] for name in known}:
            symbols = ", ".join(sorted(one.gene for one in self.transcripts))
            expected = f"a gene of the gene model ({symbols}), {_WITHOUT_GENE}"
            raise Problem.mismatch(OPTION, expected, shown(sequence))

    def _note_drawn(self, name: str, placed: KnownBases, stated: hgvs.Description) -> None:
        """Say that a name leaves reference bases open which the seed decides."""
        changed = Block(stated.contig, stated.start, stated.end)
        if stated.stated or "ins" in name.partition(":")[2].partition("del")[0]:
            return
        if "N" in self.reference(()).settled(changed):
            bases = placed.bases[stated.start - placed.start : stated.end - placed.start]
            note(
                f"--plant {name} names no bases and the reference is drawn there: {bases}; "
                f"coordinates as in VCF state them, --reference gives real ones"
            )

    def _as_stated(self, contig: str, start: int, ref: str, alt: str) -> _Placed:
        """Read an allele of which all bases of REF are stated, also those that are drawn.

        A base that is drawn before REF is settled so that no shift to the left goes beyond it.
        """
        reference = self.reference(())
        real = reference.settled(Block(contig, start, start + len(ref)))
        if any(own in "ACGT" and own != base for own, base in zip(real, ref, strict=True)):
            expected = f"the bases of the reference at this position, {real}, in REF"
            raise Problem.mismatch(OPTION, expected, ref)
        first = max(start - _LONGEST_SHIFT, 0)
        known = Window(first, reference.settled(Block(contig, first, start)) + ref)
        variant = _normal(contig, start, ref, alt, known)
        if variant.ref.startswith("N"):
            place = Block(contig, variant.start, variant.start + 1)
            last = (variant.ref if len(variant.ref) > 1 else variant.alt)[-1]
            before = next(
                base for base in reference.bases(place) + "ACGT" if base not in {last, "N"}
            )
            variant = replace(variant, ref=before + variant.ref[1:], alt=before + variant.alt[1:])
            known = Window(variant.start, variant.ref[0] + known.get(place.end, start + len(ref)))
        return _placed(variant, min(start, variant.start), start + len(ref), known)

    def _normal(self, contig: str, start: int, ref: str, alt: str, fetch: Fetch) -> _Placed:
        """Write an allele as VCF does, on all bases of the reference."""
        first = max(start - _LONGEST_SHIFT, 0)
        window = Window(first, fetch(Block(contig, first, start)) + ref)
        variant = _normal(contig, start, ref, alt, window)
        return _placed(variant, min(start, variant.start), start + len(ref), window)


class _Placed(NamedTuple):
    """A variant, and the reference bases that its name stands on."""

    variant: Variant
    stated: KnownBases


def _placed(variant: Variant, start: int, end: int, window: Window) -> _Placed:
    bases = window.get(start, end)
    return _Placed(variant, KnownBases(variant.contig, start, bases, str(variant)))


def _normal(contig: str, start: int, ref: str, alt: str, window: Window) -> Variant:
    """Write an allele as VCF does: with the fewest bases, as far to the left as they allow."""
    allele = trimmed(contig, start, ref, alt)
    start, ref, alt = allele.start, allele.deleted, allele.inserted
    if not ref and not alt:
        raise Problem.mismatch(OPTION, "bases other than those of the reference", "them")
    if ref and alt:
        return Variant(contig, start, ref, alt)
    start, end, alt = shifted(False, window, start, start + len(ref), alt)
    before = window.get(start - 1, start)
    return Variant(contig, start - 1, before + window.get(start, end), before + alt)


def _codon_changes(coding: CodingSequence, change: str) -> Iterator[tuple[int, int, str, str]]:
    """Yield the ways to change one amino acid: bases changed, start, and bases forward."""
    match = re.fullmatch(r"p\.[A-Z][a-z]{2}(\d+)([A-Z][a-z]{2})", change_named(change) or "")
    if match is None or match[2] not in AMINO_ACIDS:
        return
    forward, places = coding.transcript.forward, _places(coding)
    of_codon = slice(3 * int(match[1]) - 3, 3 * int(match[1]))
    old, where = coding.bases[of_codon], places[of_codon]
    for new in _codons_of(AMINO_ACIDS[match[2]], old):
        changed = [k for k in range(3) if new[k] != old[k]]
        part = slice(changed[0], changed[-1] + 1)
        start, end = min(where[part]), max(where[part]) + 1
        if end - start == part.stop - part.start:  # within one exon
            bases = old[part], new[part]
            yield len(changed), start, *(bases if forward else map(reverse_complement, bases))


def _places(coding: CodingSequence) -> list[int]:
    """List the positions of the coding bases, in the direction of the transcript."""
    places = list(chain.from_iterable(range(*part) for part in coding.transcript.coding))
    return places if coding.transcript.forward else places[::-1]


def _codons_of(letter: str, other: str) -> list[str]:
    return [codon for codon in CODE if CODE[codon] == letter and codon != other]


def without_carriers(planted: PlantedVariant) -> PlantedVariant:
    """Return a variant that only people who are named elsewhere carry.

    Args:
        planted: The variant.
    """
    return replace(planted, frequency={}, minimum_per_country=0, carriers=())
