"""Reference bases: read them from a FASTA, and check planted variants against them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import pysam

from rehearsal.errors import InputError, mismatch, shown, unreadable_file
from rehearsal.genomes.assembly import ASSEMBLY, CONTIG_LENGTHS
from rehearsal.genomes.blocks import VARIANTS, variant_label
from rehearsal.genomes.contig_names import names_in_files, note_other_names
from rehearsal.model import Block, PlantedVariant

# A base is two bits: one says purine or pyrimidine, the other which of the two. XOR with a number
# from 0 to 3 then maps bases to bases such that transitions stay transitions.
BASES = b"AGCT"
_CODE = np.full(256, -1, dtype=np.int8)
_CODE[np.frombuffer(BASES, dtype=np.uint8)] = np.arange(4)
NUCLEOTIDES = frozenset("ACGTUNRYSWKMBDHV")  # IUPAC; GRCh38 has a few letters of several bases
SAMPLES, SAMPLE = 8, 5_000  # stretches of a block that are looked at, and their length


def read_reference(path: Path | str, block: Block) -> str:
    """Read the block's bases from an indexed FASTA.

    Args:
        path: The FASTA file, with its index at ``{path}.fai``, and ``{path}.gzi`` if bgzipped.
        block: The block, 0-based half-open.

    Returns:
        The bases in upper case.

    Raises:
        InputError: The file is not an indexed FASTA, lacks the contig, or has too few bases
            of it. A contig may have any of its names (``chr22``, ``22``, ``NC_000022.11``).
    """
    with open_reference(path) as read:
        return read(block)


@contextmanager
def open_reference(path: Path | str) -> Iterator[Callable[[Block], str]]:
    """Open an indexed FASTA to read many stretches.

    Args:
        path: The FASTA file, as for :func:`read_reference`.

    Yields:
        A function like :func:`read_reference` without the path, for use within the block.

    Raises:
        InputError: As :func:`read_reference`.
    """
    with _opened(path) as fasta:
        yield partial(_bases, fasta, path)


def check_length(path: Path | str, contig: str) -> None:
    """Check that a contig of a FASTA has the length that it has in GRCh38.

    Args:
        path: The FASTA file, as for :func:`read_reference`.
        contig: The contig, by the name used inside.

    Raises:
        InputError: The file is not an indexed FASTA, lacks the contig, or has another length of it.
    """
    with _opened(path) as fasta:
        _check_length(path, contig, fasta.get_reference_length(_name_in(fasta, path, contig)))


def _bases(fasta: pysam.FastaFile, path: Path | str, block: Block) -> str:
    name = _name_in(fasta, path, block.contig)
    bases = str(fasta.fetch(name, block.start, block.end)).upper()
    if len(bases) != block.length:
        found = f"a contig of {block.start + len(bases)} bases"
        raise InputError(path, block.contig, f"at least {block.end} bases", found)
    return bases


@contextmanager
def _opened(path: Path | str) -> Iterator[pysam.FastaFile]:
    """Open an indexed FASTA; errors within the block become errors about the file."""
    _check_files(path)
    verbosity = pysam.set_verbosity(0)  # htslib's messages are part of our own errors
    try:
        with pysam.FastaFile(str(path)) as fasta:
            yield fasta
    except InputError:
        raise
    except (OSError, ValueError) as error:  # pysam raises ValueError where bases cannot be read
        expected, found = "a FASTA file that fits its index", unreadable_file(error)
        raise InputError(path, "genome.reference_fasta", expected, found) from None
    finally:
        pysam.set_verbosity(verbosity)


def _name_in(fasta: pysam.FastaFile, path: Path | str, contig: str) -> str:
    """Find what a FASTA calls a contig."""
    names = [name for name in names_in_files(contig) if name in fasta]
    if not names:
        first = ", ".join(fasta.references[:3]) or "nothing"
        more = ", ..." if len(fasta.references) > 3 else ""
        expected = f"this contig in the FASTA ({', '.join(names_in_files(contig))})"
        raise InputError(path, contig, expected, f"{first}{more}")
    return names[0]


def _check_files(path: Path | str) -> None:
    """Refuse a FASTA file that is not there or lacks an index."""
    if not Path(path).is_file():
        found = "a folder" if Path(path).is_dir() else "nothing"
        raise InputError(path, "genome.reference_fasta", "an existing FASTA file", found)
    for suffix in (".fai", ".gzi") if str(path).endswith(".gz") else (".fai",):
        if not Path(f"{path}{suffix}").is_file():
            expected = f"an index beside it ({Path(path).name}{suffix}, made by samtools faidx)"
            raise InputError(path, "genome.reference_fasta", expected, "nothing")


def check_fasta(
    path: Path | str, blocks: Sequence[Block], planted: Iterable[PlantedVariant]
) -> None:
    """Check that a FASTA is GRCh38's by lengths, has bases, and the REF of each planted variant.

    Of the bases, only some stretches of each block and the REFs are read.

    Args:
        path: The FASTA file, indexed by ``samtools faidx``.
        blocks: The blocks of a run, 0-based half-open.
        planted: The variants to plant.

    Raises:
        InputError: The FASTA lacks a contig, has another length of it, no bases in a block or
            letters that are none, or other bases where a REF stands.
    """
    with _opened(path) as fasta:
        contigs = dict.fromkeys(block.contig for block in blocks)
        names = {contig: _name_in(fasta, path, contig) for contig in contigs}
        for contig, name in names.items():
            _check_length(path, contig, fasta.get_reference_length(name))
        read = partial(_bases, fasta, path)
        for block in blocks:
            _check_letters(path, block, read)
        for asked in planted:
            variant = asked.variant
            place = Block(variant.contig, variant.start, variant.start + len(variant.ref))
            check_reference(place, [asked], read(place))
    note_other_names(path, names.values())


def _check_length(path: Path | str, contig: str, length: int) -> None:
    """Refuse a contig that is not the one of the assembly."""
    if length != CONTIG_LENGTHS[contig]:
        expected = f"the contig of {ASSEMBLY}, {CONTIG_LENGTHS[contig]} bases"
        raise InputError(path, contig, expected, f"a contig of {length} bases")


def _check_letters(path: Path | str, block: Block, read: Callable[[Block], str]) -> None:
    """Refuse letters that are no nucleotides, and a block without known bases."""
    step = max(block.length // SAMPLES, SAMPLE)
    starts = range(block.start, block.end, step)
    samples = [Block(block.contig, a, min(a + SAMPLE, block.end)) for a in starts]
    letters = set().union(*map(read, samples))
    if wrong := sorted(letters - NUCLEOTIDES):
        expected = "letters of nucleotides (A, C, G, T, N)"
        raise InputError(path, block.region, expected, shown("".join(wrong)))
    if not letters & set("ACGT"):
        expected = f"bases (A, C, G, T) in {len(samples)} stretches of at most {SAMPLE:,} bases"
        raise InputError(path, block.region, expected, f"only {', '.join(sorted(letters))}")


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
