"""Which drugs a patient's genotype speaks against, asked of the patient's own node.

Keys: ``drugs`` (ATC codes of the traits' treatments). ``about`` names the patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehearsal.model import Answer
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.stories.network_requests import ask_network, countries, request, response
from rehearsal.stories.query_context import Desk
from rehearsal.stories.reference_checks import Known
from rehearsal.stories.story_types import Check, Question, Told

Reply = tuple[str, Answer]


def read(entry: Entry, own: Mapping[str, Entry], known: Known) -> dict[str, Any]:
    """Raises InputError."""
    for key in own:
        if key != "drugs":
            raise own[key].error("the key drugs")
    if "drugs" not in own or "about" not in entry.value:
        raise entry.error("the keys about and drugs")
    drugs = [known.term(item) for item in own["drugs"].items()]
    for item, drug in zip(own["drugs"].items(), drugs, strict=True):
        if not drug.startswith("ATC:"):
            raise item.error("an ATC code")
    return {"drugs": drugs}


async def ask(question: Question, desk: Desk) -> Reply:
    """Ask the network, which asks the one node."""
    path = f"drug_flags/{desk.asker.country}/{desk.patients[str(question.about)]}"
    return path, await ask_network(desk, path, drugs=",".join(question.parameters["drugs"]))


def tell(question: Question, reply: Reply) -> Told:
    """What is flagged, and why."""
    path, answer = reply
    drugs = response(answer)["drugs"]
    shown = {node: {"flagged": _flagged(drugs)} for node in countries(answer, {})}
    return Told(
        request(question, path),
        countries(answer, shown),
        {"drugs": drugs},
        "The genotype: only which drugs it speaks against left the node, for her own clinician.",
    )


def judge(question: Question, truth: Any, reply: Reply) -> list[Check]:
    """Flagged just where the patient carries enough copies; nobody else was asked."""
    _, answer = reply
    drugs = response(answer)["drugs"]
    told = {one["drug"]: [reason["copies"] for reason in one["reasons"]] for one in drugs}
    flagged = sorted(drug for drug, copies in truth.items() if copies)
    return [
        Check.equal("only her own node was asked", 1, len(countries(answer, {}))),
        Check.equal("the drugs that are flagged", flagged, _flagged(drugs)),
        Check.equal("copies of the alleles that flag them", truth, told),
    ]


def _flagged(drugs: list[dict[str, Any]]) -> list[str]:
    return sorted(one["drug"] for one in drugs if one["flagged"])
