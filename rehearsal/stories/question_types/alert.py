"""A subscription: a person like the profile arrives at a node, and the asker is alerted once.

Keys: ``profile`` (``sex``, ``age`` [from, to], ``terms``, ``gene``, ``maximum_frequency``),
``arrivals`` (by handle: ``country``, ``sex``, ``age``, ``terms``, ``carries`` planted variants,
``consent``), ``restart`` (a country whose node is restarted before anyone arrives there),
``within_s`` (seconds, 5 by default).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rehearsal.model import SEXES, Answer
from rehearsal.node.alerts.alert_store import find_person_of_alert
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.stories.arrivals import Arrival, admit_arrival, read_arrival
from rehearsal.stories.network_requests import (
    ask_network,
    nodes_without,
    read_response,
    summarise_countries,
    summarise_node_states,
    summarise_request,
)
from rehearsal.stories.query_context import QueryContext
from rehearsal.stories.reference_checks import RunReferences, check_keys
from rehearsal.stories.story_types import Check, Question, ReplySummary

KEYS = ("profile", "arrivals", "restart", "within_s")
WITHIN_S = 5.0
QUIET_S = 0.5  # how long to wait for alerts after the last arrival was taken
ALERT_KEYS = {"subscription", "node", "time", "token"}  # all keys that an alert may have


@dataclass(slots=True)
class Reply:
    """The subscription and its alerts.

    ``arrived`` are the arrivals that were admitted. ``alerts`` have the ``handle`` of the arrival
    that the token stands for, ``seconds`` after admission, and the ``alert``. ``again`` are alerts
    after all arrivals were admitted a second time.
    """

    body: dict[str, Any]
    subscribed: Answer
    arrived: list[dict[str, Any]]
    alerts: list[dict[str, Any]] = field(default_factory=list)
    again: list[dict[str, Any]] = field(default_factory=list)
    restarted: str | None = None


# --- reading ---


def read(question: Entry, keys: Mapping[str, Entry], references: RunReferences) -> dict[str, Any]:
    """Read the keys that only this type has.

    Args:
        question: The question, for errors.
        keys: Its own keys, by name.
        references: What stories may refer to.

    Returns:
        The parameters, as plain JSON values.

    Raises:
        InputError: A key or value is not allowed.
    """
    check_keys(question, keys, KEYS, required=("profile", "arrivals"))
    arrivals = keys["arrivals"].children()
    return {
        "profile": _read_profile(keys["profile"], references),
        "arrivals": [read_arrival(str(name), one, references) for name, one in arrivals.items()],
        "restart": references.country(keys["restart"]) if "restart" in keys else None,
        "within_s": keys["within_s"].number(0.1) if "within_s" in keys else WITHIN_S,
    }


def _read_profile(entry: Entry, references: RunReferences) -> dict[str, Any]:
    part = entry.fields(("terms",), ("sex", "age", "gene", "maximum_frequency"))
    if ("gene" in part) != ("maximum_frequency" in part):
        raise entry.error("gene and maximum_frequency together", "only one of them")
    age = None
    if "age" in part:
        age = [item.whole_number(0, 150) for item in part["age"].items()]
        if len(age) != 2 or age[0] > age[1]:
            raise part["age"].error("[from, to] in years")
    bound = part["maximum_frequency"].number(0, 1) if "maximum_frequency" in part else None
    return {
        "sex": part["sex"].choice(*SEXES) if "sex" in part else None,
        "age": age,
        "terms": [references.hpo_term(item) for item in part["terms"].items()],
        "gene": references.gene(part["gene"]) if "gene" in part else None,
        "maximum_frequency": bound,
    }


# --- asking ---


async def ask(question: Question, context: QueryContext) -> Reply:
    """Subscribe, restart a node, admit all arrivals twice, collect alerts, unsubscribe.

    A node of somebody else is not restarted, and nobody arrives there.

    Args:
        question: The question.
        context: Connection to the network.
    """
    foreign = context.network.foreign
    body = {"profile": _profile_request(question.parameters["profile"])}
    subscribed = await ask_network(context, "subscriptions", body)
    arrivals = [one for one in question.parameters["arrivals"] if one["country"] not in foreign]
    reply = Reply(body, subscribed, arrivals)
    identifier = read_response(reply.subscribed)["subscription"]
    country = question.parameters["restart"]
    if country is not None and country not in foreign:
        await asyncio.to_thread(context.network.restart, country)
        reply.restarted = country
    longest_s = 2 * question.parameters["within_s"] + QUIET_S
    reply.alerts = await _admit_all(arrivals, longest_s, context)
    reply.again = await _admit_all(arrivals, longest_s, context)
    await ask_network(context, f"subscriptions/{identifier}", method="DELETE")
    return reply


def _profile_request(profile: Mapping[str, Any]) -> dict[str, Any]:
    age = profile["age"]
    return {
        "sex": profile["sex"],
        "age": None if age is None else {"from": age[0], "to": age[1]},
        "terms": profile["terms"],
        "gene": profile["gene"],
        "maximumFrequency": profile["maximum_frequency"],
    }


async def _admit_all(
    arrivals: Sequence[Arrival], longest_s: float, context: QueryContext
) -> list[dict[str, Any]]:
    """Admit all arrivals, and collect alerts until all are taken and no more come."""
    folders = context.network.folders
    handles = {one["individual"]: one["handle"] for one in arrivals}
    started = time.monotonic()
    waiting = [admit_arrival(one, folders[one["country"]]) for one in arrivals]
    quiet_from, found = None, []
    while quiet_from is None or time.monotonic() - quiet_from < QUIET_S:
        alerts = await _next_alerts(context)
        seconds = time.monotonic() - started
        for alert in alerts:
            person = find_person_of_alert(folders[alert["node"]], alert["token"])
            found.append(
                {"handle": handles.get(person, person), "seconds": seconds, "alert": alert}
            )
        await _acknowledge(alerts, context)
        if quiet_from is None and not any(path.exists() for path in waiting):
            quiet_from = time.monotonic()
        if seconds > longest_s:
            break
    return found


async def _next_alerts(context: QueryContext) -> list[dict[str, Any]]:
    """Return the alerts of nodes of the run: those of others are about other people."""
    answer = await ask_network(context, "alerts", wait_s=QUIET_S, waitS=f"{QUIET_S:g}")
    alerts = read_response(answer)["alerts"]
    return [alert for alert in alerts if alert["node"] not in context.network.foreign]


async def _acknowledge(alerts: list[dict[str, Any]], context: QueryContext) -> None:
    if alerts:
        tokens = {"tokens": [alert["token"] for alert in alerts]}
        read_response(await ask_network(context, "alerts/acknowledged", tokens))


# --- summarising and judging ---


def summarise(question: Question, reply: Reply) -> ReplySummary:
    """Summarise the subscription, the arrivals and the alerts.

    Args:
        question: The question.
        reply: The network's reply.
    """
    nodes = read_response(reply.subscribed)["nodes"]
    shown: dict[str, dict[str, Any]] = {code: {"alerts": 0} for code in nodes}
    for one in reply.alerts:
        shown[one["alert"]["node"]]["alerts"] += 1
    return ReplySummary(
        summarise_request(question, "subscriptions", reply.body),
        summarise_countries(reply.subscribed, shown),
        {"alerts": [one["alert"] for one in reply.alerts]},
        f"The identities and records of the {len(reply.arrived)} patients who arrived. An alert "
        "holds the node, a time and a token to refer to the patient.",
        {
            "arrivals": [
                {key: one[key] for key in ("handle", "name", "country", "sex", "age", "terms")}
                for one in reply.arrived
            ],
            "seconds": {one["handle"]: round(one["seconds"], 3) for one in reply.alerts},
            "restarted": reply.restarted,
        },
    )


def judge(
    question: Question, expected: Any, reply: Reply, foreign: Collection[str] = ()
) -> list[Check]:
    """Check the alerts.

    There is one for each arrival that matches the profile and none for others, in time, without a
    record. A node of somebody else may know no subscriptions. If it does, it must take this one.

    Args:
        question: The question.
        expected: Its right answer, from ``stories.expected``.
        reply: The network's reply.
        foreign: Countries whose nodes someone else runs.
    """
    arrived = {one["handle"]: one["individual"] for one in reply.arrived}
    due = [handle for handle in expected["alerts"] if handle in arrived]
    without = nodes_without(reply.subscribed, foreign)
    within = question.parameters["within_s"]
    slowest = max((one["seconds"] for one in reply.alerts), default=0.0)
    alerts = [one["alert"] for one in reply.alerts]
    return [
        *Check.left_out(without),
        Check.every_country_answered(
            set(expected["countries"]) - without, summarise_node_states(reply.subscribed)
        ),
        Check.equal("patients with an alert", due, sorted(one["handle"] for one in reply.alerts)),
        Check(
            "longest time from arrival to alert, in seconds",
            f"at most {within:g}",
            round(slowest, 3),
            bool(alerts) == bool(due) and slowest <= within,
        ),
        *_check_contents(alerts, arrived),
        Check.equal(
            "further alerts when the same patients are admitted again", 0, len(reply.again)
        ),
    ]


def _check_contents(alerts: list[dict[str, Any]], arrived: Mapping[str, str]) -> Iterator[Check]:
    """Check that alerts have their keys and no others, and name nobody of those who arrived."""
    keys = {key for one in alerts for key in one} if alerts else ALERT_KEYS
    yield Check.equal("contents of an alert", sorted(ALERT_KEYS), sorted(keys))
    text = json.dumps(alerts)
    named = [handle for handle, individual in arrived.items() if individual in text]
    yield Check.equal("identifiers of patients in alerts", [], named)
