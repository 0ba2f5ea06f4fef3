"""Where the bases of a run's reference come from: drawn from the seed, or a user's FASTA."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rehearsal.genomes.assembly import CONTIG_LENGTHS, KARYOTYPE_ORDER
from rehearsal.genomes.blocks import merge, subtract
from rehearsal.genomes.coding_constraints import coding_constraints
from rehearsal.genomes.known_bases import (
    BasesByPlace,
    KnownBases,
    read_known_bases,
    with_planted,
)
from rehearsal.genomes.masks import read_gaps, read_masks
from rehearsal.genomes.reference import read_reference
from rehearsal.genomes.reference_model import drawn_bases
from rehearsal.genomes.transcripts import Transcript
from rehearsal.model import Block, PlantedVariant

FLANK = 10_000  # bases beside the blocks that are in the file too: reads and alignments need them
UNKNOWN = ord("N")


class BaseSource(Protocol):
    """Where bases come from."""

    @property
    def unknown(self) -> Sequence[Block]:
        """Stretches without bases."""

    def bases(self, block: Block) -> NDArray[np.uint8]:
        """Return the bases of a stretch as ASCII, shape (block.length,), uint8.

        Args:
            block: The stretch, 0-based half-open.
        """


@dataclass(frozen=True)
class DrawnReference:
    """Bases drawn from the seed, with known ones in their places."""

    seed: int  # the run's root seed
    real: Sequence[KnownBases] = ()  # bases of GRCh38; they win over all others
    constrained: Sequence[KnownBases] = ()  # bases that a model asks for, such as start codons
    unknown: Sequence[Block] = ()  # stretches without bases

    def bases(self, block: Block) -> NDArray[np.uint8]:
        """Return the bases of a stretch.

        Args:
            block: The stretch, 0-based half-open.

        Returns:
            A, C, G, T or N as ASCII, shape (block.length,), uint8.
        """
        bases = drawn_bases(block, self.seed)
        for hole in self.unknown:
            if hole.contig == block.contig:
                bases[max(hole.start - block.start, 0) : max(hole.end - block.start, 0)] = UNKNOWN
        self._by_place[0].write_to(bases, block)
        self._by_place[1].write_to(bases, block)
        return bases

    def settled(self, block: Block) -> str:
        """Return the bases of a stretch that are not drawn, N elsewhere.

        Args:
            block: The stretch, 0-based half-open.
        """
        bases = np.full(block.length, UNKNOWN, np.uint8)
        for known in self._by_place:
            known.write_to(bases, block)
        return bases.tobytes().decode()

    @cached_property
    def _by_place(self) -> tuple[BasesByPlace, BasesByPlace]:
        return BasesByPlace(self.constrained), BasesByPlace(self.real)


@dataclass(frozen=True)
class FastaReference:
    """Bases of a user's FASTA."""

    path: Path
    unknown: Sequence[Block] = ()  # it knows its N itself

    def bases(self, block: Block) -> NDArray[np.uint8]:
        """Return the bases of a stretch.

        Args:
            block: The stretch, 0-based half-open.

        Returns:
            Bases as ASCII, in upper case, shape (block.length,), uint8.

        Raises:
            InputError: The FASTA lacks the contig or has too few bases of it.
        """
        return np.frombuffer(read_reference(self.path, block).encode(), np.uint8)


def draw_reference(
    block: Block,
    seed: int,
    real: Sequence[KnownBases] = (),
    unknown: Sequence[Block] = (),
) -> str:
    """Draw the reference bases of a stretch: what the file of a run has there.

    Args:
        block: The stretch, 0-based half-open.
        seed: The run's root seed.
        real: Bases that are not drawn.
        unknown: Stretches without bases.

    Returns:
        The bases.
    """
    return DrawnReference(seed, real, unknown=unknown).bases(block).tobytes().decode()


def planned_reference(
    genome: Mapping[str, Any],
    planted: Sequence[PlantedVariant],
    transcripts: Sequence[Transcript],
    seed: int,
    root: Path = Path(),
    stated: Sequence[KnownBases] = (),
) -> DrawnReference | FastaReference:
    """Return where a run takes its reference bases from.

    Args:
        genome: The section ``genome`` of the configuration.
        planted: The planted variants, whose REF the reference has.
        transcripts: The gene model, whose coding bases are open reading frames.
        seed: The run's root seed.
        root: The folder that the configuration's paths are relative to.
        stated: Bases beside the REF of planted variants that it has too. They may overlap.

    Returns:
        The user's FASTA if the configuration names one, else bases drawn from the seed.

    Raises:
        InputError: The masks or the real bases cannot be used, or a REF contradicts a real base.
    """
    if genome["reference_fasta"]:
        return FastaReference(root / genome["reference_fasta"])
    path = genome["reference_bases"]
    real = with_planted(read_known_bases(root / path) if path else [], planted, path, stated)
    masks = root / genome["masks"] if genome["masks"] else None
    known = [(one.contig, one.start, one.bases) for one in real]
    return DrawnReference(
        seed,
        real=real,
        constrained=[
            KnownBases(*stretch, "gene model")
            for stretch in coding_constraints(transcripts, known, seed)
        ],
        unknown=[*read_masks(masks), *read_gaps(masks)] if masks else (),
    )


def stretches_with_bases(blocks: Iterable[Block], masks: Sequence[Block]) -> list[Block]:
    """List the stretches whose bases a run needs: its blocks and what is beside them.

    Args:
        blocks: The blocks of the run.
        masks: Stretches without bases.

    Returns:
        Disjoint stretches in karyotype order.
    """
    wide = [
        Block(
            block.contig,
            max(0, block.start - FLANK),
            min(CONTIG_LENGTHS[block.contig], block.end + FLANK),
        )
        for block in blocks
    ]
    return sorted(
        subtract(merge(wide), masks),
        key=lambda stretch: (KARYOTYPE_ORDER[stretch.contig], stretch.start),
    )
