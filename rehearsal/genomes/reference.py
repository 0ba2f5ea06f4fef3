"""Reference bases: read them from a FASTA, and check planted variants against them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pysam

from rehearsal.errors import InputError, mismatch, shown, unreadable_file
from rehearsal.genomes.blocks import VARIANTS, variant_label
from rehearsal.model import Block, PlantedVariant

# A base is two bits: one says purine or pyrimidine, the other which of the two. XOR with a number
# from 0 to 3 then maps bases to bases such that transitions stay transitions.
BASES = b"AGCT"
_CODE = np.full(256, -1, dtype=np.int8)
_CODE[np.frombuffer(BASES, dtype=np.uint8)] = np.arange(4)


def read_reference(path: Path | str, block: Block) -> str:
    """Read the block's bases from an indexed FASTA.

    Args:
        path: The FASTA file, with its index at ``{path}.fai``, and ``{path}.gzi`` if bgzipped.
        block: The block, 0-based half-open.

    Returns:
        The bases in upper case.

    Raises:
        InputError: The file is not an indexed FASTA, lacks the contig (``chr22`` or ``22``), or has
            too few bases of it.
    """
    _check_files(path)
    try:
        with pysam.FastaFile(str(path)) as fasta:
            names = [n for n in (block.contig, block.contig.removeprefix("chr")) if n in fasta]
            if not names:
                raise InputError(path, block.contig, "this contig in the FASTA", "nothing")
            bases = str(fasta.fetch(names[0], block.start, block.end)).upper()
    except InputError:
        raise
    except (OSError, ValueError) as error:  # pysam raises ValueError where bases cannot be read
        expected, found = "a FASTA file that fits its index", unreadable_file(error)
        raise InputError(path, "genome.reference_fasta", expected, found) from None
    if len(bases) != block.length:
        found = f"a contig of {block.start + len(bases)} bases"
        raise InputError(path, block.contig, f"at least {block.end} bases", found)
    return bases


def _check_files(path: Path | str) -> None:
    """Refuse a FASTA file that is not there or lacks an index."""
    if not Path(path).is_file():
        raise InputError(path, "genome.reference_fasta", "an existing FASTA file", "nothing")
    for suffix in (".fai", ".gzi") if str(path).endswith(".gz") else (".fai",):
        if not Path(f"{path}{suffix}").is_file():
            expected = f"an index beside it ({Path(path).name}{suffix}, made by samtools faidx)"
            raise InputError(path, "genome.reference_fasta", expected, "nothing")


def check_fasta(
    path: Path | str, blocks: Sequence[Block], planted: Iterable[PlantedVariant]
) -> None:
    """Check that a FASTA covers all blocks and has the REF of each planted variant.

    Only the last base of each contig's last block and the bases of the REFs are read.

    Args:
        path: The FASTA file, indexed by ``samtools faidx``.
        blocks: The blocks of a run, 0-based half-open.
        planted: The variants to plant.

    Raises:
        InputError: The FASTA lacks a block, or has other bases where a REF stands.
    """
    last = {block.contig: block for block in sorted(blocks)}
    for contig, block in last.items():
        read_reference(path, Block(contig, block.end - 1, block.end))
    for asked in planted:
        variant = asked.variant
        place = Block(variant.contig, variant.start, variant.start + len(variant.ref))
        check_reference(place, [asked], read_reference(path, place))


def check_reference(block: Block, planted: Iterable[PlantedVariant], reference: str) -> None:
    """Check that the REF of planted variants is what the reference has there.

    Args:
        block: The block.
        planted: Planted variants inside the block.
        reference: The block's bases.

    Raises:
        InputError: A variant has another REF.
        ValueError: The number of bases is not the block's length.
    """
    if len(reference) != block.length:
        found = shown(len(reference))
        raise ValueError(mismatch("reference", f"{block.length} bases of {block.region}", found))
    for variant in planted:
        start = variant.variant.start - block.start
        found = reference[start : start + len(variant.variant.ref)].upper()
        if found != variant.variant.ref:
            expected = f"the bases of the reference at this position, {found}, as REF"
            raise InputError(VARIANTS, variant_label(variant), expected, variant.variant.ref)


def base_codes(states: np.ndarray) -> np.ndarray:
    """Encode bases as numbers such that XOR with 1 to 3 keeps transitions transitions.

    Args:
        states: Bases in ASCII, int8 or uint8, shape (n,).

    Returns:
        0 to 3 for A, G, C and T, -1 for anything else, shape (n,), int8.
    """
    return _CODE[states.view(np.uint8)]
