"""How much a polygenic score raises the hazard: a Cox regression over all nodes, by sums.

Keys: ``trait`` (a disease of the traits with ``hazard_ratio_per_sd``), ``confidence`` (of the
interval in which that must lie; 0.95 by default).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.model import Answer
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.stories.network_requests import answered, ask_network, countries, request, response
from rehearsal.stories.query_context import Desk
from rehearsal.stories.reference_checks import Known
from rehearsal.stories.story_types import Check, Question, Told

PATH = "scores/hazard"
CLOSE = 1e-6  # relative: sums in another order
Reply = tuple[dict[str, Any], Answer]


def read(entry: Entry, own: Mapping[str, Entry], known: Known) -> dict[str, Any]:
    """Raises InputError."""
    for key in own:
        if key not in ("trait", "confidence"):
            raise own[key].error("one of the keys trait confidence")
    if "trait" not in own:
        raise entry.error("the key trait")
    disease = known.scored(own["trait"])
    if disease.genetics is None or disease.genetics.hazard_ratio_per_sd is None:
        raise own["trait"].error("a disease with hazard_ratio_per_sd")
    confidence = own["confidence"].number(0.5, 0.9999) if "confidence" in own else 0.95
    return {
        "trait": disease.name,
        "disease": disease.code,
        "configured": disease.genetics.hazard_ratio_per_sd,
        "confidence": confidence,
    }


async def ask(question: Question, desk: Desk) -> Reply:
    """Ask which scoring file the nodes have, then for the regression."""
    asked = question.parameters
    files = response(await ask_network(desk, "scores"))["scoringFiles"]
    digests = {one["name"]: one["scoringFile"] for one in files}
    body = {
        "scoringFile": digests[f"rehearsal-{asked['trait']}"],
        "disease": asked["disease"],
        "confidence": asked["confidence"],
    }
    return body, await ask_network(desk, PATH, body)


def tell(question: Question, reply: Reply) -> Told:
    """The ratio with its interval."""
    body, answer = reply
    said = response(answer)
    return Told(
        request(question, PATH, body),
        countries(answer, {}),
        said,
        f"Scores, ages and diseases of {said['people']:,} people: four sums a round left home.",
    )


def judge(question: Question, truth: Any, reply: Reply) -> list[Check]:
    """As a regression of the pooled people; the configured ratio lies in the interval."""
    _, answer = reply
    said = response(answer)
    checks = [answered(truth["countries"], answer)]
    for key in ("people", "events"):
        checks.append(Check.equal(f"{key} in the regression", truth[key], said[key]))
    for key, name in (("hazardRatio", "ratio"), ("low", "low"), ("high", "high")):
        close = abs(said[key] - truth[name]) <= CLOSE * truth[name]
        checks.append(Check(f"{key} is that of the pooled people", truth[name], said[key], close))
    configured = question.parameters["configured"]
    interval = f"{said['low']:.3f} to {said['high']:.3f}"
    inside = said["low"] <= configured <= said["high"]
    return [
        *checks,
        Check("the configured hazard ratio is recovered", configured, interval, inside),
    ]
