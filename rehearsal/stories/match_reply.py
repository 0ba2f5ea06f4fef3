"""The network's answer about matching patients, read match by match."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass

from rehearsal.model import Answer, Variant
from rehearsal.web.openapi import Body

MOST = 50  # largest number of matches that a node returns
NEAR = 1e-5  # tolerance of scores, which use information content in whole millionths
TOKEN = re.compile("[0-9a-f]{32}")
RESULT_KEYS = {"score", "patient", "_node"}
PATIENT_KEYS = {"id", "contact", "features", "genomicFeatures"}


@dataclass(frozen=True, slots=True)
class MatchReply:
    """The network's answer. ``hidden`` are identifiers of people that must not appear in it."""

    request: Body
    answer: Answer
    hidden: tuple[str, ...]

    @property
    def results(self) -> list[Body]:
        """The matches of all countries, in the network's order."""
        return (self.answer.body or {}).get("results", [])

    def results_of(self, country: str) -> list[Body]:
        """Return the matches of one country, in the network's order.

        Args:
            country: Code of the country.
        """
        return [one for one in self.results if one["_node"] == country]


def match_facts(result: Body) -> Body:
    """Return a match in the form of the right answer: score, and what the two patients share.

    Args:
        result: A match.
    """
    return {
        "score": result["score"]["patient"],
        "features": sorted(term["id"] for term in result["patient"]["features"]),
        **shared_facts(result),
    }


def shared_facts(result: Body) -> Body:
    """Return the genes, and the variants with copies, that a match names.

    Args:
        result: A match.
    """
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
    """Say whether the observed matches are the best of the expected ones, with the same facts.

    Among equal scores at the limit of a node's matches, any may be there.

    Args:
        expected: All right matches.
        observed: The matches of the answer.
    """
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
    """Say whether two matches have the same facts, and scores within the tolerance.

    Args:
        expected: A right match.
        observed: A match of the answer.
    """
    facts = ("features", "genes", "variants")
    near = abs(expected["score"] - observed["score"]) <= NEAR
    return near and all(expected[key] == observed[key] for key in facts)


def undue_contents(reply: MatchReply) -> list[str]:
    """List what matches must not contain: other keys, invalid or repeated tokens, identifiers.

    Args:
        reply: The network's answer.
    """
    found = []
    tokens = [one["patient"]["id"] for one in reply.results]
    if len(set(tokens)) != len(tokens) or not all(map(TOKEN.fullmatch, tokens)):
        found.append("invalid contact tokens, or one token for several people")
    for one in reply.results:
        others = (one.keys() - RESULT_KEYS) | (one["patient"].keys() - PATIENT_KEYS)
        found += [f"{one['_node']}: {key}" for key in sorted(others)]
    text = json.dumps(reply.answer.body)
    return found + [name for name in reply.hidden if name in text]
