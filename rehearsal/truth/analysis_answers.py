"""Right answers of analyses: each step of an analysis, computed from the pooled people.

The steps are read here a second time. What a step means is in docs/design/analyses.md.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import beta

from rehearsal.errors import mismatch, shown
from rehearsal.model import Variant
from rehearsal.truth.association import (
    Association,
    combine_by_inverse_variance,
    hide_small_cells,
    linear_association,
    pooled_components,
    standardised,
    with_intercepts,
)
from rehearsal.truth.gene_consequences import GeneTruth
from rehearsal.truth.logistic_association import logistic_association
from rehearsal.truth.pooled_genotypes import PooledGenotypes
from rehearsal.truth.variant_classes import Extent

Numbers = NDArray[np.float64]
Answer = dict[str, NDArray[Any]]


def _weight_by_deviation(alleles: int, chromosomes: int) -> float:
    """One by the standard deviation of an allele, with one more of each kind."""
    q = (alleles + 1) / (chromosomes + 2)
    return float((q * (1 - q)) ** -0.5)


def _weight_by_beta(alleles: int, chromosomes: int) -> float:
    return float(beta.pdf(alleles / max(chromosomes, 1), 1, 25))


WEIGHTS: Mapping[str | None, Callable[[int, int], float]] = {
    None: lambda alleles, chromosomes: 1.0,  # it matters who has any
    "madsen_browning": _weight_by_deviation,
    "beta": _weight_by_beta,
}


class AnalysisTruth:
    """Computes the right answers of one analysis, step by step.

    Args:
        genotypes: The alleles that nodes name, and who carries them.
        people: Those who permit the analysis, in the order of the copies: ``country``, ``sex``,
            ``age`` and each variable that the analysis uses; unknown is NaN.
        least: The smallest count that a node tells, and that a masked total tells.
        genes: The genes of the run, for burden.
        countries: Those in the step of frequencies. None: all.
        masked: Whether frequencies are masked.

    Attributes:
        answers: The answer of each step so far, by its name.
    """

    def __init__(
        self,
        genotypes: PooledGenotypes,
        people: pd.DataFrame,
        least: int,
        genes: GeneTruth | None = None,
        countries: Collection[str] | None = None,
        masked: bool = False,
    ) -> None:
        self._genotypes, self._people, self._least = genotypes, people, least
        self._genes = genes
        self._country = pd.factorize(people["country"])[0].astype(np.int64)
        self._components = np.zeros((len(people), 0))
        present = self._present(countries)
        group = np.zeros_like(self._country) if masked else self._country
        hidden = hide_small_cells(genotypes.copies[:, present], group[present], least)
        called = (hidden >= 0).sum(axis=1)
        alleles = np.maximum(hidden, 0).sum(axis=1)
        self._frequency = alleles / (2 * np.maximum(called, 1))
        self._alleles = np.column_stack([alleles, 2 * called]).tolist()  # alternate ones, all
        self.answers: dict[str, Answer] = {}

    def _present(self, countries: Collection[str] | None) -> NDArray[np.bool_]:
        if countries is None:
            return np.ones(len(self._people), dtype=bool)
        return self._people["country"].isin(list(countries)).to_numpy()

    def add(self, step: Mapping[str, Any], countries: Collection[str] | None = None) -> None:
        """Compute the answer of the next step.

        Args:
            step: ``algorithm``, ``parameters`` and perhaps ``name`` and ``masked``.
            countries: Those whose nodes were in it, all of them in the steps before too. None: all.

        Raises:
            ValueError: The truth does not know the algorithm or the model.
        """
        algorithm = step["algorithm"]
        compute = {
            "components": self._compute_components,
            "linear": self._compute_linear,
            "burden": self._compute_burden,
            "logistic": self._compute_logistic,
        }
        if algorithm not in compute:
            expected = f"one of {', '.join(compute)}"
            raise ValueError(mismatch("analysis: algorithm", expected, shown(algorithm)))
        name = step.get("name", algorithm)
        masked = bool(step.get("masked"))
        present = self._present(countries)
        self.answers[name] = compute[algorithm](step.get("parameters", {}), masked, present)

    def _compute_components(
        self, parameters: Mapping[str, Any], masked: bool, present: NDArray[np.bool_]
    ) -> Answer:
        frequency, number = self._frequency, int(parameters["number"])
        chosen = self._common(parameters)
        if masked:
            chosen = chosen[self._enough_people(chosen, present)]
        copies = self._genotypes.copies[np.ix_(chosen, np.flatnonzero(present))]
        components, values = pooled_components(copies, frequency[chosen], number)
        self._components = np.full((len(present), number), np.nan)
        self._components[present] = components * np.sqrt(len(components))
        genotypes = standardised(copies, frequency[chosen])
        loadings = genotypes @ components
        return {
            "chosen": chosen,
            "components": components,
            "eigenvalues": values / len(chosen),
            "total": np.array((genotypes**2).sum() / len(chosen)),  # of all eigenvalues
            "loadings": loadings / np.linalg.norm(loadings, axis=0),
        }

    def _common(self, parameters: Mapping[str, Any]) -> NDArray[np.int64]:
        """Choose common autosomal variants, perhaps the first in each window."""
        rarer = np.minimum(self._frequency, 1 - self._frequency)
        common = rarer >= float(parameters.get("least_frequency", 0.05))
        chosen = np.flatnonzero(common & self._genotypes.is_autosomal)
        window = int(parameters.get("window", 0))
        return self._first_in_windows(chosen, window) if window else chosen

    def _enough_people(
        self, chosen: NDArray[np.int64], present: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        """Tell of which variants enough people have each allele."""
        copies = self._genotypes.copies[np.ix_(chosen, np.flatnonzero(present))]
        having = [(copies > 0).sum(axis=1), ((copies == 0) | (copies == 1)).sum(axis=1)]
        return np.minimum(*having) >= self._least

    def _first_in_windows(self, chosen: NDArray[np.int64], window: int) -> NDArray[np.int64]:
        """Keep the first in each window; of one position, the first by REF>ALT."""
        first: dict[tuple[str, int], tuple[int, str, int]] = {}
        for number in chosen.tolist():
            variant = self._genotypes.alleles[number][0]
            place = (variant.start, f"{variant.ref}>{variant.alt}", number)
            window_of = (variant.contig, variant.start // window)
            first[window_of] = min(place, first.get(window_of, place))
        return np.array(sorted(place[2] for place in first.values()), dtype=np.int64)

    def _compute_linear(
        self, parameters: Mapping[str, Any], masked: bool, present: NDArray[np.bool_]
    ) -> Answer:
        known, outcome, covariates = self._known(parameters, present)
        country = self._country[known]
        group = np.zeros_like(country) if masked else country
        whole = self._genotypes.copies[:, known]
        copies = hide_small_cells(whole, group, self._least)
        answer = _answer(linear_association(copies, outcome, covariates))
        answer |= _cost_of_hiding(whole, copies, country)
        answer["all_z"] = linear_association(whole, outcome, covariates).statistic
        if masked:
            return answer
        studies = [
            _alone(copies, outcome, covariates, country == number) for number in np.unique(country)
        ]
        combined = combine_by_inverse_variance(studies)
        own = with_intercepts(covariates, country)
        return answer | {
            "meta_beta": combined.effect,
            "meta_z": combined.statistic,
            "country_z": linear_association(copies, outcome, own).statistic,
        }

    def _compute_logistic(
        self, parameters: Mapping[str, Any], masked: bool, present: NDArray[np.bool_]
    ) -> Answer:
        known, outcome, covariates = self._known(parameters, present)
        chosen = self._common(parameters)
        country = self._country[known]
        group = np.zeros_like(country) if masked else country
        copies = self._genotypes.copies[np.ix_(chosen, np.flatnonzero(known))]
        copies = hide_small_cells(copies, group, self._least)
        found, cases = logistic_association(copies, outcome == 1, covariates)
        return _answer(found) | {"chosen": chosen, "cases": cases}

    def _compute_burden(
        self, parameters: Mapping[str, Any], masked: bool, present: NDArray[np.bool_]
    ) -> Answer:
        if parameters["model"] != "linear":
            raise ValueError(mismatch("analysis: model", "linear", shown(parameters["model"])))
        known, outcome, covariates = self._known(parameters, present)
        country = self._country[known]
        group = np.zeros_like(country) if masked else country
        scores, qualifying = self._scores_of_genes(parameters)
        scores = scores[:, known]
        carriers = (scores > 0).astype(np.int8)
        hidden = hide_small_cells(2 * carriers, group, self._least) // 2  # all have two alleles
        if parameters.get("weights") is None:
            return _answer(linear_association(hidden, outcome, covariates)) | qualifying
        for number in range(int(group.max(initial=-1)) + 1):  # where few carry, or few do not
            here = group == number
            few = (hidden[:, here] != carriers[:, here]).any(axis=1)
            scores[np.ix_(few, here)] = 0.0
        return _answer(linear_association(scores, outcome, covariates)) | qualifying

    def _scores_of_genes(self, parameters: Mapping[str, Any]) -> tuple[Numbers, Answer]:
        """Add up weights of each person's qualifying alleles, shape (n_genes, n_people).

        Also count these alleles: ``qualifying``, and ``unnamed``, those of them that no node names.
        """
        if self._genes is None:
            raise ValueError(mismatch("analysis: genes", "the genes of the run", "none"))
        number = {name: row for row, name in enumerate(parameters["genes"])}
        scores = np.zeros((len(number), len(self._people)))
        counts = {name: np.zeros(len(number), np.int64) for name in ("qualifying", "unnamed")}
        for allele, weighted, is_unnamed in self._qualifying(parameters):
            rows = [number[gene] for gene in self._genes_of(allele, parameters) & set(number)]
            scores[rows] += weighted
            counts["qualifying"][rows] += 1
            counts["unnamed"][rows] += is_unnamed
        return scores, counts

    def _qualifying(
        self, parameters: Mapping[str, Any]
    ) -> Iterator[tuple[tuple[Variant, Extent], Numbers, bool]]:
        """Yield what qualifies by frequency: alleles, copies by weight, and whether unnamed."""
        copies, weigh = self._genotypes.copies, WEIGHTS[parameters.get("weights")]
        rare = np.flatnonzero(self._frequency <= float(parameters["largest_frequency"]))
        for row in rare.tolist():
            weight = weigh(*self._alleles[row])
            yield self._genotypes.alleles[row], weight * np.maximum(copies[row], 0), False
        unnamed = self._genotypes.unnamed
        if unnamed is None or parameters.get("weights") is not None:  # they have no joint frequency
            return
        for allele, mine in zip(unnamed.alleles, unnamed.copies, strict=True):
            yield allele, self._where_it_is_rarer(np.maximum(mine, 0), mine >= 0), True

    def _genes_of(self, allele: tuple[Variant, Extent], parameters: Mapping[str, Any]) -> set[str]:
        """Find the genes for which an allele has one of the wanted consequences."""
        variant, extent = allele
        place = variant.contig, variant.start, variant.ref, variant.alt
        found = self._genes.consequences(*place, extent.end) if self._genes else []
        return {one.gene for one in found if one.label in parameters["consequences"]}

    def _where_it_is_rarer(self, copies: NDArray[np.int8], called: NDArray[np.bool_]) -> Numbers:
        """Drop the copies of an allele in countries in which more than half of all have it."""
        alternate = np.bincount(self._country, copies)
        most = alternate > np.bincount(self._country, called)
        return np.where(most[self._country], 0.0, copies)

    def _known(
        self, parameters: Mapping[str, Any], present: NDArray[np.bool_]
    ) -> tuple[NDArray[np.bool_], Numbers, Numbers]:
        """Return in whom all variables are known, and their outcome and covariates."""
        outcome, covariates = self._variables(parameters)
        known = present & np.isfinite(outcome) & np.isfinite(covariates).all(axis=1)
        return known, outcome[known], covariates[known]

    def _variables(self, parameters: Mapping[str, Any]) -> tuple[Numbers, Numbers]:
        columns: list[Numbers] = [np.ones(len(self._people))]
        for name in parameters.get("covariates", ()):
            if name == "components":
                columns += list(self._components.T)
            else:
                columns.append(self._variable(name))
        return self._variable(parameters["outcome"]), np.column_stack(columns)

    def _variable(self, name: str) -> Numbers:
        if name == "sex":
            return (self._people["sex"] == "male").to_numpy(np.float64)
        return self._people[name].to_numpy(np.float64)


def _answer(found: Association) -> Answer:
    return {
        "beta": found.effect,
        "se": found.error,
        "z": found.statistic,
        "p": found.p_value,
        "people": found.people,
    }


def _cost_of_hiding(
    whole: NDArray[np.int8], hidden: NDArray[np.int8], country: NDArray[np.int64]
) -> Answer:
    """Count what the rule for small counts changed, per variant.

    Args:
        whole: Copies of each person, shape (n_variants, n_people).
        hidden: The same after the rule.
        country: Numbers of countries, shape (n_people,).
    """
    changed = whole != hidden
    where = [changed[:, country == number].any(axis=1) for number in np.unique(country)]
    called = np.maximum((whole >= 0).sum(axis=1), 1)
    return {
        "hidden_people": changed.sum(axis=1),
        "hiding_countries": np.sum(where, axis=0, dtype=np.int64),
        "all_frequency": np.maximum(whole, 0).sum(axis=1, dtype=np.int64) / (2 * called),
    }


def _alone(
    copies: NDArray[np.int8], outcome: Numbers, covariates: Numbers, mine: NDArray[np.bool_]
) -> Association:
    """The study of one country by itself, with the covariates that vary there."""
    own = covariates[mine]
    keep = [0, *np.flatnonzero(np.ptp(own, axis=0) > 0).tolist()]
    return linear_association(copies[:, mine], outcome[mine], own[:, keep])


def people_of(
    people: pd.DataFrame,
    measurements: pd.DataFrame,
    permitted: NDArray[np.bool_],
    names: Sequence[str],
    reference_year: int,
) -> pd.DataFrame:
    """Collect the variables of those who permit an analysis.

    Args:
        people: All people of the run.
        measurements: Their measurements.
        permitted: Who permits the analysis, shape (people,).
        names: Codes of measurements.
        reference_year: The year in which ages are given.

    Returns:
        One row per person who permits: ``country``, ``sex``, ``age`` and a column per code, the
        mean of a person's values.
    """
    table = people.loc[permitted, ["id", "country", "sex"]].reset_index(drop=True)
    table["age"] = (reference_year - people.loc[permitted, "birth_year"]).to_numpy(np.float64)
    for name in names:
        values = measurements[measurements["code"] == name].groupby("individual")["value"].mean()
        table[name] = values.reindex(table["id"]).to_numpy(np.float64)
    return table
