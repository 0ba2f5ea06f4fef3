"""A clinician asks who is like a patient: ``/match`` of all nodes, through the network.

``about``: the patient, at home in the asker's country; terms, excluded terms, candidate genes and
consent are those of the home node's record. Keys: ``variants`` (planted ones that the patient is
known to carry), ``expected``: any of ``first`` (``country``, ``variant``, ``copies``: the best
match of all), ``withheld`` (patients of the story who are alike and must not be told of).
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jwt
import pandas as pd

from rehearsal.model import Answer, Variant
from rehearsal.network.client import NetworkClient, NodeRequest
from rehearsal.network.matchmaking import PATH
from rehearsal.network.service_client import MARGIN_S
from rehearsal.node.matchmaker.contacts import Contacts
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.stories.query_context import Desk
from rehearsal.stories.reference_checks import Known
from rehearsal.stories.story_types import Check, Question, Told

KEYS = ("variants", "expected")
SHOWN = 5  # matches
MOST = 50  # that a node tells of
NEAR = 1e-5  # scores rest on whole millionths of information content
TOKEN = re.compile("[0-9a-f]{32}")
RESULT_KEYS = {"score", "patient", "_node"}
PATIENT_KEYS = {"id", "contact", "features", "genomicFeatures"}

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Reply:
    """What the network said. ``hidden``: identifiers of people that must not stand in it."""

    request: Body
    answer: Answer
    hidden: tuple[str, ...]

    @property
    def nodes(self) -> list[Body]:
        return (self.answer.body or {}).get("info", {}).get("nodes", [])

    @property
    def results(self) -> list[Body]:
        return (self.answer.body or {}).get("results", [])


# --- reading ---


def read(entry: Entry, own: Mapping[str, Entry], known: Known) -> dict[str, Any]:
    """Raises InputError for a question without a patient, and for what the run lacks."""
    for key in own:
        if key not in KEYS:
            raise own[key].error(f"one of the keys {' '.join(KEYS)}")
    if "about" not in entry.children():
        raise entry.error("the key about: whose match is looked for")
    variants = own["variants"].items() if "variants" in own else []
    return {
        "variants": [_variant(item, known) for item in variants],
        "expected": _expected(own["expected"], known) if "expected" in own else {},
    }


def _variant(entry: Entry, known: Known) -> Body:
    planted = known.variant(entry)
    one = planted.variant
    return {
        "gene": planted.gene,
        "contig": one.contig,
        "start": one.start,
        "ref": one.ref,
        "alt": one.alt,
    }


def _expected(entry: Entry, known: Known) -> Body:
    part = entry.fields((), ("first", "withheld"))
    found: Body = {}
    if "first" in part:
        first = part["first"].fields(("country",), ("variant", "copies"))
        found["first"] = {"country": known.country(first["country"])}
        if "variant" in first:
            found["first"]["variant"] = _named(_variant(first["variant"], known))
        if "copies" in first:
            found["first"]["copies"] = first["copies"].whole_number(1, 2)
    if "withheld" in part:
        found["withheld"] = [known.patient(item) for item in part["withheld"].items()]
    return found


def _named(variant: Mapping[str, Any]) -> str:
    return str(Variant(*(variant[key] for key in ("contig", "start", "ref", "alt"))))


# --- asking ---


async def ask(question: Question, desk: Desk) -> Reply:
    """Ask the network once. Raises KeyError where the home node is not one of ours."""
    home = desk.folders[desk.asker.country]
    individual = desk.patients[str(question.about)]
    body = request_of(question, desk, home, individual)
    own = [("deadlineS", f"{desk.deadline_s:g}"), ("trace", "true")]
    token = None if desk.token is None else f"Bearer {desk.token}"
    request = NodeRequest(PATH, "POST", body, tuple(own), token, desk.asker.purpose, question.id)
    async with NetworkClient([desk.service]) as client:
        started = asyncio.get_running_loop().time()
        answer = await client.put(desk.service, request, started, desk.deadline_s + MARGIN_S)
    return Reply(body, answer, tuple(desk.patients.values()))


def request_of(question: Question, desk: Desk, home: Path, individual: str) -> Body:
    """What the clinician sends: the patient as the home node has them on record."""
    observed, absent, genes, consent = (
        _rows(home, name, individual)
        for name in ("features", "excluded_features", "candidate_genes", "consent")
    )
    carried = question.parameters["variants"]
    genomic = [_genomic(one) for one in carried]
    named = {one["gene"] for one in carried}
    genomic += [{"gene": {"id": gene}} for gene in genes["gene"] if gene not in named]
    uses = [use.strip() for text in consent["uses"] for use in text.split(",")]
    return {
        "patient": {
            "id": _own_token(desk, home, individual),
            "contact": {
                "name": desk.asker.name,
                "href": f"mailto:clinician@hospital.example.{desk.asker.country.lower()}",
            },
            "features": [
                *({"id": one.code, "label": one.label} for one in observed.itertuples()),
                *(
                    {"id": one.code, "label": one.label, "observed": "no"}
                    for one in absent.itertuples()
                ),
            ],
            "genomicFeatures": genomic,
            "_consent": [] if consent["withdrawn"].any() else uses,
        }
    }


def _rows(home: Path, table: str, individual: str) -> pd.DataFrame:
    rows = pd.read_parquet(home / "phenotypes" / f"{table}.parquet")
    return rows[rows["individual"] == individual]


def _own_token(desk: Desk, home: Path, individual: str) -> str:
    """The home node's own token of the patient, so that it does not tell the asker of them."""
    claims = jwt.decode(desk.token or "", options={"verify_signature": False})
    return Contacts.of(home).token(claims["iss"], claims["sub"], individual)


def _genomic(one: Mapping[str, Any]) -> Body:
    return {
        "gene": {"id": one["gene"]},
        "variant": {
            "assembly": "GRCh38",
            "referenceName": one["contig"].removeprefix("chr"),
            "start": one["start"],
            "referenceBases": one["ref"],
            "alternateBases": one["alt"],
        },
    }


# --- telling ---


def tell(question: Question, reply: Reply) -> Told:
    """The best matches of each country, and of all."""
    countries = {}
    for node in reply.nodes:
        shown: Body = {"state": node["state"], "latency_ms": node["latencyMs"]}
        if node["state"] == "answered":
            found = [one for one in reply.results if one["_node"] == node["node"]]
            shown["answer"] = {"matches": len(found), "best": [_shown(one) for one in found[:1]]}
        if "reason" in node:
            shown["reason"] = node["reason"]
        countries[node["node"]] = shown
    joined: Body = {
        "count": len(reply.results),
        "matches": [{"country": one["_node"], **_shown(one)} for one in reply.results[:SHOWN]],
        "latency_ms": round(reply.answer.latency_s * 1000, 3),
        "bytes": reply.answer.size_bytes,
    }
    if reply.answer.state != "answered":
        joined["reason"] = reply.answer.reason
    return Told(
        request={"path": PATH, "purpose": question.asker.purpose, "body": reply.request},
        countries=countries,
        joined=joined,
        stayed_home=(
            "Everybody's records, identifiers and genomes, and whatever the two patients do not "
            f"share: {len(reply.results)} contact tokens came, with shared terms, genes and "
            "variants."
        ),
    )


def _shown(one: Body) -> Body:
    patient = one["patient"]
    return {
        "score": one["score"]["patient"],
        "contact": patient["id"],
        "features": [f"{term['id']} {term.get('label', '')}" for term in patient["features"]],
        **_facts(one),
    }


def _facts(one: Body) -> Body:
    genomic = one["patient"]["genomicFeatures"]
    return {
        "genes": sorted({part["gene"]["id"] for part in genomic if "gene" in part}),
        "variants": sorted(
            [_told_variant(part["variant"]), part["zygosity"]]
            for part in genomic
            if "variant" in part
        ),
    }


def _told_variant(told: Body) -> str:
    contig = f"chr{told['referenceName']}"
    return str(Variant(contig, told["start"], told["referenceBases"], told["alternateBases"]))


# --- judging ---


def judge(question: Question, truth: Any, reply: Reply) -> list[Check]:
    """All answered, each as the truth has it, in order, with nothing but shared facts in it."""
    observed = {code: _of_country(reply, code) for code in truth["countries"]}
    expectations = _expectations(question.parameters["expected"], truth, reply, observed)
    countries = sorted(truth["countries"])
    if truth["refused"]:
        refused = sorted(node["node"] for node in reply.nodes if node["state"] == "refused")
        return [Check.equal("every country refuses", countries, refused), *expectations]
    answered = sorted(node["node"] for node in reply.nodes if node["state"] == "answered")
    agree = {code: same(truth["countries"][code], observed[code]) for code in observed}
    order = [(-one["score"]["patient"], one["_node"]) for one in reply.results]
    return [
        Check.equal("every country answered", countries, answered),
        Check(
            "each country's matches are the truth",
            {code: _in_short(found) for code, found in truth["countries"].items()},
            {code: _in_short(found) for code, found in observed.items()},
            all(agree.values()),
        ),
        Check.equal("matches go by score, then country", True, order == sorted(order)),
        Check.equal("what came beside shared facts", [], _beside(reply)),
        *expectations,
    ]


def _of_country(reply: Reply, code: str) -> list[Body]:
    return [
        {
            "score": one["score"]["patient"],
            "features": sorted(term["id"] for term in one["patient"]["features"]),
            **_facts(one),
        }
        for one in reply.results
        if one["_node"] == code
    ]


def same(expected: Sequence[Body], observed: Sequence[Body]) -> bool:
    """Whether the observed matches are the best of the expected, each with its facts. Of equals
    beyond what a node tells of, any may be there."""
    best = sorted((one["score"] for one in expected), reverse=True)[:MOST]
    scores = [one["score"] for one in observed]
    if len(best) != len(scores) or any(
        abs(mine - theirs) > NEAR for mine, theirs in zip(best, scores, strict=True)
    ):
        return False
    left = list(expected)
    for one in observed:
        found = next((other for other in left if _is_one(other, one)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def _is_one(expected: Body, observed: Body) -> bool:
    facts = ("features", "genes", "variants")
    near = abs(expected["score"] - observed["score"]) <= NEAR
    return near and all(expected[key] == observed[key] for key in facts)


def _in_short(found: Sequence[Body]) -> Body:
    return {
        "matches": len(found),
        "best": round(max((one["score"] for one in found), default=0), 4),
    }


def _beside(reply: Reply) -> list[str]:
    """What a match must not say: other keys, tokens that are none or twice there, identifiers."""
    found = []
    tokens = [one["patient"]["id"] for one in reply.results]
    if len(set(tokens)) != len(tokens) or not all(map(TOKEN.fullmatch, tokens)):
        found.append("contact tokens that are none, or not one a person")
    for one in reply.results:
        others = (one.keys() - RESULT_KEYS) | (one["patient"].keys() - PATIENT_KEYS)
        found += [f"{one['_node']}: {key}" for key in sorted(others)]
    text = json.dumps(reply.answer.body)
    return found + [name for name in reply.hidden if name in text]


def _expectations(
    wanted: Mapping[str, Any], truth: Any, reply: Reply, observed: Mapping[str, list[Body]]
) -> list[Check]:
    checks = []
    if "first" in wanted:
        checks.append(Check.equal("the best match", wanted["first"], _first(wanted, reply)))
    for handle in wanted.get("withheld", ()):
        alike = truth["withheld"].get(handle)
        told = alike is not None and any(_is_one(alike, one) for one in observed[alike["country"]])
        seen = {"alike": alike is not None, "told of": told}
        checks.append(Check.equal(f"{handle}", {"alike": True, "told of": False}, seen))
    return checks


def _first(wanted: Mapping[str, Any], reply: Reply) -> Body | None:
    """The best match in the words of what is expected of it."""
    if not reply.results:
        return None
    first = reply.results[0]
    found: Body = {"country": first["_node"]}
    copies = dict(_facts(first)["variants"])
    variant = wanted["first"].get("variant")
    if variant is not None:
        found["variant"] = variant if variant in copies else sorted(copies)
    if "copies" in wanted["first"]:
        found["copies"] = copies.get(variant) if variant else max(copies.values(), default=None)
    return found
