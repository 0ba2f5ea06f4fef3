"""Gene burden: a regression on whether a person carries a qualifying variant of a gene.

The network names the variants of each gene, or genes and classes of consequences, which each node
looks up in the INFO of its own variants (``GENE=A,B;CSQ=of_A,of_B``). Variants
above a joint frequency do not qualify. A missing call counts as no carried allele. With weights, a
person's score is the sum of alleles times the weights of their variants instead.

Alleles with a consequence that are not in the joint list qualify too: too few people of each node
carry them to be named, but who carries any of a gene needs no names. So a node takes all of its own
alleles but those that the joint list has as too frequent, and those that are not listed because
nearly everybody there has them.

The sums are those of linear and logistic regressions, with carriers of genes for genotypes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehearsal.analyses import linear, logistic
from rehearsal.analyses.alleles import AlleleList, find_alleles, rows_of
from rehearsal.analyses.components import node_components
from rehearsal.analyses.design_matrix import DesignMatrix, design_matrix
from rehearsal.analyses.genotype_sums import hide_few
from rehearsal.analyses.likelihood_sums import VariantLikelihoods
from rehearsal.analyses.magnitudes import PEOPLE, SLACK
from rehearsal.analyses.protocol import (
    AnalysisError,
    Arrays,
    Bounds,
    Disclosure,
    Parameters,
    State,
    smallest_count,
)
from rehearsal.analyses.variant_weights import variant_weights
from rehearsal.analyses.view import Genotypes, View
from rehearsal.errors import shown

Numbers = NDArray[np.float64]

ADDITIVE = True
NEEDS: tuple[str, ...] = ("alleles", "frequencies")
MODELS = ("linear", "logistic")
LARGEST_FREQUENCY = 0.01
MEMBERS = ("qualifying", "gene", "excluded")  # of the state: which variants are of which gene
DISCLOSURE: Mapping[str, Disclosure] = {
    **linear.DISCLOSURE,
    **logistic.DISCLOSURE,
    "squares": Disclosure("sum", linear.BOTH),  # of scores
}


def sum_bounds(parameters: Parameters, state: Arrays) -> Bounds:
    """Bound the sums of the model.

    Args:
        parameters: As of :func:`start`.
        state: The state of the model.
    """
    if parameters["model"] != "linear":
        return logistic.sum_bounds(parameters, state)
    bounds = linear.sum_bounds(parameters, state)
    if "weights" not in state:
        return bounds
    largest = 2 * math.fsum(state["weights"].tolist())  # score of somebody with all alleles
    people = SLACK * float(state[PEOPLE])
    scores = {"alleles": np.array(people * largest), "squares": np.array(people * largest**2)}
    return bounds | scores | {"genotype_products": bounds["genotype_products"] * largest / 2}


def start(parameters: Parameters, earlier: Mapping[str, Arrays]) -> State:
    """Find the variants that may qualify.

    Args:
        parameters: ``model`` (``linear`` or ``logistic``) with its ``outcome`` and
            ``covariates``; ``genes``: names with ``consequences``, or objects with ``name`` and
            ``variants``, each a contig, a 0-based position, a reference and an alternate allele;
            ``largest_frequency`` (0.01), and ``weights`` of :mod:`variant_weights`.
        earlier: Results of earlier steps: ``alleles``, ``frequencies``, perhaps ``components``.

    Raises:
        AnalysisError: The parameters cannot be used.
    """
    genes, model = parameters.get("genes", ()), parameters.get("model")
    if model not in MODELS:
        raise _bad("model", " or ".join(MODELS), shown(model))
    if not genes:
        raise _bad("genes", "at least one gene", "none")
    frequency = earlier["frequencies"]["frequency"]
    rare = frequency <= float(parameters.get("largest_frequency", LARGEST_FREQUENCY))
    weights = variant_weights(parameters, earlier["frequencies"])
    shared: Arrays = {"qualifying": np.flatnonzero(rare).astype(np.int32)}
    if "consequences" not in parameters:
        shared = _listed_members(genes, AlleleList.of(earlier["alleles"]), rare)
    elif weights is None:
        shared = {"excluded": np.flatnonzero(~rare).astype(np.int32)}
    if weights is not None:
        shared["weights"] = weights[shared["qualifying"]]
    d = earlier["components"]["eigenvalues"].size if "components" in earlier else 0
    if model == "linear":
        nothing = np.zeros(0, dtype=np.int32)
        return State(shared | {"incomplete": nothing}, private={"n_components": np.array(d)})
    inner = logistic.start_with(parameters, len(genes), d, 1)
    return State(shared | inner.shared, private=inner.private)


def node_sums(view: View, parameters: Parameters, state: Arrays) -> Arrays:
    """Compute the sums of a node.

    Args:
        view: The node's view.
        parameters: As of :func:`start`, and ``smallest_count``.
        state: The variants that may qualify, and the state of the model.

    Raises:
        AnalysisError: The node lacks a variable, or has nobody with all of them.
    """
    if parameters["model"] == "linear":
        design = design_matrix(view, parameters, node_components(view, state))
        return _linear_sums(design, _genes(view, parameters, state, design))
    design = logistic.disease_design(view, parameters, state)
    if "null" in state:
        return logistic.covariate_sums(design, state)
    carriers = _genes(view, parameters, state, design)[state["variants"]]
    likelihoods = VariantLikelihoods(design.covariates, design.outcome, 1, "firth" in state)
    sums = likelihoods.sums([(slice(0, len(carriers)), carriers)], state["beta"])
    return {"people": np.array(design.people.size)} | sums


def advance(parameters: Parameters, state: State, totals: Arrays) -> State:
    """Go on as the model does.

    Args:
        parameters: Parameters of the step.
        state: The state before.
        totals: The sums over nodes.

    Returns:
        The next state. Results at the end have one entry per gene, as those of the model;
        ``frequency`` is that of carriers.
    """
    if parameters["model"] == "linear":
        found = linear.advance(parameters, state, totals)
        carriers = totals["carriers"] / int(totals["people"])
        return State({}, results={**(found.results or {}), "frequency": carriers})
    following = logistic.advance(parameters, state, totals)
    if following.results is not None:
        return following
    members = {name: state.shared[name] for name in MEMBERS if name in state.shared}
    return State(following.shared | members, private=following.private)


def _listed_members(
    genes: list[Mapping[str, Any]], alleles: AlleleList, rare: NDArray[np.bool_]
) -> Arrays:
    """Find listed variants in the joint list: their numbers, and those of their genes."""
    try:
        rows = [(i, *one) for i, gene in enumerate(genes) for one in gene["variants"]]
        numbers, contig, position, ref, alt = zip(*rows, strict=True) if rows else ([],) * 5
        listed = AlleleList.of_texts(contig, position, ref, alt)
    except (TypeError, KeyError, ValueError) as error:
        expected = "a name and variants: contig, 0-based position, ref, alt"
        raise _bad("genes", expected, "another structure") from error
    found = find_alleles(listed, alleles)
    keep = (found >= 0) & np.append(rare, False)[found]
    gene = np.array(numbers, dtype=np.int32)
    return {"qualifying": found[keep].astype(np.int32), "gene": gene[keep]}


def _genes(
    view: View, parameters: Parameters, state: Arrays, design: DesignMatrix
) -> Genotypes | Numbers:
    """Return who carries a qualifying variant, or scores, shape (n_genes, n_people); hide few."""
    causes = [state[name] for name in (*MEMBERS, "weights") if name in state]
    everyone = view.remembered("burden", causes, lambda: _all_genes(view, parameters, state))
    genes = everyone[:, design.people]
    least = smallest_count(parameters)
    if "weights" not in state:
        hide_few(genes, 1, least)
        return genes
    carriers = (genes > 0).sum(axis=1)
    told = np.column_stack([carriers, design.people.size - carriers])
    genes[((told > 0) & (told < least)).any(axis=1)] = 0.0
    return genes


def _all_genes(view: View, parameters: Parameters, state: Arrays) -> Genotypes | Numbers:
    """Mark carriers of genes among all people, or sum their scores."""
    rows = _qualifying_rows(view, state)
    place = np.arange(rows.size)  # of each member among the qualifying
    if "gene" in state:
        gene = state["gene"].astype(np.int64)
    else:
        place, gene = _annotated_members(view, parameters, rows)
    here = rows[place] >= 0
    place, gene = place[here], gene[here]
    weighted = "weights" in state
    kind = np.float64 if weighted else np.int8
    genes = np.zeros((len(parameters["genes"]), view.n_people), dtype=kind)
    for part, block in view.blocks(rows[place], view.everyone):
        if weighted:
            scores = state["weights"][place[part], None] * np.maximum(block, 0)
            np.add.at(genes, gene[part], scores)
        else:
            np.maximum.at(genes, gene[part], (block > 0).astype(np.int8))
    return genes


def _qualifying_rows(view: View, state: Arrays) -> NDArray[np.int64]:
    """Return the rows of variants that qualify by frequency; -1 for one that a node lacks."""
    rows = rows_of(view, state)
    if "excluded" not in state:
        return rows[state["qualifying"]]
    none, one, two, _ = view.counts_of_everyone.astype(np.int64).T
    qualifies = one + 2 * two <= none + one + two  # at most half of the alleles here
    qualifies[rows[rows >= 0]] = True
    excluded = rows[state["excluded"]]
    qualifies[excluded[excluded >= 0]] = False
    return np.flatnonzero(qualifies)


def _annotated_members(
    view: View, parameters: Parameters, rows: NDArray[np.int64]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Look up genes and consequences of rows in their INFO: places of rows, and genes."""
    if "INFO" not in view.variants.column_names:
        raise AnalysisError("bad_view", view.folder, "genotypes.pvar", "a column INFO", "none")
    number = {name: i for i, name in enumerate(parameters["genes"])}
    wanted, found = set(parameters["consequences"]), set()
    here = np.flatnonzero(rows >= 0)
    texts = view.variants["INFO"].take(rows[here]).to_pylist()
    for place, text in zip(here.tolist(), texts, strict=True):
        pairs = zip(_values(text, "GENE"), _values(text, "CSQ"), strict=False)
        found |= {(place, number[name]) for name, one in pairs if name in number and one in wanted}
    table = np.array(sorted(found), dtype=np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


def _values(info: str, key: str) -> list[str]:
    found = re.search(rf"(?:^|;){key}=([^;]*)", info)
    return found[1].split(",") if found else []


def _linear_sums(design: DesignMatrix, genes: Genotypes | Numbers) -> Arrays:
    x, y = design.covariates, design.outcome
    both, values = np.column_stack([x, y]), genes.astype(np.float64)
    carriers = (genes > 0).sum(axis=1, dtype=np.int32)
    scores = {"alleles": values.sum(axis=1), "squares": np.square(values).sum(axis=1)}
    size = both.shape[1] * (both.shape[1] + 1) // 2
    return {
        "people": np.array(y.size),
        "covariates": x.T @ x,
        "outcome": np.append(x.T @ y, y @ y),
        "carriers": carriers,
        "reference_carriers": np.int32(y.size) - carriers,
        **({"alleles": carriers} if genes.dtype == np.int8 else scores),
        "genotype_products": values @ both[:, 1:],
        "missing": np.zeros(0, dtype=np.int32),
        "missing_products": np.zeros((0, size)),
    }


def _bad(key: str, expected: str, found: str) -> AnalysisError:
    return AnalysisError("bad_parameters", "parameters", key, expected, found)
