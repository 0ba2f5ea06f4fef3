"""What must be answered to a query, and the right answers as a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from rehearsal.errors import InputError
from rehearsal.files import write_json
from rehearsal.model import AlleleCounts, Variant

GROUPS = ("", "_F", "_M")  # everybody, women, men: as populations are named in answers

GroupCounts = dict[str, AlleleCounts]


@dataclass(frozen=True, slots=True)
class ExpectedAnswer:
    """What one country must answer to one query.

    ``count``: distinct variants, or individuals. ``alleles`` (variant queries of record
    granularity or a protected tier) and ``individuals`` (identifiers, of record granularity) are
    what the records must say; in protected tiers, how many carriers there are to tell of.
    ``refused``: the query is ill-formed and wants HTTP 400.
    """

    exists: bool
    count: int
    alleles: dict[Variant, GroupCounts] = field(default_factory=dict)
    individuals: tuple[str, ...] = ()
    refused: bool = False


def write_expected_answers(
    expected: Mapping[str, Mapping[str, ExpectedAnswer]], path: Path
) -> None:
    """Write expected answers, by query id and country, as JSON."""
    content = {
        query: {country: expected_to_json(answer) for country, answer in countries.items()}
        for query, countries in expected.items()
    }
    write_json(path, content, indented=False, newline=False)


def read_expected_answers(path: Path) -> dict[str, dict[str, ExpectedAnswer]]:
    """What ``write_expected_answers`` wrote. Raises InputError for any other file."""
    try:
        return {
            query: {country: expected_from_json(answer) for country, answer in countries.items()}
            for query, countries in orjson.loads(path.read_bytes()).items()
        }
    except (OSError, orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise InputError(path, "file", f"expected answers in JSON: {error}") from error


def expected_to_json(answer: ExpectedAnswer) -> dict[str, Any]:
    """An expected answer as plain JSON values."""
    content: dict[str, Any] = {"exists": answer.exists, "count": answer.count}
    if answer.alleles:
        content["alleles"] = [
            {"variant": variant, "counts": counts} for variant, counts in answer.alleles.items()
        ]
    if answer.individuals:
        content["individuals"] = answer.individuals
    if answer.refused:
        content["refused"] = True
    return content


def expected_from_json(content: Mapping[str, Any]) -> ExpectedAnswer:
    """What ``expected_to_json`` made."""
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
    )
