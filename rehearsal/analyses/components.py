"""Principal components of genotypes, of which only loadings of variants and sums leave a node.

Z are the genotypes of all people at common variants, standardised by the joint frequency p:
``(g - 2p) / sqrt(2p(1 - p))``, 0 without a call. The loadings are the eigenvectors of Z'Z with the
largest eigenvalues. In each round the network sends a block V of directions, and the nodes return
their parts of ``W = Z'(Z V)``. The network keeps all blocks and images, takes the best approximate
eigenvectors in their span (Rayleigh and Ritz), and continues with what W adds to the span, made
orthogonal by QR: subspace iteration that forgets nothing, a block Krylov method (Musco and Musco
2015, arXiv:1504.05477).

A component has converged when ``|Z'Z v - theta v| <= tolerance * theta``. Its angle to the exact
one is at most that residual divided by the distance to the nearest other eigenvalue (Davis and
Kahan 1970). When all have, nodes compute the components of their people, ``Z v * sqrt(n /
theta)``, which have a mean square of 1 and stay there. They return sums of them.

Under masks the network sees W of all people only, in fixed point: no entry is larger than the
number of people times the largest |z| of a genotype times the root of the sum of its squares over
variants, and the bits behind the point follow from that. The first round also counts carriers: a
variant of which all nodes together have too few, without those that were lost, is left out.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses.alleles import rows_of
from rehearsal.analyses.common_variants import common_variants, standardisation, standardised
from rehearsal.analyses.genotype_sums import count_genotypes
from rehearsal.analyses.magnitudes import PEOPLE, SLACK
from rehearsal.analyses.protocol import (
    AnalysisError,
    Arrays,
    Bounds,
    Disclosure,
    Parameters,
    State,
    is_masked,
)
from rehearsal.analyses.view import View

Numbers = NDArray[np.float64]

ADDITIVE = True
NEEDS: tuple[str, ...] = ("alleles", "frequencies")
VARIANTS = ("chosen", "mean", "scale")
BOTH = ("carriers", "reference_carriers")
DISCLOSURE: Mapping[str, Disclosure] = {
    "people": Disclosure("count"),
    "carriers": Disclosure("count"),  # in the first round under masks
    "reference_carriers": Disclosure("count"),
    "images": Disclosure("sum", BOTH),
    "component_sums": Disclosure("sum"),
    "component_products": Disclosure("sum"),
}
PREFIX = "components."  # of the arrays that nodes keep
SEARCH = "search."  # of those that they keep while directions are sought
DEFAULTS = {"number": 10, "least_frequency": 0.05, "window": 0, "tolerance": 1e-10, "rounds": 80}
SPARE = 6  # directions of a block beyond the wanted number: more save rounds, but cost bytes
PATIENCE, STALLED = 4, 1e-8  # rounds in which residuals below this share halve, or fixed point ends
LEAST_NEW = 1e-10  # length that a direction of length 1 must keep outside the span, to be new


def start(parameters: Parameters, earlier: Mapping[str, Arrays]) -> State:
    """Choose variants and draw the first block of directions.

    Args:
        parameters: ``number`` of components, ``least_frequency`` of the rarer allele, ``window``:
            at most one variant in so many bases (0: all), ``tolerance``, ``rounds`` at most, and
            ``seed``.
        earlier: Results of earlier steps: ``alleles`` and ``frequencies``.

    Raises:
        AnalysisError: There are fewer common variants than components.
    """
    chosen = common_variants(
        earlier, _value(parameters, "least_frequency"), int(_value(parameters, "window"))
    )
    _check_number(parameters, chosen.size)
    counting = {"counting": np.array(1)} if is_masked(parameters) else {}
    return _begin(parameters, standardisation(earlier, chosen), counting)


def _begin(parameters: Parameters, variants: Arrays, more: Arrays) -> State:
    """Draw the first block of directions of the chosen variants, which nodes get once."""
    rows = variants["chosen"].size
    size = min(int(_value(parameters, "number")) + SPARE, rows)
    random = np.random.default_rng(int(parameters.get("seed", 1)))
    block = np.linalg.qr(random.normal(size=(rows, size)))[0]
    empty = np.zeros((rows, 0))
    private = {"basis": empty, "images": empty, "past": np.zeros(0)}
    kept = _named(SEARCH, variants)
    return State({"block": block} | more, private=private | variants, kept=kept)


def node_sums(view: View, parameters: Parameters, state: Arrays) -> Arrays:
    """Compute the image of a block, or sums of components.

    Args:
        view: The node's view.
        parameters: Parameters of the step.
        state: ``block`` while directions are sought; the kept loadings afterwards.
    """
    people = np.array(view.n_people)
    if "block" in state:
        variants = _unnamed(SEARCH, state)
        rows = rows_of(view, state)[variants["chosen"]]
        scores = _scores(view, rows, variants, state["block"])
        counts = _counts(view, rows) if "counting" in state else {}
        return {"people": people, **counts, "images": _images(view, rows, variants, scores)}
    components = _project(view, state)
    return {
        "people": people,
        "component_sums": components.sum(axis=0),
        "component_products": components.T @ components,
    }


def advance(parameters: Parameters, state: State, totals: Arrays) -> State:
    """Widen the span of directions until the wanted components have converged.

    Args:
        parameters: Parameters of the step.
        state: The state before.
        totals: The sums over nodes.

    Returns:
        The next state. Results at the end: ``eigenvalues`` (of Z Z' / n_variants), ``loadings``
        (of length 1, shape (n_chosen, number)), ``chosen`` (numbers of alleles), ``residuals``
        (as shares of the eigenvalues), ``rounds``, and over people ``component_means`` and
        ``component_products``.
    """
    if "images" not in totals:
        return State({}, results=state.private | _summary(totals))
    if "counting" in state.shared:
        few = (totals["carriers"] == 0) | (totals["reference_carriers"] == 0)
        if few.any():
            return _without(parameters, state.private, few)
    private = state.private
    basis = np.hstack([private["basis"], state.shared["block"]])
    images = np.hstack([private["images"], totals["images"]])
    number = int(_value(parameters, "number"))
    values, vectors = np.linalg.eigh(_symmetric(basis.T @ images))
    values, vectors = values[: -number - 1 : -1], vectors[:, : -number - 1 : -1]
    residuals = np.linalg.norm(images @ vectors - basis @ (vectors * values), axis=0)
    residuals = residuals / np.maximum(values, np.finfo(float).tiny)
    block = _new_directions(basis, totals["images"])
    past = np.append(private["past"], residuals.max())  # the largest of each round
    if block.shape[1] == 0 or _has_ended(parameters, past):
        found = {"values": values, "residuals": residuals, "rounds": np.array(past.size)}
        return _converged(private, basis @ vectors, found, int(totals["people"]))
    found = {"basis": basis, "images": images, "past": past}
    return State({"block": block}, private=private | found)


def node_components(view: View, state: Arrays) -> Numbers | None:
    """Compute the components of a node's people, which never leave it.

    Args:
        view: The node's view.
        state: The state, with the loadings that a step of components left.

    Returns:
        Shape (n_people, number), or None without such a step.
    """
    return _project(view, state) if f"{PREFIX}loadings" in state else None


def sum_bounds(parameters: Parameters, state: Arrays) -> Bounds:
    """Bound images, and sums of components, whose mean square over all people is 1.

    Args:
        parameters: Parameters of the step.
        state: As of :func:`node_sums`, and the number of people of all nodes.
    """
    people = float(state[PEOPLE])
    if "block" not in state:
        most = np.array(SLACK * people)
        return {"component_sums": most, "component_products": most}
    mean, scale = state[f"{SEARCH}mean"], state[f"{SEARCH}scale"]
    largest = np.maximum(mean, 2 - mean) * scale  # of standardised genotypes, by variant
    row = math.sqrt(math.fsum(np.square(largest).tolist()))
    return {"images": np.array(SLACK * people * largest.max() * row)}


def _has_ended(parameters: Parameters, past: Numbers) -> bool:
    """Say whether residuals are small enough, or get no smaller, or there were rounds enough."""
    before = past[-1 - PATIENCE] if past.size > PATIENCE else np.inf
    stalled = past[-1] <= STALLED and past[-1] > before / 2
    enough = past[-1] <= _value(parameters, "tolerance")
    return bool(enough or stalled or past.size >= _value(parameters, "rounds"))


def _check_number(parameters: Parameters, variants: int) -> None:
    """Refuse more components than variants. Raises AnalysisError."""
    number = int(_value(parameters, "number"))
    if variants < number:
        expected = f"at least {number} common variants"
        raise AnalysisError("bad_parameters", "analysis", "number", expected, str(variants))


def _without(parameters: Parameters, private: Arrays, few: NDArray[np.bool_]) -> State:
    """Begin anew without variants of which too few people tell. Raises AnalysisError."""
    _check_number(parameters, int((~few).sum()))
    left = {name: private[name][~few] for name in VARIANTS}
    return _begin(parameters, left, {})


def _named(prefix: str, arrays: Arrays) -> Arrays:
    return {f"{prefix}{name}": array for name, array in arrays.items()}


def _unnamed(prefix: str, state: Arrays) -> Arrays:
    return {k.removeprefix(prefix): v for k, v in state.items() if k.startswith(prefix)}


def _counts(view: View, rows: NDArray[np.int64]) -> Arrays:
    counts = count_genotypes(view, rows, view.everyone, 1)
    return {name: getattr(counts, name).astype(np.int32) for name in BOTH}


def _value(parameters: Parameters, name: str) -> float:
    return float(parameters.get(name, DEFAULTS[name]))


def _converged(private: Arrays, loadings: Numbers, found: Arrays, people: int) -> State:
    largest = np.abs(loadings).argmax(axis=0)
    loadings = loadings * np.sign(loadings[largest, np.arange(loadings.shape[1])])
    kept = {name: private[name] for name in VARIANTS}
    kept["loadings"] = loadings * np.sqrt(people / found["values"])
    results = {
        "eigenvalues": found["values"] / loadings.shape[0],
        "loadings": loadings,
        "chosen": private["chosen"],
        "residuals": found["residuals"],
        "rounds": found["rounds"],
    }
    return State({}, private=results, kept=_named(PREFIX, kept))


def _summary(totals: Arrays) -> Arrays:
    return {
        "component_means": totals["component_sums"] / totals["people"],
        "component_products": totals["component_products"],
    }


def _new_directions(basis: Numbers, images: Numbers) -> Numbers:
    """Return orthonormal directions of the images that are not in the span of the basis."""
    lengths = np.linalg.norm(images, axis=0)
    rest = images / np.where(lengths > 0, lengths, 1.0)
    for _ in range(2):  # twice is enough (Giraud and others 2005)
        rest = rest - basis @ (basis.T @ rest)
    left, values, _ = np.linalg.svd(rest, full_matrices=False)
    left = left[:, values > LEAST_NEW]
    left = left - basis @ (basis.T @ left)
    return np.linalg.qr(left)[0]


def _symmetric(matrix: Numbers) -> Numbers:
    return (matrix + matrix.T) / 2


def _project(view: View, state: Arrays) -> Numbers:
    kept = _unnamed(PREFIX, state)

    def compute() -> Numbers:
        rows = rows_of(view, state)[kept["chosen"]]
        return _scores(view, rows, kept, kept["loadings"])

    return view.remembered("components", kept.values(), compute)


def _scores(view: View, rows: NDArray[np.int64], state: Arrays, block: Numbers) -> Numbers:
    """Multiply the standardised genotypes of all people by a block, shape (n_people, n_block)."""
    lacking = rows < 0
    constant = -(state["mean"] * state["scale"])[lacking] @ block[lacking]
    found = np.tile(constant, (view.n_people, 1))
    here = np.flatnonzero(~lacking)
    for part, genotypes in view.blocks(rows[here], view.everyone):
        found += standardised(genotypes, state, here[part]).T @ block[here[part]]
    return found


def _images(view: View, rows: NDArray[np.int64], state: Arrays, scores: Numbers) -> Numbers:
    """Multiply the transposed standardised genotypes by scores, shape (n_chosen, n_block)."""
    found = np.outer(-(state["mean"] * state["scale"]), scores.sum(axis=0))
    here = np.flatnonzero(rows >= 0)
    for part, genotypes in view.blocks(rows[here], view.everyone):
        found[here[part]] = standardised(genotypes, state, here[part]) @ scores
    return found
