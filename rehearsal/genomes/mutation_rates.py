"""Rates of mutations along a block, from its bases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.errors import InputError, shown
from rehearsal.genomes.blocks import CONFIG
from rehearsal.genomes.reference import base_codes
from rehearsal.genomes.variant_classes import (
    COPY_NUMBER_LENGTH,
    COPY_NUMBER_PLACES,
    CPG_BASES,
    GC_BASES,
    GENOME_BASES,
    NEW_SUBSTITUTIONS,
    PERSON_COPY_NUMBERS,
    PERSON_GENERATIONS,
    REPEAT_SHARE,
    VariantClasses,
)
from rehearsal.model import Block, PlantedVariant


class MutationRates(NamedTuple):
    """Rates per base and generation, and what decides a mutation's kind. n: bases of the block."""

    code: NDArray[np.int8]  # (n,) bases, 0 to 3, -1 unknown
    closed: NDArray[np.int32]  # (n + 1,) number of bases before that no variant may touch
    context: NDArray[np.int8]  # (n,) A or T, G or C, CpG, as the kernel numbers them
    single: NDArray[np.float64]  # (3, 3) changes 1 to 3 of a base, by context
    slip: NDArray[np.float32]  # (n,) rate of slippage of the repeat that begins there
    unit: NDArray[np.uint8]  # (n,) bases of the repeat's unit
    copies: NDArray[np.uint8]  # (n,) units of the repeat
    spike: NDArray[np.float32]  # (n,) rate of changes of copy number
    spike_length: NDArray[np.int32]  # (n,) bases whose copy number changes
    constant: NDArray[np.float64]  # (2,) indel outside of repeats, structural
    total: NDArray[np.float64]  # (n + 1,) sum of all rates over the bases before each base


def mutation_rates(
    block: Block,
    reference: str,
    planted: Sequence[PlantedVariant],
    mutation_rate: float,
    kappa: float,
    classes: VariantClasses,
    rng: np.random.Generator,
) -> MutationRates:
    """Compute the rates of all mutations along a block.

    The mean rate of single-base mutations over a genome with as much GC and CpG as GRCh38 is
    ``mutation_rate``. Indels are their share of small mutations within the block.

    Args:
        block: The block.
        reference: Its bases.
        planted: Planted variants of the block. No other variant touches their bases.
        mutation_rate: Single-base mutations per base and generation.
        kappa: Transition/transversion rate ratio, as in HKY with equal base frequencies.
        classes: How often the other classes arise.
        rng: Source of the places with several copy numbers.

    Returns:
        The rates.
    """
    # imported here: the check of a configuration computes no rates
    from rehearsal.genomes.mutation_rates_kernel import find_repeats, mark_contexts, sum_rates

    code = base_codes(np.frombuffer(reference.upper().encode(), np.uint8))
    known = code >= 0
    open_base = known.copy()
    for variant in (one.variant for one in planted):
        first = variant.start - block.start
        open_base[first : first + len(variant.ref)] = False
    closed = np.zeros(code.size + 1, np.int32)
    np.cumsum(~open_base, out=closed[1:])
    context = np.zeros(code.size, np.int8)
    mark_contexts(code, context)
    single = substitution_rates(mutation_rate, kappa, classes.cpg_factor)
    weight = np.zeros(code.size, np.float32)
    unit, copies = np.zeros(code.size, np.uint8), np.zeros(code.size, np.uint8)
    find_repeats(code, weight, unit, copies)
    outside, slip = _indel_rates(mutation_rate, classes.indel_share, weight, int(known.sum()))
    if block.contig == "chrM":  # too short, and without transposable elements
        classes = replace(classes, structural_per_genome=0.0)
    spike, spike_length = _copy_number_places(code.size, classes, rng)
    constant = np.array([outside, classes.structural_rate])
    total = np.empty(code.size + 1)
    sum_rates(open_base, context, single, slip, spike, constant, total)
    return MutationRates(
        *(code, closed, context, single, slip, unit, copies, spike, spike_length, constant, total)
    )


def check_rates(genome: Mapping[str, Any]) -> None:
    """Check that no mutation rate is negative.

    If CpG alone had more transitions than the whole genome may have, none would be left for the
    other bases.

    Args:
        genome: The section ``genome`` of the configuration.

    Raises:
        InputError: ``kappa`` is too small for the ``cpg_factor``.
    """
    kappa, factor = genome["kappa"], genome["variant_classes"]["cpg_factor"]
    if kappa / 2 < CPG_BASES * factor:
        least = 2 * CPG_BASES * factor
        most = kappa / 2 / CPG_BASES
        expected = (
            f"at least {least:.4g} (transitions in CpG alone are genome.variant_classes.cpg_factor "
            f"* {2 * CPG_BASES:g}), or a cpg_factor of at most {most:.4g}"
        )
        found = f"{shown(kappa)} with a cpg_factor of {shown(factor)}"
        raise InputError(CONFIG, "genome.kappa", expected, found)


def substitution_rates(
    mutation_rate: float, kappa: float, cpg_factor: float
) -> NDArray[np.float64]:
    """Compute the rates at which a base becomes each of the other three.

    Over a genome with as much GC and CpG as GRCh38, transitions are ``kappa / 2`` times as many as
    transversions. A transition in CpG is ``cpg_factor`` times as frequent as any change of another
    base. The rest of the transitions, and the transversions, have the shares of new mutations in
    families (``NEW_SUBSTITUTIONS``).

    Args:
        mutation_rate: Single-base mutations per base and generation.
        kappa: Transition/transversion rate ratio, as in HKY with equal base frequencies.
        cpg_factor: Transitions in CpG against all changes of another base.

    Returns:
        Rates per base and generation, shape (3, 3). Rows: A or T, G or C outside of CpG, CpG.
        Columns: transition, A<->C or G<->T, A<->T or C<->G.
    """
    transversions = mutation_rate / (1 + kappa / 2)  # mean over all bases
    # Transitions outside of CpG, mean over those bases. With factor * (these + transversions) in
    # CpG, the mean over all bases is kappa / 2 * transversions.
    in_cpg = CPG_BASES * cpg_factor
    transitions = transversions * (kappa / 2 - in_cpg) / (1 - CPG_BASES + in_cpg)
    cpg = cpg_factor * (transitions + transversions)
    new = NEW_SUBSTITUTIONS
    at, gc = 1 - GC_BASES, GC_BASES
    outside = transitions * (1 - CPG_BASES) / (new["T>C"] + new["C>T"])
    swaps = transversions / (new["C>A"] + new["C>G"] + new["T>A"] + new["T>G"])
    of_gc = (swaps * new["C>A"] / gc, swaps * new["C>G"] / gc)
    return np.array(
        [
            (outside * new["T>C"] / at, swaps * new["T>G"] / at, swaps * new["T>A"] / at),
            (outside * new["C>T"] / (gc - CPG_BASES), *of_gc),
            (cpg, *of_gc),
        ]
    )


def _indel_rates(
    mutation_rate: float, share: float, weight: NDArray[np.float32], bases: int
) -> tuple[float, NDArray[np.float32]]:
    """Split the rate of indels between all bases and the repeats, by the repeats' weights."""
    whole = mutation_rate * share / (1 - share) * bases
    repeats = float(weight.sum())
    of_repeats = min(repeats / (repeats + bases), REPEAT_SHARE) if repeats else 0.0
    outside = whole * (1 - of_repeats) / max(bases, 1)
    return outside, weight * np.float32(whole * of_repeats / max(repeats, 1.0))


def _copy_number_places(
    length: int, classes: VariantClasses, rng: np.random.Generator
) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    spike, spike_length = np.zeros(length, np.float32), np.zeros(length, np.int32)
    number = rng.poisson(COPY_NUMBER_PLACES * length / GENOME_BASES) * classes.copy_numbers
    median, spread = COPY_NUMBER_LENGTH
    place = rng.integers(0, length, number)
    spike[place] = PERSON_COPY_NUMBERS / COPY_NUMBER_PLACES / PERSON_GENERATIONS
    spike_length[place] = np.clip(median * np.exp(spread * rng.normal(size=number)), 1_000, 200_000)
    return spike, spike_length
