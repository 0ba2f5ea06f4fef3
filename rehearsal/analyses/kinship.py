"""People enrolled at two nodes, and close kin across nodes, without identities or genotypes.

Each person gets a sketch: the signs of random projections of the standardised genotypes (Charikar
2002, doi:10.1145/509907.509965). Two sketches differ in a share of bits that estimates the angle
between the two people's genotypes, whose cosine is about twice their kinship: 1 for the same person
or twins, 0.5 for parents, children and siblings, 0.25 for the next degree, 0 for strangers.

The projections come from a key that the operators of the nodes share and the network does not know,
and from the variants. The network learns which pairs are close, and how close every pair is within
the error of the sketch. Without the key it cannot tell what any sketch says of a genotype. A node
that gives it the key would let it test whether a person with known genotypes takes part. A node
sketches many variants that are common among its own people, or none, so that no state of the
network singles out one of them.

Results state the power for first-degree kin, by the binomial error of the sketch, and the false
alarms that are expected among strangers, by how far the cosines of all pairs spread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import shake_256

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.alleles import PREFIX, rows_of
from rehearsal.analyses.common_variants import common_variants, standardisation, standardised
from rehearsal.analyses.protocol import (
    AnalysisError,
    Arrays,
    Disclosure,
    Parameters,
    State,
    no_bounds,
    smallest_count,
)
from rehearsal.analyses.view import View

ADDITIVE = False
NEEDS: tuple[str, ...] = ("alleles", "frequencies")
DISCLOSURE: Mapping[str, Disclosure] = {
    "sketches": Disclosure("sketch"),
    "key_check": Disclosure("sketch"),
}
sum_bounds = no_bounds
KEY, RUN = "run.key", "run.id"  # in the folder of the view
LEAST_KEY = 16  # bytes
BITS = 2048
LEAST_FREQUENCY, LOWEST_FREQUENCY = 0.1, 0.05  # usually, and of any request
LEAST_VARIANTS = 500
COMMON_HERE = 0.75  # share of the variants that must be common among the node's own people
LARGEST_DIFFERENCE = 0.25  # between a frequency of all nodes and of one, of a common variant
CHECK = 8  # bytes by which the network sees whether all nodes have the same key
# cosines: twice the bounds of kinship between degrees (Manichaikul and others 2010)
DUPLICATE, FIRST_DEGREE = 2 * 2**-1.5, 2 * 2**-2.5
ROWS = 2048  # of sketches that are compared at once


def start(parameters: Parameters, earlier: Mapping[str, Arrays]) -> State:
    """Choose variants.

    Args:
        parameters: ``least_frequency`` of the rarer allele (0.1), ``window``: at most one variant
            in so many bases (0: all), and ``bits`` of a sketch, a multiple of 8 (2048).
        earlier: Results of earlier steps: ``alleles`` and ``frequencies``.

    Raises:
        AnalysisError: There are too few common variants, or the bits are no multiple of 8.
    """
    bits = int(parameters.get("bits", BITS))
    if bits < 8 or bits % 8:
        raise AnalysisError("bad_parameters", "parameters", "bits", "a multiple of 8", str(bits))
    least = float(parameters.get("least_frequency", LEAST_FREQUENCY))
    chosen = common_variants(earlier, least, int(parameters.get("window", 0)))
    if chosen.size < LEAST_VARIANTS:
        expected, found = f"at least {LEAST_VARIANTS} common variants", str(chosen.size)
        raise AnalysisError("bad_parameters", "analysis", "least_frequency", expected, found)
    return State(standardisation(earlier, chosen))


def node_sums(view: View, parameters: Parameters, state: Arrays) -> Arrays:
    """Sketch the people of a node, in the order of :func:`shuffled_rows`.

    Args:
        view: The node's view, with ``run.key`` and ``run.id``.
        parameters: ``bits`` and ``least_frequency``.
        state: ``chosen``, ``mean`` and ``scale``.

    Raises:
        AnalysisError: There is no key, or the state singles out variants.
    """
    key, run = _read(view, KEY, LEAST_KEY), _read(view, RUN, 1)
    rows = rows_of(view, state)[state["chosen"]]
    _refuse_few(view, parameters, state, rows)
    size = int(parameters.get("bits", BITS)) // 8
    signs = _signs(key, state, size)
    lacking = rows < 0
    constant = -(state["mean"] * state["scale"])[lacking] @ signs[lacking]
    scores = np.tile(constant, (view.n_people, 1))
    here = np.flatnonzero(~lacking)
    for part, genotypes in view.blocks(rows[here], view.everyone):
        scores += standardised(genotypes, state, here[part]).T @ signs[here[part]]
    sketches = np.packbits(scores > 0, axis=1)
    return {
        "sketches": sketches[shuffled_rows(key, run, view.n_people)],
        "key_check": np.frombuffer(shake_256(b"check" + key).digest(CHECK), dtype=np.uint8),
    }


def shuffled_rows(key: bytes, run: bytes, n_people: int) -> NDArray[np.int64]:
    """Return the order in which a node sends its people: the person of each row of the sketches.

    Args:
        key: The key of sketches.
        run: The id of the node's run, which the node draws: each run has another order.
        n_people: Number of people of the node.
    """
    numbers = np.frombuffer(shake_256(b"rows" + run + key).digest(8 * n_people), dtype="<u8")
    return np.argsort(numbers, kind="stable")


def join(sums: Sequence[Arrays]) -> Arrays:
    """Put the sketches of all nodes together.

    Args:
        sums: Sums of the nodes.

    Returns:
        ``sketches``, and ``node`` and ``row`` of each.

    Raises:
        AnalysisError: The sketches have different lengths, or come from different keys.
    """
    if len({one["key_check"].tobytes() for one in sums}) != 1:
        expected, found = "the same at all nodes", "different ones"
        raise AnalysisError("bad_state", "analysis", KEY, expected, found)
    sketches = [one["sketches"] for one in sums]
    if len({one.shape[1:] for one in sketches}) != 1 or sketches[0].ndim != 2:
        raise AnalysisError("bad_state", "analysis", "sketches", "sketches of one length", "others")
    sizes = [len(one) for one in sketches]
    return {
        "sketches": np.concatenate(sketches),
        "node": np.repeat(np.arange(len(sizes)), sizes),
        "row": np.concatenate([np.arange(size) for size in sizes]),
    }


def advance(parameters: Parameters, state: State, totals: Arrays) -> State:
    """Find close pairs of people of different nodes.

    Args:
        parameters: ``bits``.
        state: The state before.
        totals: Sketches of all nodes, by :func:`join`.

    Returns:
        The end of the step. Its results have one entry per pair: ``node`` and ``row`` (shape
        (n_pairs, 2): the number of each node among those present, and the row of its sketches),
        ``cosine`` and ``duplicate``; and for all ``pairs_compared``, ``false_alarms`` (pairs of
        strangers that are expected among those found) and ``power`` (for first-degree kin).
    """
    bits = totals["sketches"].shape[1] * 8
    node = totals["node"]
    most = int(np.floor(bits * np.arccos(FIRST_DEGREE) / np.pi))  # bits in which kin may differ
    first, second, differing, spread = _close_pairs(totals["sketches"], node, most)
    cosine = np.cos(np.pi * differing / bits)
    order = np.argsort(-cosine, kind="stable")
    first, second, cosine = first[order], second[order], cosine[order]
    compared = int(spread.sum())
    results = {
        "node": np.stack([node[first], node[second]], axis=1),
        "row": np.stack([totals["row"][first], totals["row"][second]], axis=1),
        "cosine": cosine,
        "duplicate": cosine >= DUPLICATE,
        "pairs_compared": np.array(compared),
        "false_alarms": np.array(compared * _share_of_strangers(spread, most)),
        "power": np.array(_power(bits, most)),
    }
    return State({}, results=results)


def _close_pairs(
    sketches: NDArray[np.uint8], node: NDArray[np.int64], most: int
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64], NDArray[np.int64]]:
    """Find pairs of different nodes that differ in few bits, and count all pairs by that number.

    Bits become 1 and -1, whose products of matrices are whole numbers, exact in 32 bits.
    """
    signs = 2 * np.unpackbits(sketches, axis=1).astype(np.float32) - 1
    bits, found = signs.shape[1], []
    spread = np.zeros(bits + 1, dtype=np.int64)
    for first in range(0, len(signs), ROWS):
        later = signs[first:]
        differing = (bits - signs[first : first + ROWS] @ later.T) / 2
        apart = node[first : first + ROWS, None] < node[None, first:]
        spread += np.bincount(differing[apart].astype(np.int64), minlength=bits + 1)
        left, right = np.nonzero(apart & (differing <= most))
        found.append((left + first, right + first, differing[left, right].astype(np.float64)))
    first_ones, second_ones, differences = zip(*found, strict=True)
    pairs = np.concatenate(first_ones), np.concatenate(second_ones)
    return *pairs, np.concatenate(differences), spread


def _share_of_strangers(spread: NDArray[np.int64], most: int) -> float:
    """Estimate which share of strangers differs in at most so many bits.

    Nearly all pairs are strangers, so the middle 68 % of all pairs show how they spread, by the
    error of the sketch and of a finite number of variants, not all of them independent. The tail is
    taken as normal.

    Args:
        spread: Number of pairs by bits that differ.
        most: Bits in which a reported pair differs at most.
    """
    from scipy.special import ndtr

    if spread.sum() == 0:
        return 0.0
    below = (np.cumsum(spread) - spread / 2) / spread.sum()
    low, middle, high = np.interp(ndtr([-1.0, 0.0, 1.0]), below, np.arange(spread.size))
    return float(ndtr((most + 0.5 - middle) / max((high - low) / 2, 0.5)))


def _power(bits: int, most: int) -> float:
    """Return the chance to find first-degree kin."""
    from scipy.special import bdtr

    return float(bdtr(most, bits, np.arccos(0.5) / np.pi))


def _signs(key: bytes, state: Arrays, size: int) -> NDArray[np.float64]:
    """Draw 1 or -1 for each variant and bit, the same at all nodes, others for other variants."""
    told = shake_256(b"signs" + key)
    for name in [*sorted(name for name in state if name.startswith(PREFIX)), "chosen", "mean"]:
        content = np.ascontiguousarray(state[name]).tobytes()
        told.update(len(content).to_bytes(8, "little") + content)
    chosen = state["chosen"].size
    table = np.frombuffer(told.digest(chosen * size), dtype=np.uint8).reshape(chosen, size)
    return np.unpackbits(table, axis=1).astype(np.float64) * 2 - 1


def _refuse_few(view: View, parameters: Parameters, state: Arrays, rows: NDArray[np.int64]) -> None:
    """Refuse a state by which few variants would make a sketch. Raises AnalysisError.

    Every variant weighs what its frequency says, and is there once. Most are common among the
    node's own people, by its own counts, with a frequency near that of all nodes.
    """
    frequency = state["mean"] / 2
    least = max(float(parameters.get("least_frequency", LEAST_FREQUENCY)), LOWEST_FREQUENCY)
    sane = bool((np.minimum(frequency, 1 - frequency) >= least).all())
    scale = 1 / np.sqrt(2 * frequency * (1 - frequency)) if sane else np.zeros(0)
    held = rows[rows >= 0]
    once = np.unique(held).size == held.size and np.unique(state["chosen"]).size == rows.size
    if sane and once and np.array_equal(scale, state["scale"]) and frequency.shape == rows.shape:
        common = _common_here(view, held, least / 2, smallest_count(parameters))
        common &= np.abs(_frequencies(view, held) - frequency[rows >= 0]) <= LARGEST_DIFFERENCE
        if common.sum() >= max(LEAST_VARIANTS, COMMON_HERE * rows.size):
            return
    expected = f"at least {LEAST_VARIANTS} common variants of equal weight"
    raise AnalysisError("bad_state", "analysis", "chosen", expected, "others")


def _frequencies(view: View, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the share of alternate alleles among the node's own people; 0 without calls."""
    counts = view.counts_of_everyone[rows].astype(np.float64)
    return (counts[:, 1] + 2 * counts[:, 2]) / np.maximum(2 * counts[:, :3].sum(axis=1), 1)


def _common_here(
    view: View, rows: NDArray[np.int64], least_frequency: float, least_people: int
) -> NDArray[np.bool_]:
    """Say which variants are common among the node's own people, of whom most have a call."""
    counts = view.counts_of_everyone[rows].astype(np.int64)
    own = _frequencies(view, rows)
    people = np.minimum(counts[:, 0] + counts[:, 1], counts[:, 1] + counts[:, 2])
    common = (np.minimum(own, 1 - own) >= least_frequency) & (people >= least_people)
    return common & (2 * counts[:, 3] <= view.n_people)


def _read(view: View, name: str, least: int) -> bytes:
    path = view.folder / name
    content = path.read_bytes() if path.is_file() else b""
    if len(content) < least:
        what = "a key" if name == KEY else "the run's id"
        expected = f"{what} of at least {least} bytes"
        raise AnalysisError("bad_view", view.folder, name, expected, f"{len(content)} bytes")
    return content
