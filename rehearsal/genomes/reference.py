"""Reference bases: real ones as ancestral states, and planted variants checked against them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import pysam
import tskit

from rehearsal.errors import InputError
from rehearsal.genomes.blocks import VARIANTS, variant_label
from rehearsal.model import Block, PlantedVariant

# A base is two bits: one says purine or pyrimidine, the other which of the two. XOR with a number
# from 0 to 3 then maps bases to bases such that transitions stay transitions.
BASES = b"AGCT"
_CODE = np.full(256, -1, dtype=np.int8)
_CODE[np.frombuffer(BASES, dtype=np.uint8)] = np.arange(4)
_LETTER = np.frombuffer(BASES, dtype=np.uint8)


def read_reference(path: Path | str, block: Block) -> str:
    """The block's bases from an indexed FASTA, in upper case.

    Raises InputError when the file is not an indexed FASTA, lacks the contig (``chr22`` or
    ``22``), or has another length of it than GRCh38 blocks need.
    """
    if not Path(path).is_file():
        raise InputError(path, "genome.reference_fasta", "expected an existing FASTA file")
    if not Path(f"{path}.fai").is_file():
        expected = f"expected an index beside it ({Path(path).name}.fai, samtools faidx)"
        raise InputError(path, "genome.reference_fasta", expected)
    try:
        with pysam.FastaFile(str(path)) as fasta:
            names = [n for n in (block.contig, block.contig.removeprefix("chr")) if n in fasta]
            if not names:
                raise InputError(path, block.contig, "expected this contig in the FASTA")
            bases = fasta.fetch(names[0], block.start, block.end).upper()
    except OSError as error:
        expected = f"expected a FASTA that can be read: {error}"
        raise InputError(path, "genome.reference_fasta", expected) from None
    if len(bases) != block.length:
        expected = f"expected bases up to {block.end}, the contig ends before"
        raise InputError(path, block.contig, expected)
    return bases


def check_reference(block: Block, planted: Iterable[PlantedVariant], reference: str) -> None:
    """Raises InputError for a planted variant whose REF is not what the reference has there."""
    if len(reference) != block.length:
        raise ValueError(f"{len(reference)} reference bases for a block of {block.length}")
    for variant in planted:
        start = variant.variant.start - block.start
        found = reference[start : start + len(variant.variant.ref)].upper()
        if found != variant.variant.ref:
            expected = f"expected the REF of the reference, {found} at this place"
            raise InputError(VARIANTS, variant_label(variant), expected)


def base_codes(states: np.ndarray) -> np.ndarray:
    """Bases (ASCII) as 0-3, anything but A, C, G and T as -1."""
    return _CODE[states.view(np.uint8)]


def set_ancestral_bases(tables: tskit.TableCollection, bases: np.ndarray) -> None:
    """Turns each site's alleles so that its ancestral state is the given base (ASCII).

    All alleles of a site are mapped by the one exchange of bases that turns its simulated
    ancestral state into the given base and keeps transitions transitions. With equal base
    frequencies every such exchange leaves the mutation process as it was. A site with an unknown
    base is left as it is.
    """
    ancestral = base_codes(tables.sites.ancestral_state)
    wanted = base_codes(bases)
    turn = np.where(wanted >= 0, ancestral ^ wanted, 0)
    sites, mutations = tables.sites, tables.mutations
    derived = base_codes(mutations.derived_state) ^ turn[mutations.site]
    sites.ancestral_state = _LETTER[ancestral ^ turn].view(np.int8)
    mutations.derived_state = _LETTER[derived].view(np.int8)
