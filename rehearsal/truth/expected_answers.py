"""The right answer to a query, and right answers as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from rehearsal.errors import InputError, cause, unreadable_file
from rehearsal.files import write_json
from rehearsal.model import AlleleCounts, Variant

GROUPS = ("", "_F", "_M")  # all people, women, men: suffixes of populations in answers

GroupCounts = dict[str, AlleleCounts]


@dataclass(frozen=True, slots=True)
class ExpectedAnswer:
    """The right answer of one country to one query.

    ``count`` is the number of distinct variants or of individuals. ``alleles`` (variant queries of
    record granularity or a protected tier) and ``individuals`` (identifiers, record granularity)
    are the right content of the records. In protected tiers ``alleles`` says how many carriers
    there are, and ``people`` how many people the country has. ``extents`` are the ends (0-based,
    exclusive) and lengths of the structural variants among ``alleles``. ``refused`` marks an
    ill-formed query, which needs HTTP 400.
    """

    exists: bool
    count: int
    alleles: dict[Variant, GroupCounts] = field(default_factory=dict)
    individuals: tuple[str, ...] = ()
    refused: bool = False
    people: int = 0
    extents: dict[Variant, tuple[int, int]] = field(default_factory=dict)


def write_expected_answers(
    expected: Mapping[str, Mapping[str, ExpectedAnswer]], path: Path
) -> None:
    """Write right answers as JSON.

    Args:
        expected: Right answers by query id and country.
        path: The file.
    """
    content = {
        query: {country: expected_to_json(answer) for country, answer in countries.items()}
        for query, countries in expected.items()
    }
    write_json(path, content, indented=False, newline=False)


def read_expected_answers(path: Path) -> dict[str, dict[str, ExpectedAnswer]]:
    """Read right answers that ``write_expected_answers`` wrote.

    Args:
        path: The file.

    Returns:
        Right answers by query id and country.

    Raises:
        InputError: The file cannot be read or has other content.
    """
    try:
        return {
            query: {country: expected_from_json(answer) for country, answer in countries.items()}
            for query, countries in orjson.loads(path.read_bytes()).items()
        }
    except OSError as error:
        found = unreadable_file(error)
        raise InputError(path, "file", "right answers in JSON", found) from error
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        is_json = not isinstance(error, orjson.JSONDecodeError)
        found = f"other content ({'an entry that is not an answer' if is_json else cause(error)})"
        raise InputError(path, "file", "right answers in JSON", found) from error


def expected_to_json(answer: ExpectedAnswer) -> dict[str, Any]:
    """Convert a right answer to plain JSON values.

    Args:
        answer: The right answer.
    """
    content: dict[str, Any] = {"exists": answer.exists, "count": answer.count}
    if answer.alleles:
        content["alleles"] = [
            {"variant": variant, "counts": counts}
            | ({"extent": answer.extents[variant]} if variant in answer.extents else {})
            for variant, counts in answer.alleles.items()
        ]
    if answer.individuals:
        content["individuals"] = answer.individuals
    if answer.refused:
        content["refused"] = True
    if answer.people:
        content["people"] = answer.people
    return content


def expected_from_json(content: Mapping[str, Any]) -> ExpectedAnswer:
    """Convert the values of ``expected_to_json`` back.

    Args:
        content: The JSON object.
    """
    return ExpectedAnswer(
        exists=content["exists"],
        count=content["count"],
        alleles={
            Variant(**item["variant"]): {
                group: AlleleCounts(**counts) for group, counts in item["counts"].items()
            }
            for item in content.get("alleles", ())
        },
        individuals=tuple(content.get("individuals", ())),
        refused=content.get("refused", False),
        people=content.get("people", 0),
        extents={
            Variant(**item["variant"]): (item["extent"][0], item["extent"][1])
            for item in content.get("alleles", ())
            if "extent" in item
        },
    )
