"""Reads ``config/stories/*.yaml``. Every complaint names the file and the line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from rehearsal.model import SEXES, Choice, InputError, Patient
from rehearsal.phenotypes.yaml_reader import Entry, read_lined_entries
from rehearsal.stories.patient_reader import HANDLE, read_choice, read_patient
from rehearsal.stories.question_types import QUESTION_TYPES
from rehearsal.stories.reference_checks import RunReferences
from rehearsal.stories.story_types import Asker, Question, Story

STORY_KEYS = ("title", "summary", "asker", "questions")
QUESTION_KEYS = {"id", "text", "kind", "asker", "about"}
ROLES, TIERS = ("researcher", "clinician"), ("public", "registered", "controlled")
PURPOSE = r"DUO:\d{7}( MONDO:\d{7})?"
NAME = re.compile(r"[a-z][a-z0-9_-]{0,40}")


def read_stories(folder: Path | None, references: RunReferences) -> list[Story]:
    """The stories of a folder in order of their names; none for no folder or an empty one.

    Raises InputError for the first thing that cannot be meant or that the run lacks.
    """
    if folder is None:
        return []
    if not folder.is_dir():
        raise InputError(folder, "stories", "expected a folder of stories, or null")
    return [_story(path, references) for path in sorted(folder.glob("*.yaml"))]


def _story(path: Path, references: RunReferences) -> Story:
    if not NAME.fullmatch(path.stem):
        raise InputError(path, "name", "expected small letters, digits, - and _ before .yaml")
    part = read_lined_entries(path).fields(STORY_KEYS, ("evidence", "patients"))
    asker = _asker(part["asker"], references, None)
    people = list(_people(path.stem, part["patients"], references)) if "patients" in part else []
    patients = tuple(one for one in people if isinstance(one, Patient))
    _check_parents(patients)
    handles = {one.handle for one in people}
    references = replace(references, patients=tuple(sorted(handles)))
    questions = [_question(item, asker, handles, references) for item in part["questions"].items()]
    for number, question in enumerate(questions):
        if any(question.id == other.id for other in questions[:number]):
            raise InputError(*question.where, f"expected another id: {question.id} is taken")
    if not questions:
        raise part["questions"].error("at least one question")
    return Story(
        name=path.stem,
        title=part["title"].text(),
        summary=" ".join(part["summary"].text(r"(?s).*\S.*").split()),
        evidence=tuple(item.text() for item in part["evidence"].items())
        if "evidence" in part
        else (),
        asker=asker,
        patients=patients,
        choices=tuple(one for one in people if isinstance(one, Choice)),
        questions=tuple(questions),
        source=str(path),
    )


def _people(story: str, entry: Entry, references: RunReferences) -> Iterator[Patient | Choice]:
    for handle, one in entry.children().items():
        if not isinstance(handle, str) or not HANDLE.fullmatch(handle):
            raise one.error("a handle of small letters, digits and -")
        if isinstance(one.value, dict) and "choose" in one.value:
            yield read_choice(story, handle, one, references)
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
                raise child.error(
                    f"expected a {sex} patient of {child.country} as a parent, found {handle!r}"
                )
            if parent.born[1] + 14 > child.born[0]:
                raise child.error(f"expected {handle} to be at least 14 years older")


def _asker(entry: Entry, references: RunReferences, default: Asker | None) -> Asker:
    part = entry.fields(("name", "country", "role", "tier", "purpose"))
    purpose = part["purpose"]
    return Asker(
        part["name"].text(),
        references.country(part["country"]),
        part["role"].choice(*ROLES),
        part["tier"].choice(*TIERS),
        None if purpose.value is None else purpose.text(PURPOSE, "DUO:0000043"),
    )


def _question(entry: Entry, asker: Asker, handles: set[str], references: RunReferences) -> Question:
    children = entry.children()
    for key in ("id", "text", "kind"):
        if key not in children:
            raise entry.error(f"the key {key}")
    kind = children["kind"].choice(*QUESTION_TYPES)
    about = children.get("about")
    if about is not None and about.value not in handles:
        raise about.error(f"a patient of this story: {' '.join(sorted(handles))}")
    own = {key: child for key, child in children.items() if key not in QUESTION_KEYS}
    rest = Entry(entry.source, entry.key, entry.value, entry.line)
    return Question(
        id=children["id"].text(r"[a-z0-9][a-z0-9-]*", "small-letters-and-digits"),
        text=children["text"].text(),
        kind=kind,
        asker=_asker(children["asker"], references, asker) if "asker" in children else asker,
        about=None if about is None else str(about.value),
        parameters=QUESTION_TYPES[kind].read(rest, own, references),
        where=entry.where,
    )
