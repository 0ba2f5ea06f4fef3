"""The blocks of a run: where the assembly and the recombination maps have something."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rehearsal.errors import Complaints, InputError
from rehearsal.genomes.assembly import CONTIG_LENGTHS, NO_RECOMBINATION
from rehearsal.genomes.blocks import (
    CONFIG,
    VARIANTS,
    automatic_block_size,
    parse_region,
    plan_blocks,
    subtract,
    variant_label,
)
from rehearsal.genomes.masks import read_gaps, read_masks
from rehearsal.genomes.recombination import mapped_stretch
from rehearsal.model import Block, PlantedVariant


def plan_genome(
    config: Mapping[str, Any],
    planted: Sequence[PlantedVariant],
    people: int,
) -> tuple[list[Block], list[Block]]:
    """Plan the blocks of a run.

    Blocks end where a recombination map ends: a map has no rate before its first position.

    Args:
        config: The merged configuration.
        planted: The planted variants.
        people: People in all countries.

    Returns:
        The blocks, and the stretches of the regions that are left out because a map ends.

    Raises:
        InputError: There are no blocks, or regions, masks, maps and planted variants contradict
            each other.
    """
    genome = config["genome"]
    path = genome["masks"]
    masks, gaps = (read(Path(path)) if path else [] for read in (read_masks, read_gaps))
    regions = [parse_region(text) for text in genome["regions"]]
    if not genome["reference_fasta"]:
        _check_gaps(planted, gaps, path)
    contigs = [block.contig for block in regions] + [v.variant.contig for v in planted]
    unmapped = _unmapped(genome["recombination_map"], contigs)
    _check_mapped(genome["recombination_map"], regions, masks, unmapped, planted)
    blocks = plan_blocks(
        genome["regions"],
        planted,
        genome["planted_window"],
        genome["block_size"] or automatic_block_size(people),
        [*masks, *unmapped],
    )
    if not blocks:
        expected = "at least one region, or planted variants with a window"
        raise InputError(CONFIG, "genome.regions", expected, "nothing")
    kept = subtract(regions, masks)
    return blocks, subtract(kept, subtract(kept, unmapped))


def _check_gaps(planted: Iterable[PlantedVariant], gaps: Sequence[Block], path: str) -> None:
    """Refuse planted variants where a drawn reference has no bases."""
    complaints = Complaints()
    for one in planted:
        ref = Block(one.variant.contig, one.variant.start, one.variant.start + len(one.variant.ref))
        with complaints.collected():
            if subtract([ref], gaps) != [ref]:
                expected = f"REF outside the gaps of {path}, where the reference is N"
                label = variant_label(one)
                raise InputError(VARIANTS, label, expected, "REF in a gap", subject=label)
    complaints.raise_any()


def _unmapped(template: str | None, contigs: Iterable[str]) -> list[Block]:
    """List the stretches at the ends of contigs for which maps have no rates."""
    if template is None:
        return []
    wholes = [
        Block(contig, 0, CONTIG_LENGTHS[contig])
        for contig in dict.fromkeys(contigs)
        if contig in CONTIG_LENGTHS and contig not in NO_RECOMBINATION
    ]
    mapped = [mapped_stretch(_map_file(template, whole.contig), whole.contig) for whole in wholes]
    return subtract(wholes, mapped)


def _map_file(template: str, contig: str) -> str:
    return template.replace("{contig}", contig)


def _check_mapped(
    template: str | None,
    regions: Iterable[Block],
    masks: Sequence[Block],
    unmapped: Sequence[Block],
    planted: Iterable[PlantedVariant],
) -> None:
    for region in regions:
        kept = subtract([region], masks)
        if kept and not subtract(kept, unmapped):
            expected = f"a map with positions within {region.region}"
            source = _map_file(str(template), region.contig)
            raise InputError(source, region.contig, expected, "none")
    for one in planted:
        contig, start = one.variant.contig, one.variant.start
        if any(stretch.holds(contig, start) for stretch in unmapped):
            source = _map_file(str(template), contig)
            expected = "a map that covers the planted variants"
            raise InputError(source, contig, expected, f"none at {variant_label(one)}")
