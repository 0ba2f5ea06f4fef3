"""One Beacon query to all nodes: variants, or people by variants and filters.

Keys: ``find`` (variants, people), ``gene`` or ``variant`` (optional for people), ``filters``,
``granularity``, ``dataset`` (``tumours``: somatic variants), ``expected`` (any of ``exists``,
``count``, ``at_least``, and ``countries``, which are exactly those that answer yes).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any, get_args

from rehearsal.evaluation.judgement import Judgement
from rehearsal.evaluation.reply_judge import judge_answers
from rehearsal.model import Answer, Granularity
from rehearsal.network.aggregate import (
    count_of,
    group_totals,
    readable_frequencies,
    records,
    says_exists,
)
from rehearsal.network.service_client import NetworkReply
from rehearsal.network.variant_records import AlleleTally
from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.stories.beacon_queries import allele, question_query
from rehearsal.stories.beacon_replies import summarise_beacon_reply
from rehearsal.stories.filter_reader import read_filters
from rehearsal.stories.network_requests import NOT_OFFERED
from rehearsal.stories.query_context import QueryContext
from rehearsal.stories.record_pages import ask_for_all
from rehearsal.stories.reference_checks import RunReferences, check_keys
from rehearsal.stories.story_types import Check, Question, ReplySummary
from rehearsal.truth.expected_answers import expected_from_json

KEYS = ("find", "granularity", "gene", "variant", "filters", "dataset", "expected")
SHOWN_RECORDS = 5


def read(question: Entry, keys: Mapping[str, Entry], references: RunReferences) -> dict[str, Any]:
    """Read the keys that only this type has.

    Args:
        question: The question, for errors.
        keys: Its own keys, by name.
        references: What stories may refer to.

    Returns:
        The parameters, as plain JSON values.

    Raises:
        InputError: No Beacon can be asked this question.
    """
    check_keys(question, keys, KEYS, required=("find", "granularity"))
    find = keys["find"].choice("variants", "people")
    granularity = keys["granularity"].choice(*get_args(Granularity))
    parameters = _place(keys, references)
    if find == "variants" and not parameters:
        raise question.error("a gene or a variant", "neither")
    if "dataset" in keys:
        _check_dataset(keys["dataset"], parameters, find, granularity)
        parameters["datasets"] = [f"GDI-{code}-TUMOURS-1" for code in references.countries]
    filters = read_filters(keys.get("filters"), references)
    if find == "variants" and filters:
        raise keys["filters"].error("no filters together with find: variants")
    return {
        "find": find,
        "parameters": parameters,
        "filters": filters,
        "tumours": "dataset" in keys,
        "granularity": granularity,
        "expected": _expected(keys["expected"], references) if "expected" in keys else {},
    }


def _check_dataset(entry: Entry, place: Mapping[str, Any], find: str, granularity: str) -> None:
    entry.choice("tumours")
    if not place or (granularity == "record" and find == "variants"):
        expected = "this dataset only with a gene or a variant, and without records of variants"
        raise entry.error(expected)


def _place(keys: Mapping[str, Entry], references: RunReferences) -> dict[str, Any]:
    if "gene" in keys and "variant" in keys:
        raise keys["variant"].error("a gene or a variant", "both")
    if "gene" in keys:
        return {"geneId": references.gene(keys["gene"])}
    return allele(references.variant(keys["variant"]).variant) if "variant" in keys else {}


def _expected(entry: Entry, references: RunReferences) -> dict[str, Any]:
    part = entry.fields((), ("exists", "count", "at_least", "countries"))
    found: dict[str, Any] = {}
    if "exists" in part:
        found["exists"] = part["exists"].flag()
    for key in ("count", "at_least"):
        if key in part:
            found[key] = part[key].whole_number(0)
    if "countries" in part:
        found["countries"] = sorted(references.country(item) for item in part["countries"].items())
    return found


async def ask(question: Question, context: QueryContext) -> NetworkReply:
    """Ask the network once, or for each page of records of variants.

    Args:
        question: The question.
        context: Connection to the network.
    """
    asked, query = question.parameters, question_query(question)
    if asked["find"] == "variants" and asked["granularity"] == "record":
        return await ask_for_all(query, context)
    return await context.ask(query)


def summarise(question: Question, reply: NetworkReply) -> ReplySummary:
    """Summarise counts and, for records, frequencies or the first identifiers.

    Args:
        question: The question.
        reply: The network's reply.
    """
    answers = {one.node: _shown(one) for one in reply.answers if one.state == "answered"}
    stayed_home = _stayed_home(question, reply)
    summary = summarise_beacon_reply(reply, question_query(question), answers, stayed_home)
    summary.joined["frequencies"] = {
        group or "everybody": _tally(tally)
        for populations in reply.aggregated.frequencies.values()
        for group, tally in group_totals(populations).items()
    }
    return summary


def _shown(answer: Answer) -> dict[str, Any]:
    shown: dict[str, Any] = {"exists": says_exists(answer)}
    if (count := count_of(answer)) is not None:
        shown["count"] = count
    if found := readable_frequencies(answer):
        whole = (one.get(answer.node, group_totals(one).get("")) for one in found.values())
        shown["frequencies"] = [_tally(tally) for tally in whole if tally is not None]
    elif count and _record_ids(answer):
        shown["records"] = _record_ids(answer)[:SHOWN_RECORDS]
    return shown


def _record_ids(answer: Answer) -> list[str]:
    """Return the identifiers of the records in an answer."""
    names = (one.get("id", one.get("variantInternalId")) for one in records(answer))
    return [str(name) for name in names if name is not None]


def _tally(tally: AlleleTally) -> dict[str, Any]:
    return {
        "alleleCount": tally.count,
        "alleleNumber": tally.number,
        "alleleFrequency": tally.frequency,
    }


def _countries(number: int) -> str:
    return "1 country" if number == 1 else f"{number} countries"


def _stayed_home(question: Question, reply: NetworkReply) -> str:
    asked = question.parameters
    found = sum(1 for one in reply.answers if says_exists(one))
    what = "records of people" if asked["find"] == "people" else "variants and their carriers"
    if asked["granularity"] == "boolean":
        return f"All {what}. {_countries(found)} answered yes and nothing more."
    came = sum(len(_record_ids(one)) for one in reply.answers)
    if asked["granularity"] == "count" or not came:
        return f"All {what}. Only counts left the countries."
    if asked["find"] == "people":
        return f"All genomes. {came:,} records of people left the countries, without genomes."
    return "The identities of carriers. Only allele counts left the countries."


def judge(
    question: Question, expected: Any, reply: NetworkReply, foreign: Collection[str] = ()
) -> list[Check]:
    """Check the answers.

    Every country answered, each as expected, and so did the network; the story's own expectations
    are met. A node of somebody else may lack the dataset. Where one gives less than asked for, no
    sum is expected.

    Args:
        question: The question.
        expected: Its right answer, from ``stories.expected``.
        reply: The network's reply.
        foreign: Countries whose nodes someone else runs.
    """
    query = question_query(question)
    answers = {code: expected_from_json(one) for code, one in expected.items()}
    without = _nodes_without_dataset(question, reply, foreign)
    asked = _leave_out(without, reply)
    judged = judge_answers(query, answers, asked, foreign)
    verdicts, joined = judged.nodes, judged.network
    expectations = _expectations(question.parameters["expected"], asked)
    gives_less = without or any(one.verdict == "incomplete" for one in verdicts.values())
    return [
        *Check.left_out(without),
        Check.every_country_answered(
            answers.keys() - without, {one.node: one.state for one in asked.answers}
        ),
        _check_countries(verdicts),
        Check(
            "the answer of the network equals the truth",
            joined.expected,
            joined.observed,
            joined.equal,
        ),
        *([] if gives_less else expectations),
    ]


def _check_countries(verdicts: Mapping[str, Judgement]) -> Check:
    """Check the answer of each country; of a failed check only the wrong ones are told."""
    wrong = {code: one for code, one in verdicts.items() if not one.equal}
    told = wrong or verdicts
    return Check(
        "the answer of each country equals the truth",
        {code: one.expected for code, one in told.items()},
        {code: one.observed for code, one in told.items()},
        not wrong,
    )


def _nodes_without_dataset(
    question: Question, reply: NetworkReply, foreign: Collection[str]
) -> frozenset[str]:
    """Return the nodes of others that do not have the dataset that the question names."""
    lacking = [one.node for one in reply.answers if one.http_status in NOT_OFFERED]
    return frozenset(lacking if question.parameters.get("tumours") else ()) & frozenset(foreign)


def _leave_out(nodes: Collection[str], reply: NetworkReply) -> NetworkReply:
    kept = tuple(one for one in reply.answers if one.node not in nodes)
    states = {node: one for node, one in reply.aggregated.states.items() if node not in nodes}
    return replace(reply, answers=kept, aggregated=replace(reply.aggregated, states=states))


def _expectations(wanted: Mapping[str, Any], reply: NetworkReply) -> list[Check]:
    """Check what the story expects, whatever the truth of this cohort."""
    saying = sorted(one.node for one in reply.answers if says_exists(one))
    checks = []
    if "exists" in wanted:
        checks.append(Check.equal("there is a match", wanted["exists"], bool(saying)))
    if "count" in wanted:
        checks.append(Check.equal("number of matches", wanted["count"], reply.aggregated.count))
    if "at_least" in wanted:
        least, count = wanted["at_least"], reply.aggregated.count
        checks.append(Check("number of matches", f"at least {least}", count, count >= least))
    if "countries" in wanted:
        checks.append(Check.equal("countries with a match", wanted["countries"], saying))
    return checks
