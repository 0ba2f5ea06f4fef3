"""A standing query: somebody like the profile arrives at a node, and the asker is told, once.

Keys: ``profile`` (``sex``, ``age`` [from, to], ``terms``, ``gene``, ``maximum_frequency``),
``arrivals`` (a handle each: ``country``, ``sex``, ``age``, ``terms``, ``carries`` planted variants,
``consent``), ``restart`` (a country whose node is started again before anybody arrives there),
``within_s`` (5 by default).
"""

from __future__ import annotations

import asyncio
import json
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rehearsal.model import SEXES, Answer
from rehearsal.node.alerts.patient_import import FOLDER, TAKEN, admit
from rehearsal.node.alerts.store import person_behind
from rehearsal.phenotypes.consent import USE
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.stories.network_requests import answered, ask_network, countries, request, response
from rehearsal.stories.query_context import Desk
from rehearsal.stories.reference_checks import Known
from rehearsal.stories.story_types import Check, Question, Told

WITHIN_S = 5.0
QUIET_S = 0.5  # so long after the last arrival was taken nothing more is waited for
TOLD = {"subscription", "node", "time", "token"}  # all that an alert may hold


@dataclass(slots=True)
class Reply:
    """``alerts``: handle (of whom the token stands for), seconds after admission, and the alert;
    ``again``: alerts after everybody was admitted a second time."""

    body: dict[str, Any]
    subscribed: Answer
    alerts: list[dict[str, Any]] = field(default_factory=list)
    again: list[dict[str, Any]] = field(default_factory=list)
    restarted: str | None = None


# --- reading ---


def read(entry: Entry, own: Mapping[str, Entry], known: Known) -> dict[str, Any]:
    """Raises InputError."""
    keys = ("profile", "arrivals", "restart", "within_s")
    for key in own:
        if key not in keys:
            raise own[key].error(f"one of the keys {' '.join(keys)}")
    for key in keys[:2]:
        if key not in own:
            raise entry.error(f"the key {key}")
    arrivals = own["arrivals"].children()
    return {
        "profile": _profile(own["profile"], known),
        "arrivals": [_arrival(str(handle), one, known) for handle, one in arrivals.items()],
        "restart": known.country(own["restart"]) if "restart" in own else None,
        "within_s": own["within_s"].number(0.1) if "within_s" in own else WITHIN_S,
    }


def _profile(entry: Entry, known: Known) -> dict[str, Any]:
    part = entry.fields(("terms",), ("sex", "age", "gene", "maximum_frequency"))
    if ("gene" in part) != ("maximum_frequency" in part):
        raise entry.error("gene and maximum_frequency together")
    age = None
    if "age" in part:
        age = [item.whole_number(0, 150) for item in part["age"].items()]
        if len(age) != 2 or age[0] > age[1]:
            raise part["age"].error("[from, to] in years")
    bound = part["maximum_frequency"].number(0, 1) if "maximum_frequency" in part else None
    return {
        "sex": part["sex"].choice(*SEXES) if "sex" in part else None,
        "age": age,
        "terms": [known.hpo(item) for item in part["terms"].items()],
        "gene": known.gene(part["gene"]) if "gene" in part else None,
        "maximum_frequency": bound,
    }


def _arrival(handle: str, entry: Entry, known: Known) -> dict[str, Any]:
    part = entry.fields(("country", "sex", "age", "terms", "consent"), ("name", "carries"))
    carries = [known.variant(one) for one in part["carries"].items()] if "carries" in part else []
    country = known.country(part["country"])
    return {
        "handle": handle,
        "name": part["name"].text() if "name" in part else "",
        "country": country,
        "individual": f"{country}-ARRIVAL-{handle}",
        "sex": part["sex"].choice(*SEXES),
        "age": part["age"].whole_number(0, 150),
        "terms": [known.hpo(item) for item in part["terms"].items()],
        "variants": [[v.contig, v.start, v.ref, v.alt] for v in (one.variant for one in carries)],
        "consent": [item.text(USE.pattern, "DUO:0000042") for item in part["consent"].items()],
    }


# --- asking ---


async def ask(question: Question, desk: Desk) -> Reply:
    """Subscribe, start a node again, let everybody arrive, gather alerts; let everybody arrive once
    more; unsubscribe."""
    asked = question.parameters
    profile = asked["profile"]
    age = profile["age"]
    body = {
        "profile": {
            "sex": profile["sex"],
            "age": None if age is None else {"from": age[0], "to": age[1]},
            "terms": profile["terms"],
            "gene": profile["gene"],
            "maximumFrequency": profile["maximum_frequency"],
        }
    }
    reply = Reply(body, await ask_network(desk, "subscriptions", body))
    identifier = response(reply.subscribed)["subscription"]
    if asked["restart"] is not None:
        await asyncio.to_thread(desk.restart, asked["restart"])
        reply.restarted = asked["restart"]
    reply.alerts = await _arrive(question, desk)
    reply.again = await _arrive(question, desk)
    await ask_network(desk, f"subscriptions/{identifier}", method="DELETE")
    return reply


async def _arrive(question: Question, desk: Desk) -> list[dict[str, Any]]:
    """Admit everybody, and gather alerts until all are taken and nothing more comes."""
    asked = question.parameters
    begun = time.monotonic()
    waiting = [_admitted(one, desk) for one in asked["arrivals"]]
    quiet_from, found = None, []
    while quiet_from is None or time.monotonic() - quiet_from < QUIET_S:
        told = await ask_network(desk, "alerts", wait_s=QUIET_S, waitS=f"{QUIET_S:g}")
        seconds = time.monotonic() - begun
        alerts = response(told)["alerts"]
        for one in alerts:
            person = person_behind(desk.folders[one["node"]], one["token"])
            handles = [a["handle"] for a in asked["arrivals"] if a["individual"] == person]
            found.append({"handle": (*handles, person)[0], "seconds": seconds, "alert": one})
        if alerts:
            tokens = {"tokens": [one["token"] for one in alerts]}
            response(await ask_network(desk, "alerts/acknowledged", tokens))
        if not any(path.exists() for path in waiting) and quiet_from is None:
            quiet_from = time.monotonic()
        if seconds > 2 * asked["within_s"] + QUIET_S:
            break
    return found


def _admitted(one: Mapping[str, Any], desk: Desk) -> Path:
    """The file that waits for the node of a country to take it."""
    folder = desk.folders[one["country"]]
    (folder / FOLDER / TAKEN / f"{one['individual']}.json").unlink(missing_ok=True)
    with tempfile.TemporaryDirectory() as aside:
        path = Path(aside) / "phenopacket.json"
        path.write_text(json.dumps(phenopacket(one)))
        return admit(folder, path, consent=",".join(one["consent"]))


def phenopacket(one: Mapping[str, Any]) -> dict[str, Any]:
    """The phenopacket of somebody who arrives: GA4GH Phenopackets v2."""
    interpretations = [
        {
            "subjectOrBiosampleId": one["individual"],
            "interpretationStatus": "UNKNOWN_STATUS",
            "variantInterpretation": {
                "variationDescriptor": {
                    "id": f"{contig}-{start + 1}-{ref}-{alt}",
                    "vcfRecord": {
                        "genomeAssembly": "GRCh38",
                        "chrom": contig,
                        "pos": str(start + 1),
                        "ref": ref,
                        "alt": alt,
                    },
                    "moleculeContext": "genomic",
                }
            },
        }
        for contig, start, ref, alt in one["variants"]
    ]
    return {
        "id": one["individual"],
        "subject": {
            "id": one["individual"],
            "sex": one["sex"].upper(),
            "timeAtLastEncounter": {"age": {"iso8601duration": f"P{one['age']}Y"}},
        },
        "phenotypicFeatures": [{"type": {"id": term, "label": term}} for term in one["terms"]],
        "interpretations": [
            {
                "id": f"{one['individual']}-IN1",
                "progressStatus": "IN_PROGRESS",
                "diagnosis": {
                    "disease": {"id": "MONDO:0000001", "label": "disease"},
                    "genomicInterpretations": interpretations,
                },
            }
        ],
        "metaData": {"created": "2026-12-31T00:00:00Z", "createdBy": "rehearsal"},
    }


# --- telling and judging ---


def tell(question: Question, reply: Reply) -> Told:
    """Who subscribed where, who arrived, and what the asker was told."""
    shown: dict[str, dict[str, Any]] = {code: {"alerts": 0} for code in _nodes(reply)}
    for one in reply.alerts:
        shown[one["alert"]["node"]]["alerts"] += 1
    arrived = question.parameters["arrivals"]
    return Told(
        request(question, "subscriptions", reply.body),
        countries(reply.subscribed, shown),
        {"alerts": [one["alert"] for one in reply.alerts]},
        f"Who they are: of {len(arrived)} people who arrived, {len(reply.alerts)} alerts left a "
        "country, each a node, a time and a token to speak of the patient by.",
        {
            "arrivals": [
                {key: one[key] for key in ("handle", "name", "country", "sex", "age", "terms")}
                for one in arrived
            ],
            "seconds": {one["handle"]: round(one["seconds"], 3) for one in reply.alerts},
            "restarted": reply.restarted,
        },
    )


def _nodes(reply: Reply) -> list[str]:
    return response(reply.subscribed)["nodes"]


def judge(question: Question, truth: Any, reply: Reply) -> list[Check]:
    """An alert of each who is like the profile and of nobody else, in time, without a record."""
    within = question.parameters["within_s"]
    slowest = max((one["seconds"] for one in reply.alerts), default=0.0)
    alerts = [one["alert"] for one in reply.alerts]
    text = json.dumps(alerts)
    named = [one["handle"] for one in question.parameters["arrivals"] if one["individual"] in text]
    return [
        answered(truth["countries"], reply.subscribed),
        Check.equal(
            "who the alerts are of", truth["alerts"], sorted(one["handle"] for one in reply.alerts)
        ),
        Check(
            "seconds from admission to the alert",
            f"at most {within:g}",
            round(slowest, 3),
            bool(alerts) == bool(truth["alerts"]) and slowest <= within,
        ),
        Check.equal(
            "an alert holds no more than",
            sorted(TOLD),
            sorted({key for one in alerts for key in one} | (TOLD if not alerts else set())),
        ),
        Check.equal("no alert names anybody", [], named),
        Check.equal("alerts when everybody is admitted again", 0, len(reply.again)),
    ]
