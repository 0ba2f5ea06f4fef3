"""Plays stories: asks their questions through the network and writes down what came of each."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from rehearsal.files import write_json
from rehearsal.network.issuer import CENTRAL_COMMITTEE, Issuer, issue, person
from rehearsal.network.registry import NodeEntry
from rehearsal.network.service_client import ServiceClient
from rehearsal.stories.query_context import Desk
from rehearsal.stories.question_types import KINDS
from rehearsal.stories.story_types import Asker, Check, Question, Story

Result = dict[str, Any]


def play(
    stories: Sequence[Story],
    truths: Mapping[str, Mapping[str, Any]],
    patients: pd.DataFrame,
    nodes: Sequence[NodeEntry],
    service: NodeEntry,
    issuer: Issuer,
    deadline_s: float,
    folders: Mapping[str, Path],
    restart: Callable[[str], None],
) -> dict[str, Result]:
    """What came of every story, by its name, as plain JSON values.

    ``truths``: of each story by question (``truths.truth_of``). ``patients``:
    ``truth/patients.parquet``. ``service``: the network of ``nodes``. ``issuer`` gives the askers
    their tokens. ``folders``: of our own nodes, by country; ``restart`` ends the node of one and
    starts it again. A question that cannot be asked fails a check of its story and ends nothing.
    """
    where = (nodes, service, issuer, deadline_s, folders, restart)
    return {
        story.name: asyncio.run(_play(story, truths[story.name], patients, *where))
        for story in stories
    }


async def _play(
    story: Story,
    truth: Mapping[str, Any],
    patients: pd.DataFrame,
    nodes: Sequence[NodeEntry],
    service: NodeEntry,
    issuer: Issuer,
    deadline_s: float,
    folders: Mapping[str, Path],
    restart: Callable[[str], None],
) -> Result:
    own = patients[patients["story"] == story.name]
    by_handle = dict(zip(own["handle"], own["individual"], strict=True))
    begun = time.monotonic()
    questions = []
    for question in story.questions:
        token = token_of(question.asker, issuer)
        async with ServiceClient(service, lambda _, token=token: token) as client:
            desk = Desk(
                story,
                question.asker,
                client,
                service,
                tuple(nodes),
                token,
                deadline_s,
                by_handle,
                folders,
                restart,
            )
            questions.append(await _put(question, truth[question.id], desk))
    return result_of(story, own, questions, time.monotonic() - begun)


async def _put(question: Question, truth: Any, desk: Desk) -> Result:
    kind, begun = KINDS[question.kind], time.monotonic()
    told: Result = {"request": None, "countries": {}, "joined": {}, "stayed_home": ""}
    try:
        reply = await kind.ask(question, desk)
        seconds = time.monotonic() - begun
        told = kind.tell(question, reply).as_json()
        checks = kind.judge(question, truth, reply)
    except Exception as error:  # whatever stops one question must not hide the others
        seconds = time.monotonic() - begun
        checks = [Check("the question was asked and read", "an answer", repr(error), False)]
    return {
        "id": question.id,
        "text": question.text,
        "kind": question.kind,
        "asker": asdict(question.asker),
        "about": question.about,
        **told,
        "seconds": round(seconds, 3),
        "checks": [asdict(check) for check in checks],
    }


def result_of(
    story: Story, patients: pd.DataFrame, questions: Sequence[Result], seconds: float
) -> Result:
    """``stories/{story}.json``: the story, what came of each question, and its checks."""
    checks = [
        {**check, "name": f"{question['id']}: {check['name']}"}
        for question in questions
        for check in question["checks"]
    ]
    return {
        "name": story.name,
        "title": story.title,
        "summary": story.summary,
        "evidence": list(story.evidence),
        "asker": asdict(story.asker),
        "patients": patients.drop(columns="story").to_dict("records"),
        "questions": list(questions),
        "seconds": round(seconds, 3),
        "checks": checks,
        "passed": bool(checks) and all(check["passed"] for check in checks),
    }


def token_of(asker: Asker, issuer: Issuer) -> str | None:
    """The passport that an asker's tier wants; the public has none."""
    if asker.tier == "public":
        return None
    granted = [CENTRAL_COMMITTEE] if asker.tier == "controlled" else []
    name = f"{asker.role}-{asker.tier}-{asker.country.lower()}"
    who = person(asker.role, asker.country, granted, issuer.url, name)
    return issue(issuer, who).passport


def write_results(results: Mapping[str, Result], paths: Mapping[str, Path]) -> None:
    """One JSON file a story."""
    for name, result in results.items():
        write_json(paths[name], result)
