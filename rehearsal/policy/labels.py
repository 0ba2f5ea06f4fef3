"""Labels of the sheets in several languages: ``config/labels.tsv``. Missing ones are English."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from rehearsal.errors import InputError, shown
from rehearsal.formats.tables import read_cells, read_lines

ENGLISH = "en"
DRAFT = "draft"  # the remark that no native speaker has read the labels; English has none
KEYS = (
    *("title", "node", "foreign", "synthetic", "people", "datasets", "signed", "not_signed"),
    *("composition", "coordinator", "contact", "members"),
    *("asked", "questions", "answered", "refused"),
    *("q_frequency", "q_known", "q_place", "q_count", "q_people", "q_bad"),
    *("left", "left_bytes", "left_stories", "left_analyses", "left_words", "left_asker"),
    *("capital", "capital_asked", "in_time", "median", "farthest"),
    *("consent", "legal_basis", "usable_for_future_research", "usable_in_healthcare_of_others"),
    *("yes", "reconsent", "no", "unknown"),
    *("maturity", "indicators", "held", "partly", "failed", "not_tried", "not_asked", "no_score"),
    "not_measured",
    *("costs", "cost_people", "cost_words", "equal", "by_gdp", "federated", "central"),
    *("from_memory", "gdp_from_memory"),
    *("next", "next_group", "next_reconsent", "next_failed", "next_measure", "next_prices", DRAFT),
)
# a country's name or its capital's, of which the table of countries has English ones
NAME = re.compile("(country|capital)_[A-Z]{2}")
OFFICIAL = re.compile("languages_[A-Z]{2}")  # a country's official languages, in the column en
LANGUAGE = re.compile("[a-z]{2}")

Labels = dict[str, dict[str, str]]  # texts by language and key


def read_labels(path: Path) -> Labels:
    """Read the labels.

    Args:
        path: The tab-separated table: ``key``, ``en`` and one column per further language.

    Returns:
        For each language the texts that it has; English has all. The official languages of a
        country are the English text of ``languages_`` and its code.

    Raises:
        InputError: Names the file, the line, what was expected and what was found; for example an
            unknown key, or a column whose language is official nowhere.
    """
    lines = read_lines(path) or [""]
    found: Labels = {language: {} for language in _read_header(path, lines[0])}
    for number, row in read_cells(path, lines):
        _read_row(path, number, row, found)
    missing = [key for key in KEYS if key not in found[ENGLISH] and key != DRAFT]
    if missing:
        raise InputError(path, "key", f"English labels of {', '.join(missing)}", "none")
    _check_languages(path, found)
    return found


def _check_languages(path: Path, found: Labels) -> None:
    """Check that each column is in a language that some row says to be official somewhere."""
    official = {
        one
        for key, text in found[ENGLISH].items()
        if OFFICIAL.fullmatch(key)
        for one in text.split()
    }
    unknown = [one for one in found if one != ENGLISH and one not in official]
    if unknown:
        expected = "languages that a row languages_ and the code of a country names"
        raise InputError(path, "line 1", expected, ", ".join(unknown))


def _read_header(path: Path, header: str) -> list[str]:
    """Return the languages of the columns."""
    key, *languages = header.split("\t")
    is_ours = key == "key" and languages[:1] == [ENGLISH]
    if not is_ours or not _are_languages(languages):
        expected = "the columns key, en and further languages of two letters, each once"
        raise InputError(path, "line 1", expected, shown(header.replace("\t", " ")))
    return languages


def _are_languages(names: list[str]) -> bool:
    return all(map(LANGUAGE.fullmatch, names)) and len(set(names)) == len(names)


def _read_row(path: Path, number: int, row: list[str], found: Labels) -> None:
    key, *texts = (cell.strip() for cell in row)
    _check_key(path, number, key)
    if len(texts) != len(found):
        expected = f"{len(found) + 1} cells"
        raise InputError(path, f"line {number}", expected, shown(len(row)))
    if any(key in language for language in found.values()):
        raise InputError(path, f"line {number}: key", "a key once", key)
    if OFFICIAL.fullmatch(key) and not (texts[0] and _are_languages(texts[0].split())):
        expected = "languages of two letters, each once, with spaces between them"
        raise InputError(path, f"line {number}: {key}", expected, shown(texts[0]))
    for language, text in zip(found, texts, strict=True):
        if text:
            found[language][key] = text


def _check_key(path: Path, number: int, key: str) -> None:
    if key not in KEYS and not NAME.fullmatch(key) and not OFFICIAL.fullmatch(key):
        words = "country_, capital_ or languages_ and a code"
        expected = f"one of the keys {', '.join(KEYS)}, or {words}"
        raise InputError(path, f"line {number}: key", expected, f"the unknown key {shown(key)}")


def languages_of(code: str, labels: Mapping[str, Mapping[str, str]]) -> list[str]:
    """List the languages of a country's sheet.

    Args:
        code: The code of the country.
        labels: The labels.

    Returns:
        Its official languages that have labels; English if there is none.
    """
    return _labelled(code, labels) or [ENGLISH]


def is_stand_in(code: str, labels: Mapping[str, Mapping[str, str]]) -> bool:
    """Tell whether a country's sheet is English because no language of its own has labels.

    Args:
        code: The code of the country.
        labels: The labels.
    """
    return not _labelled(code, labels)


def is_part(language: str, labels: Mapping[str, Mapping[str, str]]) -> bool:
    """Tell whether some labels of a language are missing, so that a sheet has English ones.

    Args:
        language: The language.
        labels: The labels.
    """
    return any(key not in labels[language] for key in KEYS if key != DRAFT)


def _labelled(code: str, labels: Mapping[str, Mapping[str, str]]) -> list[str]:
    official = labels[ENGLISH].get(f"languages_{code}", "").split()
    return [one for one in official if any(key in labels.get(one, ()) for key in KEYS)]
