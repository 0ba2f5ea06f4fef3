"""The truth beside a dataset or an export: what is in it, and the right answers about it.

Worked out on the pooled cohort by the truth's own code; nothing of a node or of an export is in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson
import pandas as pd
from isal import igzip

from rehearsal.evaluation.suite import draw_suite
from rehearsal.evaluation.templates import read_templates
from rehearsal.files import write_json, written_aside
from rehearsal.model import Block, InputError, PlantedVariant, Query
from rehearsal.seeds import derive_seed
from rehearsal.truth.allele_counts import allele_counts
from rehearsal.truth.decoding import pooled_sites
from rehearsal.truth.expected_answers import Expected, expected_from_json, expected_to_json
from rehearsal.truth.query_answers import Truth
from rehearsal.truth.subcohort import Part

FOLDER, QUERIES = "truth", "queries.json"
POOLED = "pooled"
FORMAT = "rehearsal known answers 1"


@dataclass(frozen=True, slots=True)
class Facts:
    """What the truth is told from: a cohort's tables and tree sequences, all of them, and the part
    of it that is told of."""

    trees: Mapping[Block, Path]
    people: pd.DataFrame
    diseases: pd.DataFrame
    features: pd.DataFrame
    measurements: pd.DataFrame
    planted: Sequence[PlantedVariant]
    carriers: pd.DataFrame
    effects: pd.DataFrame
    genetic_values: pd.DataFrame
    part: Part

    def mine(self, table: pd.DataFrame) -> pd.DataFrame:
        """Rows of the people of the part (``individual``), and where the part has something
        (``contig``, ``start``), as far as a table has such columns."""
        if "individual" in table:
            ids = self.people["id"][self.part.people]
            table = table[table["individual"].isin(ids)]
        if "contig" in table:
            table = table[self.part.holds(table["contig"], table["start"])]
        return table


def write_known_answers(facts: Facts, templates: Path, seed: int, year: int, folder: Path) -> None:
    """Write the truth into a new folder; docs/get-test-data.md tells its files.

    ``templates``: of the queries; they are drawn with ``seed``, and their ages told in ``year``.
    """
    folder.mkdir(parents=True)
    people = facts.people[facts.part.people]
    tables = {
        "pedigree.tsv": people,
        "planted_carriers.tsv": _with_country(facts.mine(facts.carriers), people),
        "causal_sites.tsv": facts.mine(facts.effects),
        "genetic_values.tsv.gz": facts.mine(facts.genetic_values),
        "allele_counts.tsv.gz": allele_counts(facts.trees, facts.people, facts.part),
    }
    for name, table in tables.items():
        _write_table(table, folder / name)
    planted = [one for one in facts.planted if _is_in(facts.part, one)]
    asked = [one for one in read_templates(templates) if planted or one.draw != "planted"]
    suite = draw_suite(
        asked,
        pooled_sites(facts.trees, facts.part),
        planted,
        [],
        people,
        facts.mine(facts.diseases),
        facts.mine(facts.features),
        derive_seed(seed, "known answers"),
    )
    write_queries(suite, _answers(facts, suite, year), folder / QUERIES)


def _is_in(part: Part, planted: PlantedVariant) -> bool:
    return bool(part.holds(planted.variant.contig, planted.variant.start))


def _with_country(carriers: pd.DataFrame, people: pd.DataFrame) -> pd.DataFrame:
    country = people.set_index("id")["country"]
    return carriers.assign(country=carriers["individual"].map(country))


def _write_table(table: pd.DataFrame, path: Path) -> None:
    text = table.to_csv(sep="\t", index=False, lineterminator="\n").encode()
    with written_aside(path) as aside:
        aside.write_bytes(igzip.compress(text, mtime=0) if path.suffix == ".gz" else text)


def _answers(facts: Facts, suite: Sequence[Query], year: int) -> dict[str, dict[str, Expected]]:
    """By query and place: each country, and everybody as one."""
    answers: dict[str, dict[str, Expected]] = {query.id: {} for query in suite}
    for people in (facts.people, facts.people.assign(country=POOLED)):
        truth = Truth(
            facts.trees,
            people,
            facts.diseases,
            facts.features,
            facts.measurements,
            [],
            reference_year=year,
            part=facts.part,
        )
        for query, expected in truth.answers(suite).items():
            answers[query] |= expected
    return answers


def write_queries(
    suite: Iterable[Query], answers: Mapping[str, Mapping[str, Expected]], path: Path
) -> None:
    """Write queries and their right answers by place, as ``read_queries`` reads them."""
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


def read_queries(folder: Path) -> list[tuple[Query, dict[str, Expected]]]:
    """Queries with their right answers by place. Raises InputError for any other file."""
    path = folder / QUERIES
    try:
        content = orjson.loads(path.read_bytes())
        if content["format"] != FORMAT:
            raise InputError(path, "format", f"{FORMAT!r}, found {content['format']!r}")
        return [_query(item) for item in content["queries"]]
    except (OSError, orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise InputError(path, "file", f"the truth beside a dataset: {error!r}") from None


def _query(item: dict[str, Any]) -> tuple[Query, dict[str, Expected]]:
    expected = item.pop("expected")
    answers = {place: expected_from_json(answer) for place, answer in expected.items()}
    return Query(**item), answers
