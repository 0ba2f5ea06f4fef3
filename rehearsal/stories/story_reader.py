"""Reads ``config/stories/*.yaml``. Every error names the file and the line."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import get_args

from rehearsal.errors import InputError, shown
from rehearsal.model import SEXES, TIERS, Patient, PatientSelection
from rehearsal.phenotypes.yaml_reader import Entry, read_yaml_with_lines
from rehearsal.stories.patient_reader import HANDLE, read_patient, read_selection
from rehearsal.stories.question_types import QUESTION_TYPES
from rehearsal.stories.reference_checks import RunReferences
from rehearsal.stories.story_types import Asker, Question, Role, Story

STORY_KEYS = ("title", "summary", "asker", "questions")
QUESTION_KEYS = {"id", "text", "kind", "asker", "about"}
PURPOSE = r"DUO:\d{7}( MONDO:\d{7})?"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")


def read_stories(
    folder: Path | None, references: RunReferences, names: Collection[str] | None = None
) -> list[Story]:
    """Read the stories of a folder in order of their names.

    Args:
        folder: The folder. None or an empty folder gives no stories.
        references: What stories may refer to.
        names: Names of the only stories to read; None: all.

    Raises:
        InputError: A value is not allowed, or refers to something that the run does not have.
    """
    if folder is None:
        return []
    if not folder.is_dir():
        raise InputError(folder, "stories", "a folder of stories, or null", "no such folder")
    paths = sorted(folder.glob("*.yaml"))
    return [_read_story(path, references) for path in paths if names is None or path.stem in names]


def can_be_told(story: Story, references: RunReferences) -> bool:
    """Say whether a story refers only to what a run has.

    Args:
        story: A story that was read with all that the run's files describe.
        references: What the run has of it.
    """
    try:
        _read_story(Path(story.source), references)
    except InputError:
        return False
    return True


def _read_story(path: Path, references: RunReferences) -> Story:
    if not NAME.fullmatch(path.stem):
        expected = "a name of lowercase letters, digits, - and _ before .yaml"
        raise InputError(path, "name", expected, shown(path.name))
    part = read_yaml_with_lines(path).fields(STORY_KEYS, ("evidence", "patients"))
    asker = _read_asker(part["asker"], references)
    people = list(_read_people(path.stem, part.get("patients"), references))
    patients = tuple(one for one in people if isinstance(one, Patient))
    _check_parents(patients)
    references = replace(references, patients=sorted({one.handle for one in people}))
    return Story(
        name=path.stem,
        questions=_read_questions(part["questions"], asker, references),
        title=part["title"].text(),
        summary=" ".join(part["summary"].text(r"(?s).*\S.*").split()),
        evidence=tuple(item.text() for item in _items(part.get("evidence"))),
        asker=asker,
        patients=patients,
        choices=tuple(one for one in people if isinstance(one, PatientSelection)),
        source=str(path),
    )


def _items(entry: Entry | None) -> list[Entry]:
    return [] if entry is None else entry.items()


def _read_people(
    story: str, entry: Entry | None, references: RunReferences
) -> Iterator[Patient | PatientSelection]:
    for handle, one in ({} if entry is None else entry.children()).items():
        if not isinstance(handle, str) or not HANDLE.fullmatch(handle):
            raise one.error("a handle of lowercase letters, digits and -", shown(handle))
        if isinstance(one.value, dict) and "choose" in one.value:
            yield read_selection(story, handle, one, references)
        else:
            yield from read_patient(story, handle, one, references)


def _check_parents(patients: Sequence[Patient]) -> None:
    by_handle = {patient.handle: patient for patient in patients}
    for child in patients:
        for sex, handle in zip(SEXES, (child.mother, child.father), strict=True):
            if handle is None:
                continue
            parent = by_handle.get(handle)
            if parent is None or (parent.sex, parent.country) != (sex, child.country):
                expected = f"a {sex} patient of {child.country} as a parent"
                raise InputError(*child.where, expected, shown(handle))
            if parent.born[1] + 14 > child.born[0]:
                expected = f"a parent born at least 14 years before {child.born[0]}"
                raise InputError(*child.where, expected, f"{handle}, born in {parent.born[1]}")


def _read_asker(entry: Entry, references: RunReferences) -> Asker:
    part = entry.fields(("name", "country", "role", "tier", "purpose"))
    purpose = part["purpose"]
    return Asker(
        part["name"].text(),
        references.country(part["country"]),
        part["role"].choice(*get_args(Role)),
        part["tier"].choice(*TIERS),
        None if purpose.value is None else purpose.text(PURPOSE, "DUO:0000043"),
    )


def _read_questions(entry: Entry, asker: Asker, references: RunReferences) -> tuple[Question, ...]:
    questions = tuple(_read_question(item, asker, references) for item in entry.items())
    taken = set()
    for question in questions:
        if question.id in taken:
            expected = "an id that no other question has"
            raise InputError(*question.where, expected, f"{shown(question.id)} again")
        taken.add(question.id)
    if not questions:
        raise entry.error("at least one question")
    return questions


def _read_question(entry: Entry, asker: Asker, references: RunReferences) -> Question:
    children = entry.children()
    for key in ("id", "text", "kind"):
        if key not in children:
            raise entry.error(f"the key {key}", "no such key")
    kind = children["kind"].choice(*QUESTION_TYPES)
    about = children.get("about")
    if about is not None and about.value not in references.patients:
        raise about.error(f"a patient of this story ({', '.join(references.patients) or 'none'})")
    own = {key: child for key, child in children.items() if key not in QUESTION_KEYS}
    return Question(
        id=children["id"].text(r"[a-z0-9][a-z0-9-]*", "lowercase-letters-and-digits"),
        text=children["text"].text(),
        kind=kind,
        asker=_read_asker(children["asker"], references) if "asker" in children else asker,
        about=None if about is None else str(about.value),
        parameters=QUESTION_TYPES[kind].read(entry, own, references),
        where=entry.where,
    )
