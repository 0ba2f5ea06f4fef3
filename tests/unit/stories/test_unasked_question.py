"""A question that could not be asked has a page all the same."""

import asyncio
from types import SimpleNamespace

from rehearsal.report.story_pages import story_pages
from rehearsal.stories import run_stories
from rehearsal.stories.story_types import Asker, Question

ASKER = Asker("a physician", "ES", "clinician", "controlled", None)


def test_a_question_that_could_not_be_asked_is_told_on_the_page(monkeypatch):
    async def ask(question, context):
        raise KeyError("DE")

    monkeypatch.setitem(run_stories.QUESTION_TYPES, "alert", SimpleNamespace(ask=ask))
    question = Question("alert", "Tell me.", "alert", ASKER, None, {}, ("s.yaml", "line 1"))
    result = asyncio.run(run_stories._run_question(question, None, None))
    assert [check["observed"] for check in result["checks"]] == ["no 'DE'"]
    story = {
        "name": "s",
        "title": "S",
        "summary": "",
        "evidence": [],
        "asker": result["asker"],
        "patients": [],
        "questions": [result],
        "seconds": 1.0,
        "checks": result["checks"],
        "passed": False,
    }
    (page,) = story_pages(SimpleNamespace(stories=[story], countries=[]))
    assert page.sections[1].title == "Tell me."
