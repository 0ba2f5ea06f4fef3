"""How a polygenic score is spread over the network, and where a patient stands.

Keys: ``trait`` (a polygenic disease of the traits), ``bins`` (``from``, ``to``, ``width``, in
standard deviations), ``expected`` (``top_percent``: of the country and of all, up to one bin).
``about`` names the patient.
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

KEYS = ("trait", "bins")
CLOSE = 1e-6  # standard deviations: sums in another order
Reply = tuple[dict[str, Any], Answer]


def read(entry: Entry, own: Mapping[str, Entry], known: Known) -> dict[str, Any]:
    """Raises InputError."""
    for key in own:
        if key not in (*KEYS, "expected"):
            raise own[key].error(f"one of the keys {' '.join(KEYS)} expected")
    for key in KEYS:
        if key not in own:
            raise entry.error(f"the key {key}")
    if "about" not in entry.value:
        raise entry.error("the key about: whose place is told")
    bins = {key: one.number() for key, one in own["bins"].fields(("from", "to", "width")).items()}
    if bins["width"] <= 0 or bins["to"] <= bins["from"]:
        raise own["bins"].error("from below to, and a width above 0")
    top = 100.0
    if "expected" in own:
        top = own["expected"].fields(("top_percent",))["top_percent"].number(0, 100)
    return {"trait": known.scored(own["trait"]).name, "bins": bins, "top_percent": top}


async def ask(question: Question, desk: Desk) -> Reply:
    """Ask which scoring file the nodes have, then for the histogram with the patient's place."""
    asked = question.parameters
    files = response(await ask_network(desk, "scores"))["scoringFiles"]
    mine = [one for one in files if one["name"] == f"rehearsal-{asked['trait']}"]
    if len(mine) != 1:
        raise RuntimeError(f"{len(mine)} scoring files of {asked['trait']} in the network")
    individual = desk.patients[str(question.about)]
    body = {
        "scoringFile": mine[0]["scoringFile"],
        "bins": asked["bins"],
        "patient": {"node": desk.asker.country, "id": individual},
    }
    return body, await ask_network(desk, "scores", body)


def tell(question: Question, reply: Reply) -> Told:
    """How many people each country counted, and the patient's place."""
    body, answer = reply
    said = response(answer)
    shown = {code: {"people": one["people"]} for code, one in said["countries"].items()}
    return Told(
        request(question, "scores", body),
        countries(answer, shown),
        {"people": said["people"], "patient": said["patient"]},
        f"The scores of {said['people']:,} people: only how many there are in each bin left a "
        "country. Her own score left hers for her clinician.",
        {"edges": said["edges"], "counts": said["groups"][0]["counts"]},
    )


def judge(question: Question, truth: Any, reply: Reply) -> list[Check]:
    """The same file, the same counts, the patient's place within a bin of the truth."""
    body, answer = reply
    said = response(answer)
    observed = {code: _counts(one["groups"]) for code, one in said["countries"].items()}
    joined = [sum(column) for column in zip(*truth["countries"].values(), strict=True)]
    checks = [
        answered(list(truth["countries"]), answer),
        Check.equal("the scoring file", truth["scoring_file"], body["scoringFile"]),
        Check.equal("each country's histogram is the truth", truth["countries"], observed),
        Check.equal("the joined histogram is the truth", joined, _counts(said["groups"])),
    ]
    patient, own = said["patient"], truth["patient"]
    if patient["state"] != "answered":
        return [*checks, Check("the patient's place is told", "answered", patient, False)]
    score = patient["score"]
    checks.append(
        Check("the patient's score", own["score"], score, abs(score - own["score"]) < CLOSE)
    )
    places = patient["percentiles"]
    for name, place, share in (
        ("in her country", places[own["country"]], own["at_home"]),
        ("in Europe", places["network"], own["everywhere"]),
    ):
        told = f"{place['below']:.2f} to {place['upTo']:.2f}"
        within = place["below"] - 1e-9 <= share <= place["upTo"] + 1e-9
        checks.append(Check(f"percentile {name}, within a bin", round(share, 4), told, within))
        top = question.parameters["top_percent"]
        if top < 100:
            passed = share >= 100 - top and place["upTo"] > 100 - top
            checks.append(Check(f"top {top:g} % {name}", f"from {100 - top:g} on", told, passed))
    return checks


def _counts(groups: list[dict[str, Any]]) -> list[int]:
    (one,) = groups
    return [one["below"], *one["counts"], one["above"]]
