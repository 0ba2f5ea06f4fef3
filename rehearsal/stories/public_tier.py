"""What a caller without a token would have learnt from the Beacon questions of the stories."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from rehearsal.attack.door_trials import NOISE_KEY, no_wait
from rehearsal.model import Query, Tier
from rehearsal.node.access.consent import (
    HEALTH,
    Purpose,
    people_not_permitting,
    public_share_permitting,
)
from rehearsal.node.access.rights import Rights
from rehearsal.node.beacon.answers import answer
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.question import Question
from rehearsal.node.beacon.request import parse_body
from rehearsal.node.beacon.result import Result
from rehearsal.node.privacy.door import Door, Refused
from rehearsal.node.privacy.ledger import Ledger
from rehearsal.node.privacy.protection import PUBLIC
from rehearsal.node.privacy.public_facts import PUBLIC_FACTS_FILE, PublicFacts
from rehearsal.node.server import open_node
from rehearsal.stories.beacon_queries import comparison_queries, question_query
from rehearsal.stories.story_types import Story
from rehearsal.web.problem import Problem

# clinicians of the stories ask for care, which a caller without a token cannot
PURPOSE = Purpose(HEALTH)
OUTCOMES = ("right", "wrong", "budget", "not open")


def ask_as_public(stories: Sequence[Story], folders: Mapping[str, Path]) -> list[dict[str, Any]]:
    """Ask each node the stories' Beacon questions as a caller without a token, with a full budget.

    Args:
        stories: The stories.
        folders: Node folders by country code.

    Returns:
        One row per story: ``story``, and numbers of the nodes' answers. ``right``: yes where
        somebody matches, or no where nobody does. ``wrong``: the opposite, mostly few people who
        are not shown. ``budget``: refused because no budget pays. ``not open``: the question has
        filters, or asks for a dataset, that the public tier does not answer.
    """
    found = {story.name: Counter[str]() for story in stories}
    for folder in folders.values():
        node, facts = open_node(folder), PublicFacts.open(folder / PUBLIC_FACTS_FILE)
        door = Door("public", PUBLIC, facts, Ledger(facts.release, NOISE_KEY), NOISE_KEY, no_wait)
        for story in stories:
            found[story.name].update(_outcome(query, node, door) for query in _queries(story))
    return [
        {"story": name, **{outcome: told[outcome] for outcome in OUTCOMES}}
        for name, told in found.items()
    ]


def _queries(story: Story) -> Iterator[Query]:
    for question in story.questions:
        if question.kind == "beacon":
            yield question_query(question)
        elif question.kind == "comparison":
            yield from comparison_queries(question).values()


def _outcome(query: Query, node: NodeData, door: Door) -> str:
    try:
        told = _ask(query, node, door)
    except Refused:
        return "budget"
    except Problem:
        return "not open"
    if not told.sets:
        return "not open"
    return "right" if told.exists == _ask(query, node, None).exists else "wrong"


def _ask(query: Query, node: NodeData, door: Door | None) -> Result:
    settings, people = node.settings, node.people
    datasets = settings.frequencies_dataset, settings.people_dataset
    excluded = people_not_permitting(people, PURPOSE)
    tier: Tier = "controlled" if door is None else "public"
    rights = Rights(
        caller=None,
        purpose=PURPOSE,
        tiers=dict.fromkeys(datasets, tier),
        rules={},
        finest=dict.fromkeys(datasets, "count"),
        doors={} if door is None else dict.fromkeys(datasets, door),
        excluded=excluded,
        permitted=people.everyone - excluded,
        permitted_share=None if door is None else public_share_permitting(door.facts, PURPOSE),
    )
    request = parse_body(orjson.dumps(query.request))
    return answer(
        Question(query.entry_type, request, request.granularity or "boolean", rights), node
    )
