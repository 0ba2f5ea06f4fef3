"""The tables that a user edits: countries, planted variants, genes."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from rehearsal.config.schema import dotted, find_not_finite, first_violation
from rehearsal.errors import InputError
from rehearsal.genomes.assembly import ASSEMBLY, CONTIG_LENGTHS
from rehearsal.model import Country, Gene, PlantedVariant, Variant


def read_countries(path: Path, schema: Path) -> list[Country]:
    """The countries in the order of the table. Raises InputError."""
    countries: list[Country] = []
    for line, row in _read_table(path, schema):
        country = Country(**{field.name: row[field.name] for field in fields(Country)})
        if any(country.code == other.code for other in countries):
            raise InputError(path, f"line {line}: code", f"{country.code} stands there twice")
        countries.append(country)
    if not countries:
        raise InputError(path, "code", "expected at least one country")
    return countries


def read_planted(path: Path, schema: Path, codes: Sequence[str]) -> list[PlantedVariant]:
    """The planted variants of a table, their positions made 0-based. Raises InputError.

    ``codes``: of the countries that may stand there.
    """
    planted: list[PlantedVariant] = []
    for line, row in _read_table(path, schema):
        found = _planted_variant(row, path, line, codes)
        if found.variant in [other.variant for other in planted]:
            expected = f"{found.variant} stands there twice"
            raise InputError(path, f"line {line}: position", expected)
        planted.append(found)
    return planted


def _planted_variant(
    row: Mapping[str, Any], path: Path, line: int, codes: Sequence[str]
) -> PlantedVariant:
    frequency = _frequencies(row["frequency"], path, line)
    carriers = tuple(_carriers(row["carriers"]))
    for code in [*frequency, *(country for country, _, _ in carriers)]:
        if code not in ("*", *codes):
            raise InputError(path, f"line {line}", f"{code} is not a country of this run")
    if frequency and carriers:
        raise InputError(path, f"line {line}: carriers", "expected frequency or carriers")
    if row["ref"] == row["alt"]:
        raise InputError(path, f"line {line}: alt", "expected another allele than ref")
    return PlantedVariant(
        Variant(row["contig"], row["position"] - 1, row["ref"], row["alt"]),
        row["gene"],
        row["name"],
        row["inheritance"],
        row["story"],
        frequency,
        row["minimum_per_country"],
        carriers,
    )


def read_genes(path: Path, schema: Path) -> list[Gene]:
    """The genes that gene queries may name. Raises InputError."""
    genes: dict[str, Gene] = {}
    for line, row in _read_table(path, schema):
        gene = Gene(row["gene"], row["contig"], row["start"], row["end"], row["strand"])
        length = CONTIG_LENGTHS.get(gene.contig)
        if length is None:
            expected = f"expected a contig of {ASSEMBLY}, found {gene.contig!r}"
            raise InputError(path, f"line {line}: contig", expected)
        if gene.end <= gene.start:
            raise InputError(path, f"line {line}: end", "expected a number above start")
        if gene.end > length:
            expected = f"expected at most {length}, the length of {gene.contig}, found {gene.end}"
            raise InputError(path, f"line {line}: end", expected)
        if gene.name in genes:
            raise InputError(path, f"line {line}: gene", f"{gene.name} stands there twice")
        genes[gene.name] = gene
    return list(genes.values())


def _read_table(path: Path, schema: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Rows of a tab-separated table with their line numbers, typed and checked by its schema."""
    rules = yaml.safe_load(schema.read_text())
    validator = Draft202012Validator(rules)
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as problem:
        raise InputError(path, "file", f"cannot be read: {problem}") from problem
    reader = csv.DictReader(lines, delimiter="\t", restkey="(extra column)", restval="")
    missing = [key for key in rules["required"] if key not in (reader.fieldnames or [])]
    if missing:
        raise InputError(path, "line 1", f"expected a column {missing[0]}, tab-separated")
    for text in reader:
        row = {key: _typed(value, rules["properties"].get(key, {})) for key, value in text.items()}
        for (column,), number in find_not_finite(row):
            found = f"expected a finite number, found {number}"
            raise InputError(path, f"line {reader.line_num}: {column}", found)
        violation = first_violation(validator, row)
        if violation is not None:
            key, expected = violation
            raise InputError(path, f"line {reader.line_num}: {dotted(key)}", expected)
        yield reader.line_num, row


def _typed(value: str, rule: Mapping[str, Any]) -> Any:
    """A cell as the type its schema wants, or the text itself so that the schema can object."""
    convert = {"integer": int, "number": float}.get(rule.get("type", ""), str)
    try:
        return convert(value)
    except (TypeError, ValueError):
        return value


def _frequencies(text: str, path: Path, line: int) -> dict[str, float]:
    pairs = (part.split("=") for part in text.split(";") if part)
    frequencies = {}
    for code, value in pairs:
        if code in frequencies:
            raise InputError(path, f"line {line}: frequency", f"{code}= stands there twice")
        try:
            frequencies[code] = float(value)
        except ValueError:
            frequencies[code] = -1.0
        if not 0 <= frequencies[code] <= 1:
            raise InputError(path, f"line {line}: frequency", f"expected 0 to 1, found {value!r}")
    return frequencies


def _carriers(text: str) -> Iterator[tuple[str, str, int]]:
    for part in text.split(";"):
        if part:
            country, demand = part.split(":")
            role, number = demand.split("=")
            yield country, role, int(number)
