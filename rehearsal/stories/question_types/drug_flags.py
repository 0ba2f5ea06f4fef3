"""Drugs that are risky with a patient's genotype, asked of the patient's own node.

Keys: ``drugs`` (ATC codes of the traits' treatments). ``about`` names the patient.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from rehearsal.model import Answer
from rehearsal.phenotypes.yaml_reader import Entry
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

Reply = tuple[str, Answer]


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
    check_keys(question, keys, known=("drugs",), required=())
    if "drugs" not in keys or "about" not in question.value:
        raise question.error("the keys about and drugs", "one of them or none")
    drugs = [references.term(item) for item in keys["drugs"].items()]
    for item, drug in zip(keys["drugs"].items(), drugs, strict=True):
        if not drug.startswith("ATC:"):
            raise item.error("an ATC code")
    return {"drugs": drugs}


async def ask(question: Question, context: QueryContext) -> Reply:
    """Ask the network, which asks only the patient's node.

    Args:
        question: The question.
        context: Connection to the network.
    """
    path = f"drug_flags/{context.asker.country}/{context.patient(question.about)}"
    return path, await ask_network(context, path, drugs=",".join(question.parameters["drugs"]))


def summarise(question: Question, reply: Reply) -> ReplySummary:
    """Summarise the flagged drugs and the reasons.

    Args:
        question: The question.
        reply: The network's reply.
    """
    path, answer = reply
    drugs = (answer.body or {}).get("response", {}).get("drugs", [])
    shown = {node: {"flagged": _flagged(drugs)} for node in summarise_node_states(answer)}
    return ReplySummary(
        summarise_request(question, path),
        summarise_countries(answer, shown),
        {"drugs": drugs},
        "The genotype. Only the drugs to avoid and the variants behind the advice left the node, "
        "for the patient's own clinician.",
    )


def judge(
    question: Question, expected: Any, reply: Reply, foreign: Collection[str] = ()
) -> list[Check]:
    """Check that drugs are flagged only for enough copies, and that no other node was asked.

    Nothing is checked if the patient's node is of somebody else and flags no drugs.

    Args:
        question: The question.
        expected: Its right answer, from ``stories.expected``.
        reply: The network's reply.
        foreign: Countries whose nodes someone else runs.
    """
    _, answer = reply
    if without := nodes_without(answer, foreign):
        return Check.left_out(without)
    drugs = read_response(answer)["drugs"]
    copies = {one["drug"]: [reason["copies"] for reason in one["reasons"]] for one in drugs}
    flagged = sorted(drug for drug, flagging in expected.items() if flagging)
    return [
        Check.equal("number of nodes that were asked", 1, len(summarise_node_states(answer))),
        Check.equal("drugs to avoid", flagged, _flagged(drugs)),
        Check.equal("copies of the alleles behind the advice", expected, copies),
    ]


def _flagged(drugs: list[dict[str, Any]]) -> list[str]:
    return sorted(one["drug"] for one in drugs if one["flagged"])
