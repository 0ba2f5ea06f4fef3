"""The tables that a user edits: countries, planted variants, genes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from rehearsal.config.schema import dotted, find_not_finite, find_violations
from rehearsal.errors import Complaints, InputError, shown
from rehearsal.formats.tables import number, read_lines, whole_number
from rehearsal.genomes.allele_names import is_normal
from rehearsal.genomes.assembly import ASSEMBLY, CONTIG_LENGTHS, pseudo_autosomal
from rehearsal.genomes.transcripts import check_name
from rehearsal.model import Country, Gene, PlantedVariant, Variant
from rehearsal.yaml_files import load_yaml


def read_countries(path: Path, schema: Path) -> list[Country]:
    """Read the table of countries.

    Args:
        path: The tab-separated table, one row per country.
        schema: The JSON schema of a row.

    Returns:
        The countries, in the order of the table.

    Raises:
        InputError: The table cannot be read, or a row cannot be used.
    """
    countries: list[Country] = []

    def read(line: int, row: Mapping[str, Any]) -> None:
        country = Country(**{field.name: row[field.name] for field in fields(Country)})
        if any(country.code == other.code for other in countries):
            raise _twice(path, f"line {line}: code", country.code)
        countries.append(country)

    _read_table(path, schema, read)
    if not countries:
        raise InputError(path, "code", "at least one country", "no rows")
    return countries


def read_planted(path: Path, schema: Path, codes: Sequence[str]) -> list[PlantedVariant]:
    """Read the table of planted variants.

    Args:
        path: The tab-separated table, one row per variant, positions 1-based as in VCF.
        schema: The JSON schema of a row.
        codes: The country codes that a row may name.

    Returns:
        The variants, in the order of the table, positions 0-based.

    Raises:
        InputError: The table cannot be read, or a row cannot be used.
    """
    planted: list[PlantedVariant] = []

    def read(line: int, row: Mapping[str, Any]) -> None:
        found = _planted_variant(row, path, line, codes)
        if found.variant in [other.variant for other in planted]:
            raise _twice(path, f"line {line}: position", str(found.variant))
        planted.append(found)

    _read_table(path, schema, read)
    return planted


def _planted_variant(
    row: Mapping[str, Any], path: Path, line: int, codes: Sequence[str]
) -> PlantedVariant:
    frequency = _frequencies(row["frequency"], path, line)
    carriers = tuple(_carriers(row["carriers"]))
    for code in [*frequency, *(country for country, _, _ in carriers)]:
        if code not in ("*", *codes):
            column = "frequency" if code in frequency else "carriers"
            expected = f"a country of this run ({', '.join(codes)})"
            raise InputError(path, f"line {line}: {column}", expected, shown(code))
    if frequency and carriers:
        key, found = f"line {line}: carriers", shown(row["carriers"])
        raise InputError(path, key, "nothing, because the row has a frequency", found)
    if row["ref"] == row["alt"]:
        expected = "an allele that differs from ref"
        raise InputError(path, f"line {line}: alt", expected, shown(row["alt"]))
    if not is_normal(row["ref"], row["alt"]):
        expected = "ref and alt left-aligned, without bases that both need not have"
        raise InputError(path, f"line {line}: alt", expected, f"{row['ref']} and {row['alt']}")
    _check_place(row, path, line)
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


def _check_place(row: Mapping[str, Any], path: Path, line: int) -> None:
    """Refuse a variant that is not within a contig, or X-linked elsewhere."""
    contig, start = row["contig"], row["position"] - 1
    length = CONTIG_LENGTHS.get(contig)
    if length is None:
        raise InputError(path, f"line {line}: contig", f"a contig of {ASSEMBLY}", shown(contig))
    if start + len(row["ref"]) > length:
        expected = f"at most {length}, the length of {contig}, with all of REF"
        raise InputError(path, f"line {line}: position", expected, shown(row["position"]))
    if row["inheritance"] == "X-linked":
        region = pseudo_autosomal(contig, start)
        if contig != "chrX" or region:
            where = f"in {region} of {contig}, which everybody has twice" if region else contig
            expected = "a variant on chrX, because its inheritance is X-linked"
            raise InputError(path, f"line {line}: contig", expected, where)
    check_name(row["gene"], path, f"line {line}: gene")


def read_genes(path: Path, schema: Path) -> list[Gene]:
    """Read the table of genes that gene queries may name.

    Args:
        path: The tab-separated table, one row per gene, coordinates 0-based half-open.
        schema: The JSON schema of a row.

    Returns:
        The genes, in the order of the table.

    Raises:
        InputError: The table cannot be read, or a row cannot be used.
    """
    genes: dict[str, Gene] = {}

    def read(line: int, row: Mapping[str, Any]) -> None:
        place = (row["contig"], row["start"], row["end"], row["strand"])
        gene = Gene(row["gene"], *place, tuple(row.get("identifiers", "").split()))
        _check_gene(gene, path, line)
        if gene.name in genes:
            raise _twice(path, f"line {line}: gene", gene.name)
        genes[gene.name] = gene

    _read_table(path, schema, read)
    return list(genes.values())


def _check_gene(gene: Gene, path: Path, line: int) -> None:
    """Refuse a gene that is not within a contig, or whose name cannot stand in all files."""
    length = CONTIG_LENGTHS.get(gene.contig)
    if length is None:
        expected = f"a contig of {ASSEMBLY}"
        raise InputError(path, f"line {line}: contig", expected, shown(gene.contig))
    if gene.end <= gene.start:
        expected = f"a number above start ({gene.start})"
        raise InputError(path, f"line {line}: end", expected, shown(gene.end))
    if gene.end > length:
        expected = f"at most {length}, the length of {gene.contig}"
        raise InputError(path, f"line {line}: end", expected, shown(gene.end))
    check_name(gene.name, path, f"line {line}: gene")


def _twice(path: Path, key: str, name: str) -> InputError:
    return InputError(path, key, f"{name} only once", "a second row with it")


def _read_table(path: Path, schema: Path, read: Callable[[int, Mapping[str, Any]], None]) -> None:
    """Check the rows of a tab-separated table by its schema, and read them.

    Args:
        path: The table.
        schema: The JSON schema of a row.
        read: Takes the 1-based line of a row and its cells by column.

    Raises:
        InputError: The table cannot be read, or a row cannot be used. All such rows are reported.
    """
    rules = load_yaml(schema)
    validator = Draft202012Validator(rules)
    complaints = Complaints()
    for line, text in _split_rows(path, read_lines(path), rules["required"]):
        row = {key: _typed(value, rules["properties"].get(key, {})) for key, value in text.items()}
        with complaints.collected():
            _check_row(row, validator, path, line)
            read(line, row)
    complaints.raise_any()


def _split_rows(
    path: Path, lines: Sequence[str], required: Sequence[str]
) -> list[tuple[int, dict[str, str]]]:
    """Split lines into rows of text with 1-based line numbers; refuse a missing column."""
    reader = csv.DictReader(lines, delimiter="\t", restkey="(extra column)", restval="")
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        key, found = f"line {reader.line_num + 1}", f"an error ({error})"
        raise InputError(path, key, "a tab-separated row", found) from error
    missing = [key for key in required if key not in (reader.fieldnames or [])]
    if missing:
        expected, found = f"a column {missing[0]}, tab-separated", shown(" ".join(lines[:1]))
        raise InputError(path, "line 1", expected, found)
    return rows


def _check_row(
    row: Mapping[str, Any], validator: Draft202012Validator, path: Path, line: int
) -> None:
    """Refuse a row with a number that is not finite, or that violates the schema."""
    for place, expected, found in (*find_not_finite(row), *find_violations(validator, row)):
        raise InputError(path, f"line {line}: {dotted(place)}", expected, found)


def _typed(value: str, rule: Mapping[str, Any]) -> Any:
    """Convert a cell to the type in its schema; a cell that cannot be converted stays text."""
    convert = {"integer": whole_number, "number": number}.get(rule.get("type", ""), str)
    try:
        return convert(value)
    except (TypeError, ValueError):
        return value


def _frequencies(text: str, path: Path, line: int) -> dict[str, float]:
    pairs = (part.split("=") for part in text.split(";") if part)
    frequencies = {}
    for code, value in pairs:
        if code in frequencies:
            expected = f"{code}= only once"
            raise InputError(path, f"line {line}: frequency", expected, shown(text))
        try:
            frequencies[code] = float(value)
        except ValueError:
            frequencies[code] = -1.0
        if not 0 <= frequencies[code] <= 1:
            expected = "a frequency from 0 to 1"
            raise InputError(path, f"line {line}: frequency", expected, shown(value))
    return frequencies


def _carriers(text: str) -> Iterator[tuple[str, str, int]]:
    for part in text.split(";"):
        if part:
            country, demand = part.split(":")
            role, number = demand.split("=")
            yield country, role, int(number)
