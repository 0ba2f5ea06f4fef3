"""A page for every story: who asked what, who answered, what came back, what stayed at home."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rehearsal.model import ANSWER_STATES
from rehearsal.report.page_elements import (
    Column,
    Facts,
    Heading,
    Linked,
    Page,
    Section,
    Table,
    Text,
    milliseconds,
    seconds,
    spaced,
    whole,
)
from rehearsal.report.tables import ReportTables, country_href

FOLDER = "stories"
LONGEST_VALUE = 400  # characters of an answer that a table shows


def story_href(name: str, prefix: str = "") -> str:
    """The address of a story's page, from a page that is ``prefix`` away from the first one."""
    return f"{prefix}{FOLDER}/{name}.html"


def story_pages(tables: ReportTables) -> Iterator[Page]:
    """A page a story."""
    for story in tables.stories:
        yield _page(story, {country.code: country.name for country in tables.countries})


def _page(story: Mapping[str, Any], names: Mapping[str, str]) -> Page:
    asker, questions = story["asker"], story["questions"]
    verdict = "as the truth has it" if story["passed"] else "not as the truth has it"
    number = "One question" if len(questions) == 1 else f"{len(questions)} questions"
    answered = f"{number}, {verdict}, in {seconds(story['seconds'])} s."
    about = Section(
        "about",
        "Who asks",
        [
            Text(story["summary"]),
            Facts(
                [
                    ("Who", asker["name"]),
                    ("Where", names.get(asker["country"], asker["country"])),
                    ("Role", asker["role"]),
                    ("Access", asker["tier"]),
                    ("Purpose", asker["purpose"] or "not stated"),
                ]
            ),
            *_patients(story["patients"], names),
        ],
    )
    asked = [_question(number, one, names) for number, one in enumerate(questions, start=1)]
    evidence = Section("evidence", "Where the facts are from", [_evidence(story["evidence"])])
    return Page(story_href(story["name"]), story["title"], answered, [about, *asked, evidence])


def _evidence(lines: Sequence[str]) -> Table:
    caption = "Marks: (r) retrieved from the source named, (m) from memory and unverified."
    return Table(caption, [Column("Fact", long=True)], [(line,) for line in lines])


def _patients(patients: Sequence[Mapping[str, Any]], names: Mapping[str, str]) -> Iterator[Table]:
    heroes = [one for one in patients if one.get("name")]
    if not heroes:
        return
    columns = [Column("Patient", names_row=True), Column("Lives in"), Column("In the run as")]
    rows = [
        (
            str(one["name"]),
            Linked(names.get(one["country"], one["country"]), country_href(one["country"], "../")),
            str(one["individual"]),
        )
        for one in heroes
    ]
    others = len(patients) - len(heroes)
    caption = "Patients of the story, all invented"
    yield Table(
        f"{caption}; {whole(others)} more serve as its company." if others else f"{caption}.",
        columns,
        rows,
    )


def _question(number: int, one: Mapping[str, Any], names: Mapping[str, str]) -> Section:
    parts: list[Any] = [
        Facts(
            [
                (
                    "Asked by",
                    f"{one['asker']['name']} ({one['asker']['role']}, "
                    f"{one['asker']['tier']} access)",
                ),
                ("Answered in", f"{seconds(one['seconds'])} s"),
                ("Countries", _states(one["countries"])),
                *((name, _plain(value)) for name, value in _shown(one["joined"])),
                *((name, _plain(value)) for name, value in _shown(one.get("details") or {})),
                ("Stayed at home", one["stayed_home"] or "–"),
            ]
        )
    ]
    if one["countries"]:
        parts.append(_countries(one["countries"], names))
    parts.append(Heading("Checks"))
    parts.append(check_table("Each check: what the truth says, and what came.", one["checks"]))
    return Section(f"question-{number}", one["text"], parts)


def _states(countries: Mapping[str, Mapping[str, Any]]) -> str:
    counts = {
        state: sum(c["state"] == state for c in countries.values()) for state in ANSWER_STATES
    }
    return ", ".join(f"{number} {state}" for state, number in counts.items() if number) or "none"


def _shown(values: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """What of a joined answer a reader wants to see; sizes and clocks are said elsewhere."""
    for name, value in values.items():
        if name not in ("bytes", "latency_ms") and value not in (None, {}, []):
            yield _words(name), value


def _words(name: str) -> str:
    return spaced(name).capitalize()


def _countries(countries: Mapping[str, Mapping[str, Any]], names: Mapping[str, str]) -> Table:
    columns = [
        Column("Country", names_row=True),
        Column("State"),
        Column("Latency, ms", number=True),
        Column("What came back", long=True),
    ]
    rows = [
        (
            Linked(names.get(code, code), country_href(code, "../")),
            one["state"],
            milliseconds(one["latency_ms"]) if one.get("latency_ms") is not None else "–",
            one.get("reason") or _plain(one.get("answer")),
        )
        for code, one in countries.items()
    ]
    return Table("What each country's node said.", columns, rows)


def check_table(caption: str, checks: Sequence[Mapping[str, Any]]) -> Table:
    """Checks with what was expected and what was observed."""
    columns = [
        Column("Check", names_row=True, long=True),
        Column("Expected"),
        Column("Observed"),
        Column("Verdict"),
    ]
    rows = [
        (
            str(one["name"]),
            _plain(one["expected"]),
            _plain(one["observed"]),
            "passed" if one["passed"] else "FAILED",
        )
        for one in checks
    ]
    return Table(caption, columns, rows)


def _plain(value: Any) -> str:
    """A JSON value as a person reads it, not longer than a cell can bear."""
    text = "–" if value is None else _in_words(value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]} …"


def _in_words(value: Any) -> str:
    """Names and values by commas, things of several parts by semicolons."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return _mapping_in_words(value)
    if isinstance(value, list | tuple):
        return _list_in_words(value)
    return str(value)


def _mapping_in_words(value: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{spaced(key)}: {_in_words(item)}"
        for key, item in value.items()
        if item not in (None, [], {})
    )


def _list_in_words(values: Sequence[Any]) -> str:
    several = any(isinstance(item, Mapping | list | tuple) for item in values)
    return ("; " if several else ", ").join(map(_in_words, values))
