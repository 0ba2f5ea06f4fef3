"""The consequences of a block's alleles: one row per alternate allele and transcript.

Only alleles inside transcripts are looked at: a block without genes costs nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import tskit
from numpy.typing import NDArray

from rehearsal.genomes.allele_names import own_name
from rehearsal.genomes.coding_names import FLANK, Window, coding_name
from rehearsal.genomes.coding_sequence import CodingSequence
from rehearsal.genomes.consequence_terms import BY_LABEL, Term
from rehearsal.genomes.consequences import (
    SPLICE_REGION_INTRON,
    Effect,
    small_effect,
    trimmed,
    within_one,
)
from rehearsal.genomes.protein_names import codon_change
from rehearsal.genomes.structural import site_spans
from rehearsal.genomes.structural_effects import structural_effect
from rehearsal.genomes.transcripts import Transcript, on_contig
from rehearsal.model import Block

ReadBlock = Callable[[Block], str]  # bases of any stretch, in upper case

COLUMNS = (
    *("position", "ref", "alt", "gene", "transcript", "consequence_id", "consequence"),
    *("hgvs_c", "hgvs_p", "bcsq"),
)
_INTRON = BY_LABEL["intron_variant"]
_START_LOST = BY_LABEL["start_lost"]
_REGION = BY_LABEL["splice_region_variant"]


def annotate_block(
    ts: tskit.TreeSequence, reference: ReadBlock, transcripts: Sequence[Transcript]
) -> pd.DataFrame:
    """Find the consequences of all alternate alleles of a block.

    Args:
        ts: The block's tree sequence. Its metadata names the contig.
        reference: Reader of the run's reference, such as
            ``functools.partial(read_reference, path)``. Coding bases outside the block are read
            too. It is not called for a block without genes.
        transcripts: The gene model, one transcript per gene.

    Returns:
        One row per alternate allele and transcript: the 0-based ``position``, ``ref`` and ``alt``
        with the fewest bases, ``gene``, ``transcript``, the most severe ``consequence`` with its
        accession in the Sequence Ontology (``consequence_id``), ``hgvs_c`` and ``hgvs_p`` (empty
        for structural variants and deep in introns), and ``bcsq``, the text of ``INFO/BCSQ``. In
        order of position, alternate allele in order of appearance, and transcript.
    """
    if not len(transcripts) or not ts.num_sites:
        return _table([])
    contig, positions = ts.metadata["contig"], ts.sites_position.astype(np.int64)
    reach, _ = site_spans(ts)
    touched = on_contig(transcripts, contig, int(positions[0]), int(reach.max()) + 1)
    if not touched:
        return _table([])
    alleles = _Alleles.of(ts)
    rows: list[tuple[object, ...]] = []
    for number, transcript in enumerate(touched):
        sites = np.flatnonzero((positions < transcript.end) & (reach > transcript.start))
        if not sites.size:
            continue
        copy = _GeneCopy.of(transcript, reference)
        near = copy.near_exons(positions[sites], reach[sites])
        for site, close in zip(sites.tolist(), near.tolist(), strict=True):
            rows += copy.rows(alleles, site, int(reach[site]), close, number)
    rows.sort(key=lambda row: row[:3])
    return _table([row[3:] for row in rows])


def annotate_alleles(
    contig: str,
    alleles: Sequence[tuple[int, str, str]],
    reference: ReadBlock,
    transcripts: Sequence[Transcript],
) -> pd.DataFrame:
    """Find the consequences of some small alleles.

    Args:
        contig: Their contig.
        alleles: 0-based position, REF and ALT of each, in bases.
        reference: Reader of the run's reference, as for :func:`annotate_block`.
        transcripts: The gene model, one transcript per gene.

    Returns:
        The table of :func:`annotate_block`, in the order of alleles and transcripts.
    """
    rows: list[tuple[object, ...]] = []
    for position, ref, alt in alleles:
        end = position + len(ref)
        for transcript in on_contig(transcripts, contig, position, end):
            copy = _GeneCopy.of(transcript, reference)
            (close,) = copy.near_exons(np.array([position]), np.array([end]))
            found = copy.row(position, ref, alt, end, bool(close))
            if found is not None:
                rows.append((position, ref, alt, *found))
    return _table(rows)


def _table(rows: list[tuple[object, ...]]) -> pd.DataFrame:
    """Make the table, with the same types whether it has rows or not."""
    types = dict.fromkeys(COLUMNS, "str") | {"position": "int64"}
    return pd.DataFrame(rows, columns=list(COLUMNS)).astype(types)


@dataclass(frozen=True, slots=True)
class _Alleles:
    """The alleles of a tree sequence's sites, read one site at a time."""

    positions: list[int]
    first: list[int]  # (n_sites + 1,) first mutation of each site
    ancestral: tuple[bytes, list[int]]  # letters, and the first one of each site
    derived: tuple[bytes, list[int]]  # letters, and the first one of each mutation

    @classmethod
    def of(cls, ts: tskit.TreeSequence) -> _Alleles:
        tables = ts.tables
        sites, mutations = tables.sites, tables.mutations
        return cls(
            ts.sites_position.astype(np.int64).tolist(),
            np.searchsorted(mutations.site, np.arange(ts.num_sites + 1)).tolist(),
            (sites.ancestral_state.tobytes(), sites.ancestral_state_offset.tolist()),
            (mutations.derived_state.tobytes(), mutations.derived_state_offset.tolist()),
        )

    def of_site(self, site: int) -> tuple[str, list[str]]:
        """List the ancestral state and the other states in order of first appearance."""
        text, offset = self.ancestral
        ref = text[offset[site] : offset[site + 1]].decode()
        text, offset = self.derived
        rows = range(self.first[site], self.first[site + 1])
        states = dict.fromkeys(text[offset[m] : offset[m + 1]].decode() for m in rows)
        return ref, [state for state in states if state != ref]


@dataclass(frozen=True, slots=True)
class _GeneCopy:
    """A transcript with its bases."""

    transcript: Transcript
    window: Window
    coding: CodingSequence | None

    @classmethod
    def of(cls, transcript: Transcript, reference: ReadBlock) -> _GeneCopy:
        contig = transcript.contig
        start = max(0, transcript.start - FLANK)
        # bases past the contig's end are not asked for: a transcript ends before it
        window = Window(start, reference(Block(contig, start, transcript.end)))
        coding = CodingSequence.of(transcript, window.get) if transcript.coding else None
        return cls(transcript, window, coding)

    def near_exons(
        self, positions: NDArray[np.int64], reach: NDArray[np.int64]
    ) -> NDArray[np.bool_]:
        """Tell which sites are in exons or so near that splicing may suffer."""
        starts, ends = np.array(self.transcript.exons).T
        past = np.searchsorted(ends + SPLICE_REGION_INTRON, positions, "right")
        begun = np.searchsorted(starts - SPLICE_REGION_INTRON, reach, "right")
        return np.asarray(begun > past)

    def rows(
        self, alleles: _Alleles, site: int, reach: int, close: bool, number: int
    ) -> list[tuple[object, ...]]:
        """Make the rows of one site, each after its keys for sorting."""
        start = alleles.positions[site]
        ref, alts = alleles.of_site(site)
        rows = []
        for k, name in enumerate(own_name(ref, alt) for alt in alts):
            found = self.row(start, *name, reach, close)
            if found is not None:
                rows.append((start, k, number, start, *name, *found))
        return rows

    def row(
        self, position: int, ref: str, alt: str, reach: int, close: bool
    ) -> tuple[str, ...] | None:
        """Describe one allele; nothing if it does not touch the transcript."""
        transcript = self.transcript
        if alt.startswith("<"):
            start, end = position + 1, reach
            inside = start < transcript.end and transcript.start < max(end, start + 1)
            terms = structural_effect(transcript, start, end, alt) if inside else ()
            return self._columns(terms, "", "", self._plain(terms)) if terms else None
        start, end, inserted = trimmed(position, ref, alt)
        if not (start < transcript.end and transcript.start < max(end, start + 1)):
            return None
        if not close:
            return self._columns((_INTRON,), "", "", self._plain((_INTRON,)))
        effect = self._effect(position, ref, alt)
        if not effect.terms:
            return None
        name = coding_name(transcript, self.window, start, end, inserted)
        return self._columns(
            effect.terms, name, effect.protein, self._text(effect, position, ref, alt)
        )

    def _effect(self, position: int, ref: str, alt: str) -> Effect:
        """Find the consequence of a small allele near or in an exon."""
        start, end, inserted = trimmed(position, ref, alt)
        effect = small_effect(self.transcript, self.coding, start, end, inserted)
        if effect.loses_splice_site:
            return self._beside_splice_site(start, end, inserted) or effect
        if effect.amino_acids and len(ref) != len(alt):
            return replace(effect, amino_acids=self._codons(position, ref, alt, effect))
        return effect

    def _beside_splice_site(self, start: int, end: int, inserted: str) -> Effect | None:
        """Find another place of an indel that leaves the bases of splice sites as they are.

        In a repeat, the same haplotype is described by several places, and VCF has the leftmost.
        """
        while not inserted or start == end:
            gone = inserted[0] if inserted else self.window.get(start, start + 1)
            if not gone or gone != self.window.get(end, end + 1):
                return None
            inserted = inserted[1:] + inserted[:1]
            start, end = start + 1, end + 1
            effect = small_effect(self.transcript, self.coding, start, end, inserted)
            if not effect.loses_splice_site:
                return effect if effect.terms else None
        return None

    def _codons(self, position: int, ref: str, alt: str, effect: Effect) -> str:
        """Write the codons of a whole indel in BCSQ, from that of the base before it on."""
        end = position + len(ref)
        if self.coding is None or not within_one(self.transcript, position, end):
            return effect.amino_acids
        return codon_change(self.coding, *self.coding.replaced(position, end, alt))

    def _columns(
        self, terms: tuple[Term, ...], name: str, protein: str, text: str
    ) -> tuple[str, ...]:
        worst, transcript = terms[0], self.transcript
        ids = (transcript.gene, transcript.name, worst.accession, worst.label)
        return (*ids, name, protein, text)

    def _plain(self, terms: tuple[Term, ...]) -> str:
        """Write BCSQ without a change of amino acids."""
        transcript = self.transcript
        name = "" if terms[0] is _INTRON else transcript.name
        kind = "protein_coding" if transcript.coding else "lncRNA"
        return f"{'&'.join(t.short for t in terms)}|{transcript.gene}|{name}|{kind}"

    def _text(self, effect: Effect, position: int, ref: str, alt: str) -> str:
        """Write BCSQ."""
        if not effect.amino_acids:
            return self._plain(effect.terms)
        if effect.terms[0] is _START_LOST:  # csq names no protein without its start
            return f"{self._plain(effect.terms)}|{self.transcript.strand}"
        region = tuple(term for term in effect.terms if term is _REGION)
        others = tuple(term for term in effect.terms if term is not _REGION)
        place = f"{position + 1}{ref}>{alt}"
        text = f"{self._plain(others)}|{self.transcript.strand}|{effect.amino_acids}|{place}"
        return f"{self._plain(region)},{text}" if region else text  # csq writes them apart
