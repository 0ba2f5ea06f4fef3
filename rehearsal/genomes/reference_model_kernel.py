"""Compiled code that draws reference bases tile by tile.

Numbers come from splitmix64, a generator with a 64-bit counter as state: the state of a tile
follows from the seed and the tile's number, so every tile can be drawn alone. Constants: Steele,
Lea and Flood 2014, https://doi.org/10.1145/2660193.2660195.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from rehearsal.compiled_code import kernel, part

TILE = 1 << 16  # bases that are drawn from one state of the generator
STRIDE = 1 << 10  # bases between two evaluations of the GC content
PIECE = 1 << 5  # bases for which one table of transitions applies

_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)
_LETTERS = np.frombuffer(b"ACGT", dtype=np.uint8)


@part
def _mix(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    return value ^ (value >> np.uint64(31))


@part
def _draw(state: np.ndarray) -> np.uint64:
    """Draw 64 bits and advance the state, shape (1,), uint64."""
    state[0] += _STEP
    return _mix(state[0])


@part
def _uniform(state: np.ndarray) -> float:
    """Draw a number in (0, 1)."""
    return (np.float64(_draw(state) >> np.uint64(11)) + 0.5) / 9007199254740992.0


@part
def _exponential(state: np.ndarray, mean: float) -> int:
    """Draw a whole number of at least 0 from an exponential distribution."""
    return int(-mean * np.log(_uniform(state)))


@part
def _node(seed: np.uint64, wave: int, index: int) -> float:
    """Return the value of a grid point of the noise: mean 0, variance 1, nearly normal."""
    bits = _mix(seed + _STEP * np.uint64(index + 1) + _FIRST * np.uint64(wave + 1))
    total = 0.0
    for _ in range(4):
        total += np.float64(bits & np.uint64(0xFFFF)) / 65536.0
        bits >>= np.uint64(16)
    return (total - 2.0) * 1.7320508


@part
def gc_noise(seed: np.uint64, position: int, spacings: np.ndarray, weights: np.ndarray) -> float:
    """Compute smooth noise along a contig: a weighted sum of interpolated grids.

    Args:
        seed: Seed of the contig.
        position: 0-based.
        spacings: Bases between the points of each grid, shape (n,), int64.
        weights: Weight of each grid, shape (n,), float64.

    Returns:
        The noise.
    """
    total = 0.0
    for wave in range(len(spacings)):
        index = position // spacings[wave]
        part = (position - index * spacings[wave]) / spacings[wave]
        part = part * part * (3.0 - 2.0 * part)
        before, after = _node(seed, wave, index), _node(seed, wave, index + 1)
        total += weights[wave] * (before + (after - before) * part)
    return total


@part
def _set_levels(
    levels: np.ndarray,
    tile: int,
    seed: np.uint64,
    state: np.ndarray,
    grids: tuple,
    composition: np.ndarray,
) -> None:
    """Set the table of transitions of each piece of a tile, CpG islands included."""
    spacings, weights = grids
    lowest, scale, spread, first_level, level_step, last_level = composition[:6]
    island_share, island_least, island_extra = composition[6:]
    pieces = STRIDE // PIECE
    rate = 0.0
    for stride in range(TILE // STRIDE):
        noise = gc_noise(seed, tile * TILE + stride * STRIDE, spacings, weights)
        gc = lowest + scale * np.exp(spread * noise)
        level = min(max(int((gc - first_level) / level_step + 0.5), 0), int(last_level))
        levels[stride * pieces : (stride + 1) * pieces] = level
        rate += island_share * max(gc - lowest, 0.0)  # islands stand where GC is rich
    # the number of islands is Poisson: count exponential gaps within the rate
    used = -np.log(_uniform(state))
    while used < rate:
        start = int(_uniform(state) * len(levels))
        length = (island_least + _exponential(state, island_extra)) // PIECE
        levels[start : start + int(length)] = int(last_level) + 1
        used -= np.log(_uniform(state))


@part
def _write_repeat(codes: np.ndarray, place: int, state: np.ndarray, motifs: tuple) -> int:
    """Write a tandem repeat from ``place`` on and return the place behind it."""
    units, unit_lengths, cumulative, least, extra = motifs
    kind = int(np.searchsorted(cumulative, _uniform(state) * cumulative[-1]))
    unit = unit_lengths[kind]
    bits = _draw(state)
    backward = bits & np.uint64(1) == np.uint64(1)
    phase = int((bits >> np.uint64(1)) % np.uint64(unit))
    end = min(place + least[kind] + _exponential(state, extra[kind]), len(codes))
    for at in range(place, end):
        step = (at - place + phase) % unit
        code = units[kind, unit - 1 - step] if backward else units[kind, step]
        codes[at] = 3 - code if backward else code
    return end


@kernel()
def draw_tiles(
    bases: np.ndarray,
    first_tile: int,
    seed: np.uint64,
    transitions: np.ndarray,
    grids: tuple,
    composition: np.ndarray,
    motifs: tuple,
    repeat_gap: float,
) -> None:
    """Draw whole tiles.

    Args:
        bases: Where to write, ASCII, shape (tiles * TILE,), uint8.
        first_tile: Number of the first tile, counted from the start of the contig.
        seed: Seed of the contig.
        transitions: Cumulative probabilities of the next base being A, C or G, times 2**32, by
            level and base, shape (levels, 4, 3), int64. The last level is that of CpG islands.
        grids: Spacings and weights of :func:`gc_noise`.
        composition: Lowest GC, scale and spread of its variation; first level, step and last level;
            CpG islands per stride and GC, their least length and the mean of what they exceed it
            by, shape (9,), float64.
        motifs: Tandem repeats: codes of the units, shape (n, 6), int64; their lengths; cumulative
            weights; least lengths in bases; means of what they exceed it by; shapes (n,).
        repeat_gap: Mean bases between tandem repeats.
    """
    state = np.zeros(1, np.uint64)
    levels = np.zeros(TILE // PIECE, np.int64)
    codes = np.zeros(TILE, np.uint8)
    for number in range(len(bases) // TILE):
        tile = first_tile + number
        state[0] = _mix(seed ^ _mix(np.uint64(tile) + _SECOND))
        _set_levels(levels, tile, seed, state, grids, composition)
        _fill_tile(codes, state, levels, transitions, motifs, repeat_gap)
        for at in range(TILE):
            bases[number * TILE + at] = _LETTERS[codes[at]]


@part
def _fill_tile(
    codes: np.ndarray,
    state: np.ndarray,
    levels: np.ndarray,
    transitions: np.ndarray,
    motifs: tuple,
    repeat_gap: float,
) -> None:
    """Draw a Markov chain of bases, interrupted by tandem repeats."""
    base: Any = np.int64(_draw(state) >> np.uint64(62))  # of one type, or numba makes it a float
    at: Any = np.int64(0)
    while at < TILE:
        stop = min(at + np.int64(_exponential(state, repeat_gap)), TILE)
        while at < stop:
            bits = np.int64(_draw(state) >> np.uint64(32))
            table = transitions[levels[at // PIECE], base]
            base = (
                np.int64(bits >= table[0]) + np.int64(bits >= table[1]) + np.int64(bits >= table[2])
            )
            codes[at] = base
            at += 1
        if at < TILE:
            at = _write_repeat(codes, at, state, motifs)
            base = np.int64(codes[at - 1])


@kernel()
def wrap_lines(bases: np.ndarray, text: np.ndarray, place: int, line: int) -> None:
    """Write bases as lines of a FASTA, each followed by a newline.

    Args:
        bases: Bases as ASCII, shape (n,), uint8.
        text: Where to write, shape (m,), uint8: the characters from the first base on, with a
            newline behind each whole line.
        place: Number of bases of the contig before the first one.
        line: Bases per line.
    """
    to = 0
    for at in range(len(bases)):
        text[to] = bases[at]
        to += 1
        if (place + at + 1) % line == 0:
            text[to] = 10
            to += 1
