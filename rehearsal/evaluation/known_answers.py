"""The known answers of a dataset or an export: its facts and the right answers to queries about it.

They are computed on the pooled cohort by the code of ``truth``, without code of a node or an
export.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson

from rehearsal.errors import InputError, cause, shown, unreadable_file
from rehearsal.evaluation.suite import QuerySources, draw_suite
from rehearsal.evaluation.templates import read_templates
from rehearsal.export.settings import POOLED
from rehearsal.files import write_json
from rehearsal.model import Query
from rehearsal.seeds import derive_seed
from rehearsal.truth.expected_answers import (
    ExpectedAnswer,
    expected_from_json,
    expected_to_json,
)
from rehearsal.truth.query_answers import TruthCalculator
from rehearsal.truth.subcohort_facts import SubcohortFacts

FOLDER, QUERIES = "truth", "queries.json"
FORMAT = "rehearsal known answers 1"


def write_known_answers(
    facts: SubcohortFacts, templates: Path, seed: int, year: int, folder: Path
) -> None:
    """Write the truth into a new folder. docs/tutorials/make-a-dataset.md describes its files.

    Args:
        facts: Facts of the people in the dataset.
        templates: File of query templates.
        seed: Seed of the drawn queries.
        year: The year in which ages are given.
        folder: The new folder.
    """
    folder.mkdir(parents=True)
    facts.write_tables(folder)
    suite = _draw_queries(facts, templates, derive_seed(seed, "known answers"))
    truth = TruthCalculator(facts.sources, year, facts.subcohort)
    write_queries(suite, truth.compute_answers(suite, together=POOLED), folder / QUERIES)


def _draw_queries(facts: SubcohortFacts, templates: Path, seed: int) -> list[Query]:
    planted = facts.planted_within
    sources = QuerySources(
        sites=facts.alleles.sites(),
        planted=planted,
        genes=[],
        people=facts.people,
        diseases=facts.rows_within(facts.sources.diseases),
        features=facts.rows_within(facts.sources.features),
    )
    fitting = [one for one in read_templates(templates) if planted or one.draw != "planted"]
    return draw_suite(fitting, sources, seed)


def write_queries(
    suite: Iterable[Query], answers: Mapping[str, Mapping[str, ExpectedAnswer]], path: Path
) -> None:
    """Write queries and their right answers by place, in the form of :func:`read_queries`.

    Args:
        suite: The queries.
        answers: Right answers by query id and place.
        path: The JSON file.
    """
    content = {
        "format": FORMAT,
        "about": "SYNTHETIC data: simulated people. Positions are 0-based. Counts of people: hom, "
        "het, hemi; of alleles: ac, an; of all, of women (_F) and of men (_M).",
        "queries": [
            {
                **asdict(query),
                "expected": {
                    place: expected_to_json(answer) for place, answer in answers[query.id].items()
                },
            }
            for query in suite
        ],
    }
    write_json(path, content)


def read_queries(folder: Path) -> list[tuple[Query, dict[str, ExpectedAnswer]]]:
    """Read queries with their right answers by place.

    Args:
        folder: A folder of known answers.

    Raises:
        InputError: The file cannot be read or has another format.
    """
    path = folder / QUERIES
    try:
        content = orjson.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise InputError(path, "format", shown(FORMAT), shown(content["format"]))
        return [_query(item) for item in content["queries"]]
    except OSError as error:
        found = unreadable_file(error)
        raise InputError(path, "file", "the known answers of a dataset", found) from None
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        found = f"other content ({cause(error)})"
        raise InputError(path, "file", "the known answers of a dataset", found) from None


def _query(item: dict[str, Any]) -> tuple[Query, dict[str, ExpectedAnswer]]:
    expected = item.pop("expected")
    answers = {place: expected_from_json(answer) for place, answer in expected.items()}
    return Query(**item), answers
