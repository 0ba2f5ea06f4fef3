"""A page for every story: who asked what and why, what came back, and the known truth."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rehearsal.report.page_elements import (
    Column,
    Facts,
    Heading,
    Linked,
    Page,
    Points,
    Section,
    Table,
    Text,
    seconds,
    whole,
)
from rehearsal.report.questions import KINDS
from rehearsal.report.questions.words import (
    NONE,
    access_words,
    answer_words,
    check_words,
    counted,
    country_table,
    plain,
    purpose_words,
    variant_words,
    vocabulary,
)
from rehearsal.report.tables import ReportTables, country_href

FOLDER = "stories"
LONGEST_VALUE = 100  # characters of a list or mapping in a cell; a longer one is summarised
MOST_ITEMS = 12  # differences that a cell shows
EFFECTS = {"benefit": "benefit", "harm": "harm", "none": "no effect"}


def story_href(name: str, prefix: str = "") -> str:
    """Give the address of a story's page.

    Args:
        name: The story's name.
        prefix: The way from the linking page to the first page's folder, for example ``../``.
    """
    return f"{prefix}{FOLDER}/{name}.html"


def story_pages(tables: ReportTables) -> Iterator[Page]:
    """Make one page per story.

    Args:
        tables: The tables of the report, with ``stories``.
    """
    names = {country.code: country.name for country in tables.countries}
    for story in tables.stories:
        yield _page(story, names)


def _page(story: Mapping[str, Any], names: Mapping[str, str]) -> Page:
    asker, questions = story["asker"], story["questions"]
    failed = [check for check in story["checks"] if not check["passed"]]
    verdict = "Every answer agrees with the known truth."
    if failed or not story["passed"]:
        verdict = f"{counted(len(failed), 'check', 'checks')} failed."
    lead = f"{counted(len(questions), 'question', 'questions')} in {seconds(story['seconds'])} s. "
    about = Section(
        "about",
        "Who asks, and why",
        [
            Text(story["summary"]),
            Facts(
                [
                    ("Asker", asker["name"]),
                    ("Country", names.get(asker["country"], asker["country"])),
                    ("Role", asker["role"]),
                    ("Access", access_words(asker["tier"])),
                    ("Purpose", purpose_words(asker["purpose"])),
                ]
            ),
            *_patients(story["patients"], names),
        ],
    )
    asked = [_question(number, one, names, story) for number, one in enumerate(questions, start=1)]
    evidence = [_evidence(story["evidence"])] if story["evidence"] else []
    href, title = story_href(story["name"]), story["title"]
    return Page(href, title, lead + verdict, [about, *asked, *evidence])


def _evidence(lines: Sequence[str]) -> Section:
    note = (
        "These facts shaped the story. (r): checked against the named public source. "
        "(m): from memory, not checked."
    )
    return Section("evidence", "Sources", [Text(note), Points(lines)])


def _patients(patients: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Iterator[Any]:
    named = [one for one in patients if one.get("name")]
    if named:
        columns = [
            Column("Patient", names_row=True),
            Column("Country"),
            Column("Identifier in this run"),
        ]
        rows = [
            (
                str(one["name"]),
                Linked(
                    names.get(one["country"], one["country"]), country_href(one["country"], "../")
                ),
                str(one["individual"]),
            )
            for one in named
        ]
        yield Table("The patients of this story. All of them are invented.", columns, rows)
    others = [one for one in patients if not one.get("name")]
    if others:
        yield _groups(others)


def _groups(patients: Sequence[Mapping[str, Any]]) -> Table:
    """Tabulate patients without a name: how many of each kind, and where."""
    columns = [
        Column("Kind of patient", names_row=True),
        Column("People", number=True),
        Column("Countries", long=True),
    ]
    countries: dict[str, list[str]] = {}
    for one in patients:
        countries.setdefault(one["template"], []).append(one["country"])
    rows = [
        (kind, whole(len(places)), ", ".join(dict.fromkeys(places)))
        for kind, places in countries.items()
    ]
    caption = (
        f"{counted(len(patients), 'invented patient', 'invented patients')} without a name were "
        "added for comparison. truth/patients.parquet has their identifiers."
    )
    return Table(caption, columns, rows)


def _question(
    number: int, one: Mapping[str, Any], names: Mapping[str, str], story: Mapping[str, Any]
) -> Section:
    told, asker = KINDS.get(one["kind"]), story["asker"]
    parts: list[Any] = []
    if told is not None and one["request"] is not None:
        parts.append(Text(f"{told.request(one, names)} {_asked(one, asker)}"))
    parts.append(Heading("What came back"))
    if told is not None and one["countries"]:
        parts += told.answer(one, names)
    elif one["countries"]:
        columns = [(Column("Answer", long=True), plain)]
        parts.append(country_table("The answer of each country.", one, names, columns))
    else:
        parts.append(Text("Nothing came back."))
    if one["stayed_home"]:
        parts += [Heading("What stayed in the countries"), Text(one["stayed_home"])]
    good = sum(check["passed"] for check in one["checks"])
    total = len(one["checks"])
    caption = (
        f"{good} of {counted(total, 'check', 'checks')} passed. The truth was computed from all "
        "simulated people together, by code that the nodes do not use."
    )
    parts += [
        Heading("Comparison with the truth"),
        check_table(caption, one["checks"], vocabulary(story, one, names)),
    ]
    return Section(f"question-{number}", one["text"], parts)


def _asked(one: Mapping[str, Any], asker: Mapping[str, Any]) -> str:
    """Say how long the answer took, and who asked if it was not the story's asker."""
    own, time = one["asker"], f"The answer took {one['seconds']:.2f} s."
    if own == asker:
        return time
    return f"{own['name']} asked ({own['role']}, {own['tier']} access). {time}"


def check_table(
    caption: str, checks: Sequence[Mapping[str, Any]], words: Mapping[str, str]
) -> Table:
    """Tabulate checks with the truth and the answer.

    Args:
        caption: The table's caption.
        checks: Mappings with ``name``, ``expected``, ``observed`` and ``passed``.
        words: Words for the codes and names that the values hold, as ``vocabulary`` gives them.
    """
    columns = [
        Column("Check", names_row=True, long=True),
        Column("Truth"),
        Column("Answer"),
        Column("Result"),
    ]
    rows = []
    for one in checks:
        expected, observed = _cells(one, words)
        result = "passed" if one["passed"] else "FAILED"
        rows.append((check_words(one["name"], words), expected, observed, result))
    return Table(caption, columns, rows)


def _cells(check: Mapping[str, Any], words: Mapping[str, str]) -> tuple[str, str]:
    """Write what was expected and observed; of long values only the differences or a number."""
    expected, observed = check["expected"], check["observed"]
    if isinstance(expected, str) and isinstance(observed, Mapping) and "finding" in observed:
        return EFFECTS.get(expected, expected), EFFECTS[observed["finding"]]
    if not _is_long(expected) and not _is_long(observed):
        return plain(answer_words(expected, words)), plain(answer_words(observed, words))
    if check["passed"] or type(expected) is not type(observed):
        return _size(expected), _size(observed)
    return _differences(expected, observed, words)


def _differences(expected: Any, observed: Any, words: Mapping[str, str]) -> tuple[str, str]:
    """Write where two mappings or lists differ."""
    if isinstance(expected, Mapping):
        keys = [key for key in {**expected, **observed} if expected.get(key) != observed.get(key)]
        first = keys[:MOST_ITEMS]
        cells = [
            _listed(
                {words.get(key, key): answer_words(values.get(key), words) for key in first},
                len(keys),
            )
            for values in (expected, observed)
        ]
        return cells[0], cells[1]
    missing = [one for one in expected if one not in observed]
    added = [one for one in observed if one not in expected]
    return _also(answer_words(missing, words)), _also(answer_words(added, words))


def _also(items: Sequence[Any]) -> str:
    return f"also {plain(items[:MOST_ITEMS])}" if items else NONE


def _listed(values: Mapping[str, Any], total: int) -> str:
    rest = f" and {total - len(values)} more" if total > len(values) else ""
    return "; ".join(f"{variant_words(key)}: {plain(one)}" for key, one in values.items()) + rest


def _is_long(value: Any) -> bool:
    return isinstance(value, Mapping | list | tuple) and len(plain(value)) > LONGEST_VALUE


def _size(value: Any) -> str:
    """Write how many values a long list or mapping has; a short one is written out."""
    if not _is_long(value):
        return plain(value)
    keys = list(value)
    if all(re.fullmatch("[A-Z]{2}", str(key)) for key in keys):
        return f"{len(keys)} countries"
    return counted(len(keys), "value", "values")
