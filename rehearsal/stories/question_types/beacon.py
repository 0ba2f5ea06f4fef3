"""One Beacon query of all nodes: variants, or people by variants and filters.

Keys: ``find`` (variants, people), ``gene`` or ``variant`` (people: or neither), ``filters``,
``granularity``, ``dataset`` (``tumours``: somatic variants), ``expected`` (any of ``exists``,
``count``, ``at_least``, ``countries``: exactly those that say yes).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from rehearsal.evaluation.judge import judge as judge_node
from rehearsal.evaluation.judge import judge_network
from rehearsal.evaluation.protected_judge import judge_protected, judge_protected_network
from rehearsal.model import Answer, Granularity
from rehearsal.network.aggregate import (
    AlleleTally,
    count_of,
    group_totals,
    node_frequencies,
    records,
    says_exists,
)
from rehearsal.network.service_client import NetworkReply
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.stories.beacon_queries import allele, question_query
from rehearsal.stories.filter_reader import read_filters
from rehearsal.stories.query_context import Desk, told_of
from rehearsal.stories.record_pages import ask_for_all
from rehearsal.stories.reference_checks import Known
from rehearsal.stories.story_types import Check, Question, Told
from rehearsal.truth.expected_answers import Expected, expected_from_json

KEYS = ("gene", "variant", "filters", "dataset", "expected")
SHOWN_RECORDS = 5


def read(entry: Entry, own: Mapping[str, Entry], known: Known) -> dict[str, Any]:
    """Raises InputError for a question that no Beacon can be asked."""
    for key in own:
        if key not in (*KEYS, "find", "granularity"):
            raise own[key].error(f"one of the keys find granularity {' '.join(KEYS)}")
    for key in ("find", "granularity"):
        if key not in own:
            raise entry.error(f"the key {key}")
    find = own["find"].choice("variants", "people")
    granularity = own["granularity"].choice(*get_args(Granularity))
    parameters = _place(own, known)
    if find == "variants" and not parameters:
        raise entry.error("a gene or a variant")
    if "dataset" in own:
        own["dataset"].choice("tumours")
        if not parameters or (granularity == "record" and find == "variants"):
            raise own["dataset"].error("a gene or a variant, and no records of variants")
        parameters["datasets"] = [f"GDI-{code}-TUMOURS-1" for code in known.countries]
    filters = read_filters(own.get("filters"), known)
    if find == "variants" and filters:
        raise own["filters"].error("no filters where variants are asked for: find people")
    return {
        "find": find,
        "parameters": parameters,
        "filters": filters,
        "tumours": "dataset" in own,
        "granularity": granularity,
        "expected": _expected(own["expected"], known) if "expected" in own else {},
    }


def _place(own: Mapping[str, Entry], known: Known) -> dict[str, Any]:
    if "gene" in own and "variant" in own:
        raise own["variant"].error("a gene or a variant, not both")
    if "gene" in own:
        return {"geneId": known.gene(own["gene"])}
    return allele(known.variant(own["variant"]).variant) if "variant" in own else {}


def _expected(entry: Entry, known: Known) -> dict[str, Any]:
    part = entry.fields((), ("exists", "count", "at_least", "countries"))
    found: dict[str, Any] = {}
    if "exists" in part:
        found["exists"] = part["exists"].value
        if not isinstance(found["exists"], bool):
            raise part["exists"].error("true or false")
    for key in ("count", "at_least"):
        if key in part:
            found[key] = part[key].whole_number(0)
    if "countries" in part:
        found["countries"] = sorted(known.country(item) for item in part["countries"].items())
    return found


async def ask(question: Question, desk: Desk) -> NetworkReply:
    """Ask the network once, or for each page of its records of variants."""
    asked, query = question.parameters, question_query(question)
    if asked["find"] == "variants" and asked["granularity"] == "record":
        return await ask_for_all(query, desk)
    return await desk.ask(query)


def tell(question: Question, reply: NetworkReply) -> Told:
    """Counts and, of records, frequencies or the first few identifiers."""
    answers = {one.node: _shown(one) for one in reply.answers if one.state == "answered"}
    told = told_of(reply, question_query(question), answers, _stayed_home(question, reply))
    told.joined["frequencies"] = {
        group or "everybody": _tally(tally)
        for populations in reply.aggregated.frequencies.values()
        for group, tally in group_totals(populations).items()
    }
    return told


def _shown(answer: Answer) -> dict[str, Any]:
    shown: dict[str, Any] = {"exists": says_exists(answer)}
    if (count := count_of(answer)) is not None:
        shown["count"] = count
    if found := node_frequencies(answer):
        whole = (tallies.get(answer.node) for tallies in found.values())
        shown["frequencies"] = [_tally(tally) for tally in whole if tally is not None]
    elif count and question_records(answer):
        shown["records"] = question_records(answer)[:SHOWN_RECORDS]
    return shown


def question_records(answer: Answer) -> list[str]:
    """Identifiers of the records that came."""
    return [str(one.get("id", one.get("variantInternalId"))) for one in records(answer)]


def _tally(tally: AlleleTally) -> dict[str, Any]:
    return {
        "alleleCount": tally.count,
        "alleleNumber": tally.number,
        "alleleFrequency": tally.frequency,
    }


def _stayed_home(question: Question, reply: NetworkReply) -> str:
    asked = question.parameters
    found = sum(1 for one in reply.answers if says_exists(one))
    what = "people's records" if asked["find"] == "people" else "variants and their carriers"
    if asked["granularity"] == "boolean":
        return f"All {what}: {found} countries said yes, and no more than that."
    came = sum(len(question_records(one)) for one in reply.answers)
    if asked["granularity"] == "count" or not came:
        number = f"{reply.aggregated.count:,} " if asked["find"] == "people" else ""
        return f"{number}{what}: only counts left {found} countries.".capitalize()
    if asked["find"] == "people":
        return f"Genomes: {came} records of {reply.aggregated.count:,} people came, without them."
    return f"Who carries it: {came} records of variants came with counts only."


def judge(question: Question, truth: Any, reply: NetworkReply) -> list[Check]:
    """Every country answered, each as the truth has it, so did the network, and what the story
    expects is so."""
    query = question_query(question)
    expected = {code: expected_from_json(one) for code, one in truth.items()}
    checks = [answered_check(expected, reply)]
    if query.tier == "controlled":
        verdicts = {one.node: judge_node(query, expected[one.node], one) for one in reply.answers}
        joined = judge_network(query, expected, reply.aggregated)
    else:
        verdicts = {
            one.node: judge_protected(query, expected[one.node], one, False)
            for one in reply.answers
        }
        wrong = [code for code, verdict in verdicts.items() if not verdict.equal]
        joined = judge_protected_network(query, reply.answers, reply.aggregated, wrong)
    checks.append(
        Check(
            "each country's answer is the truth",
            {code: verdict.expected for code, verdict in verdicts.items()},
            {code: verdict.observed for code, verdict in verdicts.items()},
            all(verdict.equal for verdict in verdicts.values()),
        )
    )
    checks.append(
        Check("the joined answer is the truth", joined.expected, joined.observed, joined.equal)
    )
    return [*checks, *_expectations(question.parameters["expected"], expected, reply)]


def answered_check(expected: Mapping[str, Any], reply: NetworkReply) -> Check:
    """Whether every country of the run answered."""
    answered = sorted(one.node for one in reply.answers if one.state == "answered")
    return Check.equal("every country answered", sorted(expected), answered)


def _expectations(
    wanted: Mapping[str, Any], expected: Mapping[str, Expected], reply: NetworkReply
) -> list[Check]:
    """What the story says must come, whatever the truth of this cohort."""
    saying = sorted(one.node for one in reply.answers if says_exists(one))
    checks = []
    if "exists" in wanted:
        checks.append(Check.equal("somebody has it", wanted["exists"], bool(saying)))
    if "count" in wanted:
        checks.append(Check.equal("how many there are", wanted["count"], reply.aggregated.count))
    if "at_least" in wanted:
        least, count = wanted["at_least"], reply.aggregated.count
        checks.append(Check("how many there are", f"at least {least}", count, count >= least))
    if "countries" in wanted:
        checks.append(Check.equal("the countries that say yes", wanted["countries"], saying))
    return checks
