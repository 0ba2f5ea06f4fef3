"""The tables that a user edits: countries, planted variants, genes."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator

from rehearsal.config.schema import dotted, find_not_finite, find_violations, one_by_place
from rehearsal.errors import Complaints, InputError, shown
from rehearsal.formats.tables import not_a_row, number, read_lines, whole_number
from rehearsal.genomes.allele_names import is_normal
from rehearsal.genomes.assembly import ASSEMBLY, CONTIG_LENGTHS, pseudo_autosomal
from rehearsal.genomes.transcripts import check_name
from rehearsal.model import Country, Gene, PlantedVariant, Variant
from rehearsal.yaml_files import load_yaml

Row = Mapping[str, Any]  # cells by column
Checks = Sequence[tuple[tuple[str, ...], Callable[[Row], None]]]  # by the columns that they read


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
    countries = [
        Country(**{field.name: row[field.name] for field in fields(Country)})
        for row in _read_table(path, schema, [(("code",), _OnceOnly("code"))])
    ]
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
    alleles = ("contig", "position", "ref", "alt")
    checks: Checks = [
        (("frequency",), lambda row: _check_codes(row, "frequency", _frequencies(row), codes)),
        (("carriers",), lambda row: _check_codes(row, "carriers", _carrying(row), codes)),
        (("frequency", "carriers"), _check_one_of_both),
        (("ref", "alt"), _check_alleles),
        (("contig", "position", "ref"), _check_position),
        (("contig", "position", "inheritance"), _check_inheritance),
        (("gene",), _check_gene_name),
        (alleles, _OnceOnly("position", lambda row: str(_variant(row)))),
    ]
    return [_planted_variant(row) for row in _read_table(path, schema, checks)]


def _planted_variant(row: Row) -> PlantedVariant:
    return PlantedVariant(
        _variant(row),
        row["gene"],
        row["name"],
        row["inheritance"],
        row["story"],
        _frequencies(row),
        row["minimum_per_country"],
        tuple(_carriers(row)),
    )


def _variant(row: Row) -> Variant:
    return Variant(row["contig"], row["position"] - 1, row["ref"], row["alt"])


def _check_codes(row: Row, column: str, named: Iterable[str], codes: Sequence[str]) -> None:
    """Refuse frequencies or carriers of a country that the run does not have."""
    for code in named:
        if code not in ("*", *codes):
            raise _wrong(column, f"a country of this run ({', '.join(codes)})", shown(code))


def _check_one_of_both(row: Row) -> None:
    if row["frequency"] and row["carriers"]:
        expected = "nothing, because the row has a frequency"
        raise _wrong("carriers", expected, shown(row["carriers"]))


def _check_alleles(row: Row) -> None:
    if row["ref"] == row["alt"]:
        raise _wrong("alt", "an allele that differs from ref", shown(row["alt"]))
    if not is_normal(row["ref"], row["alt"]):
        expected = "ref and alt left-aligned, without bases that both need not have"
        raise _wrong("alt", expected, f"{row['ref']} and {row['alt']}")


def _check_position(row: Row) -> None:
    """Refuse a variant that is not within a contig."""
    length = _length_of(row["contig"])
    if row["position"] - 1 + len(row["ref"]) > length:
        expected = f"at most {length}, the length of {row['contig']}, with all of REF"
        raise _wrong("position", expected, shown(row["position"]))


def _check_inheritance(row: Row) -> None:
    """Refuse an X-linked variant elsewhere."""
    contig = row["contig"]
    region = pseudo_autosomal(contig, row["position"] - 1) if contig in CONTIG_LENGTHS else None
    if row["inheritance"] == "X-linked" and (contig != "chrX" or region):
        where = f"in {region} of {contig}, which everybody has twice" if region else contig
        raise _wrong("contig", "a variant on chrX, because its inheritance is X-linked", where)


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
    checks: Checks = [
        (("start", "end"), _check_order),
        (("contig", "end"), _check_end),
        (("gene",), _check_gene_name),
        (("gene",), _OnceOnly("gene")),
    ]
    return [
        Gene(
            row["gene"],
            *(row["contig"], row["start"], row["end"], row["strand"]),
            tuple(row.get("identifiers", "").split()),
        )
        for row in _read_table(path, schema, checks)
    ]


def _check_order(row: Row) -> None:
    if row["end"] <= row["start"]:
        raise _wrong("end", f"a number above start ({row['start']})", shown(row["end"]))


def _check_end(row: Row) -> None:
    length = _length_of(row["contig"])
    if row["end"] > length:
        expected = f"at most {length}, the length of {row['contig']}"
        raise _wrong("end", expected, shown(row["end"]))


def _length_of(contig: str) -> int:
    length = CONTIG_LENGTHS.get(contig)
    if length is None:
        raise _wrong("contig", f"a contig of {ASSEMBLY}", shown(contig))
    return length


def _check_gene_name(row: Row) -> None:
    check_name(row["gene"], "", "gene")


class _OnceOnly:
    """A check that no earlier row has the same.

    Args:
        column: The column that an error names.
        told: Says what must differ; None: the column.
    """

    def __init__(self, column: str, told: Callable[[Row], str] | None = None) -> None:
        self._column, self._told = column, told or (lambda row: str(row[column]))
        self._seen: set[str] = set()

    def __call__(self, row: Row) -> None:
        told = self._told(row)
        if told in self._seen:
            raise _wrong(self._column, f"{told} only once", "a second row with it")
        self._seen.add(told)


def _wrong(column: str, expected: str, found: str) -> InputError:
    """Build the error of a cell; the table and the line are added where it is caught."""
    return InputError("", column, expected, found)


def _read_table(path: Path, schema: Path, checks: Checks) -> list[Row]:
    """Read a tab-separated table, and check its rows by their schema and more.

    Args:
        path: The table.
        schema: The JSON schema of a row.
        checks: Checks of rows, by the columns that they read; with a fault in one of these, a check
            is left out. Their errors name only the column.

    Returns:
        The cells of each row by column.

    Raises:
        InputError: The table cannot be read, or rows cannot be used. All that is wrong with them is
            reported.
    """
    rules = load_yaml(schema)
    validator = Draft202012Validator(rules)
    complaints = Complaints()
    rows: list[Row] = []
    for line, text in _split_rows(path, read_lines(path), rules["required"]):
        row = {key: _typed(value, rules["properties"].get(key, {})) for key, value in text.items()}
        for error in _faults(row, validator, checks):
            complaints.errors.append(error.moved(path, f"line {line}: {error.key}"))
        rows.append(row)
    complaints.raise_any()
    return rows


def _split_rows(
    path: Path, lines: Sequence[str], required: Sequence[str]
) -> list[tuple[int, dict[str, str]]]:
    """Split lines into rows of text with 1-based line numbers; refuse a missing column."""
    reader = csv.DictReader(lines, delimiter="\t", restkey="(extra column)", restval="")
    try:
        rows = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        raise not_a_row(path, reader.line_num + 1, error) from None
    missing = [key for key in required if key not in (reader.fieldnames or [])]
    if missing:
        expected, found = f"a column {missing[0]}, tab-separated", shown(" ".join(lines[:1]))
        raise InputError(path, "line 1", expected, found)
    return rows


def _faults(row: Row, validator: Draft202012Validator, checks: Checks) -> list[InputError]:
    """Find what is wrong with a row."""
    complaints, faulty = Complaints(), set()
    for place, expected, found in one_by_place(
        *find_not_finite(row), *find_violations(validator, row)
    ):
        faulty.add(place[0])
        complaints.errors.append(_wrong(dotted(place), expected, found))
    for columns, check in checks:
        if not faulty.intersection(columns):
            with complaints.collected():
                check(row)
    return complaints.errors


def _typed(value: str, rule: Mapping[str, Any]) -> Any:
    """Convert a cell to the type in its schema; a cell that cannot be converted stays text."""
    convert = {"integer": whole_number, "number": number}.get(rule.get("type", ""), str)
    try:
        return convert(value)
    except (TypeError, ValueError):
        return value


def _frequencies(row: Row) -> dict[str, float]:
    frequencies = {}
    for part in filter(None, row["frequency"].split(";")):
        code, value = part.split("=")
        if code in frequencies:
            raise _wrong("frequency", f"{code}= only once", shown(row["frequency"]))
        try:
            frequencies[code] = float(value)
        except ValueError:
            frequencies[code] = -1.0
        if not 0 <= frequencies[code] <= 1:
            raise _wrong("frequency", "a frequency from 0 to 1", shown(value))
    return frequencies


def _carrying(row: Row) -> list[str]:
    return [country for country, _, _ in _carriers(row)]


def _carriers(row: Row) -> Iterator[tuple[str, str, int]]:
    for part in filter(None, row["carriers"].split(";")):
        country, demand = part.split(":")
        role, number = demand.split("=")
        yield country, role, int(number)
