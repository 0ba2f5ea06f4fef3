"""Reads ``config/analyses.yaml``: the federated analyses that a run plays."""

from __future__ import annotations

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from rehearsal.analyses.variant_weights import WEIGHTS
from rehearsal.evaluation.analyses.keys import KEYS_FILE
from rehearsal.masked_sums.participant import FEWEST
from rehearsal.node.settings.analysis_settings import CLEAR, MASKED, MODES, SMALLEST_COUNT
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.node.wes.algorithms import FOLDER, Algorithm, algorithm_digest, read_algorithm
from rehearsal.phenotypes.yaml_reader import Entry, read_yaml

KEYS = ("algorithm", "purpose", "smallest_count", "deadline_s", "modes")
PARTS = ("pca", "gwas", "burden", "logistic")
STEP_OF_PART = {
    "pca": "components",
    "gwas": "linear",
    "burden": "burden",
    "logistic": "logistic",
}
FREQUENCIES = {"algorithm": "frequencies", "parameters": {"hardy_weinberg": False}}
MOST_GENES = 500  # parameters of a run have a largest size


@dataclass(frozen=True, slots=True)
class Step:
    """A step of the analysis that all nodes play."""

    part: str  # one of PARTS
    name: str  # of its results
    masked: bool
    request: Mapping[str, Any]  # of the algorithm: algorithm, name, masked, parameters

    @property
    def mode(self) -> str:
        """One of :data:`MODES`."""
        return MASKED if self.masked else CLEAR


@dataclass(frozen=True, slots=True)
class PlannedAnalyses:
    """The analyses of a run. Each part may be None: it is left out."""

    algorithm: Path  # folder of the algorithm, which nodes approve
    name: str  # of the algorithm
    purpose: str  # DUO term
    smallest_count: int
    deadline_s: float  # of each call to a node
    modes: tuple[str, ...]
    pca: Mapping[str, Any] | None
    gwas: Mapping[str, Any] | None
    burden: Mapping[str, Any] | None
    logistic: Mapping[str, Any] | None

    @property
    def parts(self) -> tuple[str, ...]:
        """The parts that are not left out."""
        return tuple(part for part in PARTS if getattr(self, part) is not None)

    @property
    def frequencies(self) -> dict[str, Any]:
        """The step of frequencies, of which there is one: masked if nothing leaves in clear."""
        return FREQUENCIES | ({} if CLEAR in self.modes else {"masked": True})

    @property
    def outcomes(self) -> tuple[str, ...]:
        """The measurements that are analysed, and those that are covariates."""
        named = [
            name
            for part in (self.gwas, self.burden)
            if part is not None
            for name in (part["outcome"], *part["covariates"])
        ]
        named += self.logistic["covariates"] if self.logistic else []
        return tuple(dict.fromkeys(one for one in named if one not in OWN_VARIABLES))

    def steps(self, genes: Sequence[str], nodes: int) -> list[Step]:
        """List the steps: the components, then regressions in each mode, masked ones last.

        Components are found once, and the regressions of both modes use them. They are masked
        where that is possible, because in clear they tell the network most of what a node knows.
        The regression of a disease is masked, or left out where that is not possible: in clear,
        countries with few cases would take no part.

        Args:
            genes: The genes of the run, which are tested if the settings name none.
            nodes: The number of nodes that approve the algorithm.
        """
        modes = [mode for mode in MODES if mode in self.modes]
        can_mask = MASKED in modes and (nodes >= FEWEST or CLEAR not in modes)
        best = MASKED if can_mask else CLEAR
        in_each_mode = [(part, mode) for mode in modes for part in ("gwas", "burden")]
        planned = [("pca", best), *in_each_mode, ("logistic", best)]
        return [
            _step(part, getattr(self, part), genes, mode == MASKED)
            for part, mode in planned
            if part in self.parts
        ]


VARIABLES = ("outcome", "covariates")  # keys of regressions
OWN_VARIABLES = ("sex", "age", "components")


def _step(part: str, settings: Mapping[str, Any], genes: Sequence[str], masked: bool) -> Step:
    name = f"{part}, masked" if masked else part
    parameters = dict(settings)
    if part == "burden":
        parameters |= {"model": "linear", "genes": parameters["genes"] or list(genes)}
    request = {"algorithm": STEP_OF_PART[part], "name": name, "parameters": parameters}
    return Step(part, name, masked, request | ({"masked": True} if masked else {}))


def read_analyses(path: Path) -> PlannedAnalyses:
    """Read the analyses of a run. The comments of ``config/analyses.yaml`` explain every key.

    The folder of the algorithm is seen from the file.

    Args:
        path: The file.

    Raises:
        InputError: The file or the folder of the algorithm cannot be used; names the key.
    """
    top = read_yaml(path)
    part = top.fields(KEYS, PARTS)
    algorithm = read_algorithm(path.parent / part["algorithm"].text())
    given = {name: part[name] for name in PARTS if name in part and part[name].value is not None}
    if not given:
        raise top.error(f"at least one of {', '.join(PARTS)}", "none")
    plan = PlannedAnalyses(
        algorithm=algorithm.folder,
        name=algorithm.name,
        purpose=part["purpose"].text(r"DUO:\d{7}", "DUO:0000006"),
        smallest_count=_smallest_count(part["smallest_count"], algorithm),
        deadline_s=part["deadline_s"].number(1, 86_400),
        modes=_modes(part["modes"]),
        pca=_pca(given["pca"]) if "pca" in given else None,
        gwas=_regression(given["gwas"]) if "gwas" in given else None,
        burden=_burden(given["burden"]) if "burden" in given else None,
        logistic=_logistic(given["logistic"]) if "logistic" in given else None,
    )
    _check_components(given, plan)
    return plan


def approve_algorithm(
    settings: NodeSettings, plan: PlannedAnalyses | None, folder: Path
) -> NodeSettings:
    """Place the algorithm of a run in a node's folder, and approve it.

    Args:
        settings: The node's settings.
        plan: The analyses. None: there are none, and nothing is approved.
        folder: The node's folder.

    Returns:
        The settings with the digest, the limits, the modes and the name of the file of keys.
    """
    if plan is None:
        return settings
    shutil.copytree(plan.algorithm, folder / FOLDER / plan.name, dirs_exist_ok=True)
    limits = replace(
        settings.analyses,
        smallest_count=plan.smallest_count,
        modes=plan.modes,
        keys_file=KEYS_FILE,
    )
    digest = algorithm_digest(folder / FOLDER / plan.name)
    return replace(settings, algorithms=(digest,), analyses=limits)


def _smallest_count(entry: Entry, algorithm: Algorithm) -> int:
    value = entry.whole_number(SMALLEST_COUNT)
    if value > algorithm.smallest_count:
        promised = algorithm.smallest_count
        raise entry.error(f"at most {promised}, which {algorithm.name} promises")
    return value


def _modes(entry: Entry) -> tuple[str, ...]:
    modes = tuple(item.choice(*MODES) for item in entry.items())
    if not modes:
        raise entry.error(f"at least one of {', '.join(MODES)}")
    if len(set(modes)) < len(modes):
        raise entry.error("each mode once", "one of them twice")
    return modes


def _pca(entry: Entry) -> dict[str, Any]:
    part = entry.fields(["number", "window", "least_frequency", "tolerance"])
    return {
        "number": part["number"].whole_number(1, 40),
        **_common(part),
        "tolerance": part["tolerance"].number(1e-14, 1),
    }


def _regression(entry: Entry) -> dict[str, Any]:
    part = entry.fields(VARIABLES)
    return _variables(part)


def _logistic(entry: Entry) -> dict[str, Any]:
    part = entry.fields([*VARIABLES, "window", "least_frequency"])
    return {**_variables(part), **_common(part)}


def _common(part: Mapping[str, Entry]) -> dict[str, Any]:
    return {
        "window": part["window"].whole_number(0),
        "least_frequency": part["least_frequency"].number(1e-9, 0.5),
    }


def _variables(part: Mapping[str, Entry]) -> dict[str, Any]:
    covariates = [item.text() for item in part["covariates"].items()]
    return {"outcome": part["outcome"].text(), "covariates": covariates}


def _burden(entry: Entry) -> dict[str, Any]:
    part = entry.fields([*VARIABLES, "consequences", "largest_frequency", "weights", "genes"])
    consequences = [item.text() for item in part["consequences"].items()]
    if not consequences:
        raise part["consequences"].error("at least one label of a consequence")
    genes, weights = None, part["weights"]
    if part["genes"].value is not None:
        genes = [item.text() for item in part["genes"].items()]
        if not 1 <= len(genes) <= MOST_GENES:
            raise part["genes"].error(f"1 to {MOST_GENES} genes, or null", str(len(genes)))
    return {
        **_variables(part),
        "consequences": consequences,
        "largest_frequency": part["largest_frequency"].number(0, 1),
        "weights": None if weights.value is None else weights.choice(*WEIGHTS),
        "genes": genes,
    }


def _check_components(given: Mapping[str, Entry], plan: PlannedAnalyses) -> None:
    parts = {"gwas": plan.gwas, "burden": plan.burden, "logistic": plan.logistic}
    for name, part in parts.items():
        if part is not None and "components" in part["covariates"] and plan.pca is None:
            entry = given[name].child("covariates")
            raise entry.error("no components, because pca is left out", "components")
