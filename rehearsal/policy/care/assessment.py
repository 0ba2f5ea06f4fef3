"""Costs and effects of care by what the nodes of a run told, beside pooled people and the truth."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import NormalDist
from typing import Any

from rehearsal.errors import InputError, shown
from rehearsal.phenotypes.trait_types import Disease, Traits
from rehearsal.policy.care.cascade import assess_cascade
from rehearsal.policy.care.parameters import Cascade, Economics, Value
from rehearsal.policy.care.prevention import ScoreSums, assess_prevention
from rehearsal.policy.care.sensitivity import low_and_high
from rehearsal.seeds import derive_seed

CHECKED = "(r)"  # in the source of an assumption that was checked against it
SAME = 1e-9  # relative difference up to which sums of nodes give what pooled people give
WORDS = {"prevention": "score-based prevention", "cascade": "cascade testing"}


@dataclass(frozen=True, slots=True)
class Told:
    """What was told of a run's people: by the nodes, or of all people pooled."""

    score: ScoreSums | None  # None: the story was not played, or nobody answered
    carriers: Mapping[str, int] | None  # by gene
    lacks: Mapping[str, str] = field(default_factory=dict)  # why a way cannot be assessed


def told_by_nodes(economics: Economics, stories: Mapping[str, Mapping[str, Any]]) -> Told:
    """Read what the nodes told in the stories of a run.

    Args:
        economics: The assumptions, with the names of stories and questions.
        stories: The results of stories, by name.
    """
    questions = _questions(stories.get(economics.prevention.story))
    kinds = {one["kind"]: one for one in questions.values()}
    histogram = kinds.get("score", {}).get("details") or {}
    regression = kinds.get("hazard_ratio", {}).get("joined") or {}
    score = None
    if histogram.get("counts") and regression.get("coefficient") is not None:
        score = ScoreSums(
            edges=tuple(histogram["edges"]),
            counts=tuple(histogram["counts"]),
            below=histogram["below"],
            above=histogram["above"],
            log_ratio=regression["coefficient"],
            se=regression["standardError"],
        )
    questions = _questions(stories.get(economics.cascade.story))
    counts = {key: (one["joined"] or {}).get("count") for key, one in questions.items()}
    carriers = _added(economics, counts)
    lacks = {}
    if score is None:
        lacks["prevention"] = _why_no_score(economics.prevention.story, stories)
    if carriers is None:
        lacks["cascade"] = _why_no_carriers(economics, stories, counts)
    return Told(score, carriers, lacks)


def _why_no_score(story: str, stories: Collection[str]) -> str:
    if story not in stories:
        return f"the story {story} was not played"
    return f"the nodes told no score or no hazard ratio in the story {story}"


def _why_no_carriers(
    economics: Economics, stories: Collection[str], counts: Mapping[str, Any]
) -> str:
    """Name the genes whose carriers nobody counted, and the questions that ask for them."""
    cascade = economics.cascade
    if cascade.story not in stories:
        return f"the story {cascade.story} was not played"
    lost = [
        f"{gene} ({one}: {'not answered' if one in counts else 'not asked'})"
        for gene, ids in cascade.carriers.items()
        for one in ids
        if counts.get(one) is None
    ]
    if not lost:
        return "nobody who was counted carries a variant"
    return f"carriers were not counted of {', '.join(lost)}"


def told_of_pooled(
    economics: Economics,
    stories: Mapping[str, Mapping[str, Any]],
    truth: Mapping[str, Mapping[str, Any]],
) -> Told:
    """Read the right answers to the same questions, of all people in one place.

    Args:
        economics: The assumptions.
        stories: The results of stories, for what was asked.
        truth: The right answers by story and question.
    """
    asked = _questions(stories.get(economics.prevention.story))
    kinds = {one["kind"]: one for one in asked.values()}
    right = truth.get(economics.prevention.story, {})
    score = None
    edges = tuple((kinds.get("score", {}).get("details") or {}).get("edges", ()))
    if edges and "hazard_ratio" in kinds:
        countries = right[kinds["score"]["id"]]["countries"].values()
        below, *counts, above = (sum(column) for column in zip(*countries, strict=True))
        question = kinds["hazard_ratio"]
        regression = right[question["id"]]
        confidence = question["request"]["body"]["confidence"]
        reach = math.log(regression["high"] / regression["low"]) / 2
        score = ScoreSums(
            edges=edges,
            counts=tuple(counts),
            below=below,
            above=above,
            log_ratio=math.log(regression["ratio"]),
            se=reach / NormalDist().inv_cdf((1 + confidence) / 2),
        )
    known = truth.get(economics.cascade.story, {})
    ids = {one for several in economics.cascade.carriers.values() for one in several} & set(known)
    carriers = {one: sum(node["count"] for node in known[one].values()) for one in ids}
    return Told(score, _added(economics, carriers))


def _questions(story: Mapping[str, Any] | None) -> dict[str, Mapping[str, Any]]:
    return {one["id"]: one for one in story["questions"]} if story else {}


def _added(economics: Economics, counts: Mapping[str, Any]) -> dict[str, int] | None:
    """Add up the counts of each gene; None if one is missing or nobody carries anything."""
    added: dict[str, int] = {}
    for gene, ids in economics.cascade.carriers.items():
        several = [count for one in ids if (count := counts.get(one)) is not None]
        if len(several) < len(ids):
            return None
        added[gene] = sum(several)
    return added if sum(added.values()) else None


def assess(
    economics: Economics, traits: Traits, nodes: Told, pooled: Told, seed: int
) -> dict[str, dict[str, Any]]:
    """Assess both ways of care.

    Args:
        economics: The assumptions.
        traits: The diseases.
        nodes: What the nodes told.
        pooled: What pooled people tell.
        seed: The run's root seed.

    Returns:
        ``prevention`` and ``cascade``, each with ``ages``, ``why`` it is not assessed, ``told``,
        ``nodes`` and ``pooled`` (a ``Summary`` as a mapping; None if it could not be assessed).
    """
    return {
        "prevention": {
            "ages": {
                "start": economics.prevention.start_age,
                "end": economics.prevention.end_age,
                "threshold": economics.prevention.threshold_sd,
            },
            "why": nodes.lacks.get("prevention", ""),
            "told": None if nodes.score is None else asdict(nodes.score),
            "nodes": _assess_prevention(economics, traits, nodes.score, seed),
            "pooled": _assess_prevention(economics, traits, pooled.score, seed),
        },
        "cascade": {
            "ages": {"start": economics.cascade.start_age, "end": economics.cascade.end_age},
            "why": nodes.lacks.get("cascade", ""),
            "told": nodes.carriers,
            "nodes": _assess_cascade(economics, traits, nodes.carriers, seed),
            "pooled": _assess_cascade(economics, traits, pooled.carriers, seed),
        },
    }


def _assess_prevention(
    economics: Economics, traits: Traits, told: ScoreSums | None, seed: int
) -> dict[str, Any] | None:
    if told is None:
        return None
    risk = disease_of(traits, economics.prevention.disease).cumulative_risk
    return asdict(assess_prevention(economics, risk, told, derive_seed(seed, "care", "prevention")))


def _assess_cascade(
    economics: Economics, traits: Traits, told: Mapping[str, int] | None, seed: int
) -> dict[str, Any] | None:
    if told is None:
        return None
    disease = disease_of(traits, economics.cascade.disease)
    genes = {one.gene: one for one in disease.genes}
    risks = [genes[gene].cumulative_risk["female"] for gene in told]
    carriers, others = list(told.values()), disease.cumulative_risk.get("female")
    seed = derive_seed(seed, "care", "cascade")
    return asdict(assess_cascade(economics, risks, others, carriers, seed))


def check_care(source: Path, economics: Economics, traits: Traits, played: Collection[str]) -> None:
    """Check that the diseases and genes of the assumptions are among the traits.

    Nothing is asked of a way of care whose story is not played: it is not assessed.

    Args:
        source: File of the assumptions, for messages.
        economics: The assumptions.
        traits: The diseases.
        played: Names of the stories of the run.

    Raises:
        InputError: A disease or gene is unknown, or lacks what its model needs.
    """
    if economics.prevention.story in played:
        _check_score(source, economics.prevention.disease, traits)
    if economics.cascade.story in played:
        _check_genes(source, economics.cascade, traits)


def check_threshold(source: Path, economics: Economics, edges: Iterable[float]) -> None:
    """Check that nodes count people from the threshold on, and not from somewhere beside it.

    Args:
        source: File of the assumptions, for messages.
        economics: The assumptions.
        edges: Edges of the bins that the story asks for, in standard deviations.

    Raises:
        InputError: The threshold is no edge.
    """
    threshold = economics.prevention.threshold_sd
    nearest = min(edges, key=lambda edge: abs(edge - threshold))
    if abs(nearest - threshold) > SAME:
        story = economics.prevention.story
        expected = f"an edge of the bins of story {story}, such as {nearest:g}"
        raise InputError(source, "score_based_prevention.threshold_sd", expected, shown(threshold))


def _check_score(source: Path, name: str, traits: Traits) -> None:
    scored = [
        one.name
        for one in traits.diseases
        if one.genetics is not None and one.genetics.hazard_ratio_per_sd is not None
    ]
    if name not in scored:
        expected = f"a disease of {traits.source} with hazard_ratio_per_sd"
        raise InputError(source, "score_based_prevention.disease", expected, shown(name))


def _check_genes(source: Path, cascade: Cascade, traits: Traits) -> None:
    if cascade.disease not in {one.name for one in traits.diseases}:
        expected = f"a disease of {traits.source}"
        raise InputError(source, "cascade_testing.disease", expected, shown(cascade.disease))
    genes = disease_of(traits, cascade.disease).genes
    known = {one.gene for one in genes if "female" in one.cumulative_risk}
    for gene in cascade.carriers:
        if gene not in known:
            words = f"a gene that {traits.source} gives {cascade.disease}"
            expected = f"{words}: {', '.join(sorted(known))}"
            raise InputError(source, "cascade_testing.carriers", expected, shown(gene))


def disease_of(traits: Traits, name: str) -> Disease:
    """Return a disease by its name.

    Args:
        traits: The diseases.
        name: The name, which must be one of them.
    """
    return next(one for one in traits.diseases if one.name == name)


def describe_assumptions(economics: Economics) -> dict[str, Any]:
    """List the assumptions, for those who read the result.

    Args:
        economics: The assumptions.

    Returns:
        ``currency_year``, ``discount_rate``, ``euro_per_qaly``, ``last_age``, ``unchecked`` (how
        many were not checked against their source), and ``assumptions``: a row for each with
        ``way`` (``both`` for those of both), ``name``, ``value``, ``se``, ``draw``, ``source``,
        and ``low`` and ``high``, with which it is tried alone (None: it is not).
    """
    ways = {
        "both": {"discount_rate": economics.discount_rate, **economics.shared},
        "prevention": economics.prevention.values,
        "cascade": economics.cascade.values,
    }
    return {
        "currency_year": economics.currency_year,
        "discount_rate": economics.discount_rate.value,
        "euro_per_qaly": economics.euro_per_qaly,
        "last_age": economics.last_age,
        "unchecked": sum(
            CHECKED not in value.source for values in ways.values() for value in values.values()
        ),
        "assumptions": [
            {"way": way, "name": name, **asdict(value), **_range(value)}
            for way, values in ways.items()
            for name, value in values.items()
        ],
    }


def _range(value: Value) -> dict[str, float | None]:
    low, high = low_and_high(value) or (None, None)
    return {"low": low, "high": high}


def care_checks(
    assessed: Mapping[str, Mapping[str, Any]], unheard: Collection[str] = ()
) -> list[dict[str, Any]]:
    """Check that the nodes' sums give what pooled people give.

    Args:
        assessed: The result of :func:`assess`.
        unheard: Nodes of others that did not answer: their people are among the pooled ones only,
            so nothing is checked.

    Returns:
        Checks of ``summary.json``.
    """
    checks = []
    for name, one in assessed.items():
        if one["pooled"] is None or unheard:
            continue
        nodes = one["nodes"] or {}
        for key, words in (("euro", "euro"), ("qaly", "quality-adjusted years")):
            right, observed = one["pooled"][key], nodes.get(key)
            name_of_check = f"{WORDS[name]}: {words} per person, by nodes as by pooled people"
            checks.append(
                {
                    "name": name_of_check,
                    "expected": right,
                    "observed": observed,
                    "passed": observed is not None and math.isclose(observed, right, rel_tol=SAME),
                }
            )
    return checks
