"""What the network says of patients who are alike, read match by match."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rehearsal.model import Answer, Variant
from rehearsal.web.openapi import Body

MOST = 50  # matches that a node tells of
NEAR = 1e-5  # scores rest on whole millionths of information content
TOKEN = re.compile("[0-9a-f]{32}")
RESULT_KEYS = {"score", "patient", "_node"}
PATIENT_KEYS = {"id", "contact", "features", "genomicFeatures"}


@dataclass(frozen=True, slots=True)
class MatchReply:
    """What the network said. ``hidden``: identifiers of people that must not stand in it."""

    request: Body
    answer: Answer
    hidden: tuple[str, ...]

    @property
    def results(self) -> list[Body]:
        """The matches of all countries, in the network's order."""
        return (self.answer.body or {}).get("results", [])

    def results_of(self, country: str) -> list[Body]:
        """The matches of one country, in the network's order."""
        return [one for one in self.results if one["_node"] == country]


def match_facts(result: Body) -> Body:
    """A match as the right answer has it: score, and what the two patients share."""
    return {
        "score": result["score"]["patient"],
        "features": sorted(term["id"] for term in result["patient"]["features"]),
        **shared_facts(result),
    }


def shared_facts(result: Body) -> Body:
    """The genes and the variants, with copies, that a match names."""
    genomic = result["patient"]["genomicFeatures"]
    return {
        "genes": sorted({part["gene"]["id"] for part in genomic if "gene" in part}),
        "variants": sorted(
            [_variant_name(part["variant"]), part["zygosity"]]
            for part in genomic
            if "variant" in part
        ),
    }


def _variant_name(variant: Body) -> str:
    contig = f"chr{variant['referenceName']}"
    bases = variant["referenceBases"], variant["alternateBases"]
    return str(Variant(contig, variant["start"], *bases))


def same_matches(expected: Sequence[Body], observed: Sequence[Body]) -> bool:
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
        found = next((other for other in left if is_same_match(other, one)), None)
        if found is None:
            return False
        left.remove(found)
    return True


def is_same_match(expected: Body, observed: Body) -> bool:
    """Whether two matches have the same facts, and scores that are near enough."""
    facts = ("features", "genes", "variants")
    near = abs(expected["score"] - observed["score"]) <= NEAR
    return near and all(expected[key] == observed[key] for key in facts)


def undue_contents(reply: MatchReply) -> list[str]:
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
