"""A clinician asks for patients like theirs: ``/match`` of all nodes, through the network.

``about`` names the patient, who lives in the asker's country. Terms, excluded terms, candidate
genes and consent come from the home node's record. Keys: ``variants`` (planted ones that the
patient is known to carry), ``expected``: any of ``first`` (``country``, ``variant``, ``copies`` of
the best match) and ``withheld`` (patients of the story who match and must not appear).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from rehearsal.model import Variant
from rehearsal.network.matchmaking import PATH
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.stories.match_reply import (
    MatchReply,
    is_same_match,
    match_facts,
    same_matches,
    shared_facts,
    undue_contents,
)
from rehearsal.stories.match_request import match_request
from rehearsal.stories.network_requests import (
    ask_network,
    nodes_without,
    summarise_countries,
    summarise_node_states,
    summarise_request,
)
from rehearsal.stories.query_context import QueryContext
from rehearsal.stories.reference_checks import RunReferences, check_keys
from rehearsal.stories.story_types import Check, Question, ReplySummary
from rehearsal.web.openapi import Body

KEYS = ("variants", "expected")
SHOWN = 5  # matches on the page


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
        InputError: The question has no patient, or the run lacks something.
    """
    check_keys(question, keys, KEYS, required=())
    if "about" not in question.children():
        raise question.error("the key about, which names the patient", "no such key")
    variants = keys["variants"].items() if "variants" in keys else []
    return {
        "variants": [_variant(item, references) for item in variants],
        "expected": _expected(keys["expected"], references) if "expected" in keys else {},
    }


def _variant(entry: Entry, references: RunReferences) -> Body:
    planted = references.variant(entry)
    one = planted.variant
    return {
        "gene": planted.gene,
        "contig": one.contig,
        "start": one.start,
        "ref": one.ref,
        "alt": one.alt,
    }


def _expected(entry: Entry, references: RunReferences) -> Body:
    part = entry.fields((), ("first", "withheld"))
    found: Body = {}
    if "first" in part:
        first = part["first"].fields(("country",), ("variant", "copies"))
        found["first"] = {"country": references.country(first["country"])}
        if "variant" in first:
            found["first"]["variant"] = _named(_variant(first["variant"], references))
        if "copies" in first:
            found["first"]["copies"] = first["copies"].whole_number(1, 2)
    if "withheld" in part:
        found["withheld"] = [references.patient(item) for item in part["withheld"].items()]
    return found


def _named(variant: Mapping[str, Any]) -> str:
    return str(Variant(*(variant[key] for key in ("contig", "start", "ref", "alt"))))


# --- asking ---


async def ask(question: Question, context: QueryContext) -> MatchReply:
    """Ask the network once.

    Args:
        question: The question.
        context: Connection to the network.
    """
    body = match_request(question, context)
    deadline_s = f"{context.network.deadline_s:g}"
    answer = await ask_network(context, PATH, body, deadlineS=deadline_s, trace="true")
    return MatchReply(body, answer, tuple(context.patients.values()))


# --- summarising ---


def summarise(question: Question, reply: MatchReply) -> ReplySummary:
    """Summarise the best matches of each country, and of all.

    Args:
        question: The question.
        reply: The network's reply.
    """
    shown = {}
    for country, state in summarise_node_states(reply.answer).items():
        if state == "answered":
            found = reply.results_of(country)
            shown[country] = {"matches": len(found), "best": [_shown(one) for one in found[:1]]}
    joined: Body = {
        "count": len(reply.results),
        "matches": [{"country": one["_node"], **_shown(one)} for one in reply.results[:SHOWN]],
        "latency_ms": round(reply.answer.latency_s * 1000, 3),
        "bytes": reply.answer.size_bytes,
    }
    if reply.answer.state != "answered":
        joined["reason"] = reply.answer.reason
    return ReplySummary(
        request=summarise_request(question, PATH, reply.request),
        countries=summarise_countries(reply.answer, shown),
        joined=joined,
        stayed_home=(
            "All records, identifiers and genomes, and everything that the two patients do not "
            f"have in common. The asker received {_counted(len(reply.results))}, with the "
            "features, genes and variants in common."
        ),
    )


def _counted(tokens: int) -> str:
    return "1 contact token" if tokens == 1 else f"{tokens:,} contact tokens"


def _shown(result: Body) -> Body:
    patient = result["patient"]
    return {
        "score": result["score"]["patient"],
        "contact": patient["id"],
        "features": [f"{term['id']} {term.get('label', '')}" for term in patient["features"]],
        **shared_facts(result),
    }


# --- judging ---


def judge(
    question: Question, expected: Any, reply: MatchReply, foreign: Collection[str] = ()
) -> list[Check]:
    """Check that all answers equal the truth, are in order, and have only shared facts.

    A node of somebody else may not match patients. Then the story expects no patient of it.

    Args:
        question: The question.
        expected: Its right answer, from ``stories.expected``.
        reply: The network's reply.
        foreign: Countries whose nodes someone else runs.
    """
    without = nodes_without(reply.answer, foreign)
    due = {code: one for code, one in expected["countries"].items() if code not in without}
    observed = {code: list(map(match_facts, reply.results_of(code))) for code in due}
    states = summarise_node_states(reply.answer)
    story_checks = [
        *Check.left_out(without),
        *_check_story(question.parameters["expected"], expected, reply, observed),
    ]
    if expected["refused"]:
        refused = sorted(country for country, state in states.items() if state == "refused")
        countries = sorted(expected["countries"])
        return [Check.equal("every country refuses the request", countries, refused), *story_checks]
    order = [(-one["score"]["patient"], one["_node"]) for one in reply.results]
    return [
        Check.every_country_answered(due, states),
        _check_matches(due, observed),
        Check.equal("matches are sorted by score, then by country", True, order == sorted(order)),
        Check.equal(
            "facts in a match that the two patients do not share", [], undue_contents(reply)
        ),
        *story_checks,
    ]


def _check_matches(
    expected: Mapping[str, Sequence[Body]], observed: Mapping[str, Sequence[Body]]
) -> Check:
    return Check(
        "the matches of each country equal the truth",
        {code: _in_short(found) for code, found in expected.items()},
        {code: _in_short(found) for code, found in observed.items()},
        all(same_matches(expected[code], found) for code, found in observed.items()),
    )


def _in_short(found: Sequence[Body]) -> Body:
    return {
        "matches": len(found),
        "best": round(max((one["score"] for one in found), default=0), 4),
    }


def _check_story(
    wanted: Mapping[str, Any],
    expected: Any,
    reply: MatchReply,
    observed: Mapping[str, Sequence[Body]],
) -> list[Check]:
    """Check what the story expects of countries that match, whatever the truth of this cohort."""
    checks = []
    if "first" in wanted and wanted["first"]["country"] in observed:
        checks.append(Check.equal("the best match", wanted["first"], _first(wanted, reply)))
    for handle in wanted.get("withheld", ()):
        alike = expected["withheld"].get(handle)
        if alike is not None and alike["country"] not in observed:
            continue
        came = alike is not None and any(
            is_same_match(alike, one) for one in observed[alike["country"]]
        )
        seen = {"similar": alike is not None, "in the answer": came}
        checks.append(
            Check.equal(
                f"{handle}: similar, but must not be in the answer",
                {"similar": True, "in the answer": False},
                seen,
            )
        )
    return checks


def _first(wanted: Mapping[str, Any], reply: MatchReply) -> Body | None:
    """Describe the best match by the same keys as the expected one."""
    if not reply.results:
        return None
    first = reply.results[0]
    found: Body = {"country": first["_node"]}
    copies = dict(shared_facts(first)["variants"])
    variant = wanted["first"].get("variant")
    if variant is not None:
        found["variant"] = variant if variant in copies else sorted(copies)
    if "copies" in wanted["first"]:
        found["copies"] = copies.get(variant) if variant else max(copies.values(), default=None)
    return found
