"""Runs stories: asks their questions through the network and judges each reply."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pandas as pd

from rehearsal.errors import cause
from rehearsal.files import write_json
from rehearsal.logs import in_progress
from rehearsal.model import Query
from rehearsal.network.issuer import CENTRAL_COMMITTEE, Issuer
from rehearsal.network.service_client import ServiceClient
from rehearsal.network.tokens import create_person, sign_tokens
from rehearsal.stories.query_context import QueryContext, StoryNetwork
from rehearsal.stories.question_types import QUESTION_TYPES
from rehearsal.stories.story_types import Asker, Check, Question, ReplySummary, Story

Result = dict[str, Any]


def run_stories(
    stories: Sequence[Story],
    expected: Mapping[str, Mapping[str, Any]],
    patients: pd.DataFrame,
    network: StoryNetwork,
    issuer: Issuer,
) -> dict[str, Result]:
    """Run stories.

    A question that cannot be asked fails a check of its story and stops nothing.

    Args:
        stories: The stories.
        expected: Right answers by story and question, from ``compute_answers``.
        patients: ``truth/patients.parquet``.
        network: The running network.
        issuer: Issuer of the askers' tokens.

    Returns:
        The results by story, as plain JSON values.
    """
    return {
        story.name: asyncio.run(_run_story(story, expected[story.name], patients, network, issuer))
        for story in in_progress(stories, "stories")
    }


async def _run_story(
    story: Story,
    expected: Mapping[str, Any],
    patients: pd.DataFrame,
    network: StoryNetwork,
    issuer: Issuer,
) -> Result:
    own = patients[patients["story"] == story.name]
    by_handle = dict(zip(own["handle"], own["individual"], strict=True))
    started = time.monotonic()
    questions = []
    for question in story.questions:
        token = issue_passport(question.asker, issuer)
        async with ServiceClient(network.service, _always(token)) as client:
            context = QueryContext(network, client, question.asker, token, by_handle)
            questions.append(await _run_question(question, expected[question.id], context))
    return summarise_story(story, own, questions, time.monotonic() - started)


def _always(token: str | None) -> Callable[[Query], str | None]:
    return lambda _: token


async def _run_question(question: Question, expected: Any, context: QueryContext) -> Result:
    question_type, started = QUESTION_TYPES[question.kind], time.monotonic()
    shown: Result = ReplySummary(None, {}, {}, "").as_json()
    try:
        reply = await question_type.ask(question, context)
        seconds = time.monotonic() - started
        shown = question_type.summarise(question, reply).as_json()
        checks = question_type.judge(question, expected, reply, context.network.foreign)
    except Exception as error:  # an error in one question must not hide the others
        seconds = time.monotonic() - started
        checks = [Check("the question was asked and read", "an answer", cause(error), False)]
    return {
        "id": question.id,
        "text": question.text,
        "kind": question.kind,
        "asker": asdict(question.asker),
        "about": question.about,
        **shown,
        "seconds": round(seconds, 3),
        "checks": [asdict(check) for check in checks],
    }


def summarise_story(
    story: Story, patients: pd.DataFrame, questions: Sequence[Result], seconds: float
) -> Result:
    """Build ``stories/{story}.json``: the story, the result of each question, and all checks.

    Args:
        story: The story.
        patients: Its rows of ``truth/patients.parquet``.
        questions: Results of its questions.
        seconds: Duration of the story, in seconds.
    """
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


def issue_passport(asker: Asker, issuer: Issuer) -> str | None:
    """Issue the passport that an asker's tier needs. Anonymous users have none.

    Args:
        asker: The asker.
        issuer: The issuer.
    """
    if asker.tier == "public":
        return None
    granted = [CENTRAL_COMMITTEE] if asker.tier == "controlled" else []
    name = f"{asker.role}-{asker.tier}-{asker.country.lower()}"
    who = create_person(asker.role, asker.country, granted, issuer.url, name)
    return sign_tokens(issuer, who).passport


def write_results(results: Mapping[str, Result], paths: Mapping[str, Path]) -> None:
    """Write one JSON file per story.

    Args:
        results: Results by story.
        paths: Files by story.
    """
    for name, result in results.items():
        write_json(paths[name], result)
