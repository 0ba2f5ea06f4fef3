"""What a user edits, read and checked before any work starts. Every complaint is one line."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from rehearsal.export.settings import Export, read_exports
from rehearsal.genomes.assembly import ASSEMBLY, CONTIG_LENGTHS, read_masks
from rehearsal.genomes.blocks import plan_blocks
from rehearsal.model import Block, Country, Gene, InputError, Patient, PlantedVariant, Variant
from rehearsal.network.registry import NodeEntry, read_foreign_nodes
from rehearsal.node.drug_genes import read_drug_rules
from rehearsal.phenotypes.consent import read_consent
from rehearsal.phenotypes.traits import read_traits
from rehearsal.stories.reference_checks import RunReferences
from rehearsal.stories.story_reader import read_stories
from rehearsal.stories.story_types import Story

TYPE_NAMES = {
    "boolean": "true or false (True or False on the command line)",
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
}


@dataclass(frozen=True, slots=True)
class Inputs:
    """The checked inputs of a run that decide which jobs there are."""

    countries: list[Country]
    numbers: dict[str, int]  # people by country code
    planted: list[PlantedVariant]
    genes: list[Gene]
    blocks: list[Block]
    foreign: list[NodeEntry]  # nodes of others, in the place of ours
    scored: list[str]  # polygenic diseases: each gets a scoring file
    stories: list[Story]
    exports: dict[str, Export]  # by name

    @property
    def patients(self) -> list[Patient]:
        """Those whom stories put into the cohort."""
        return [patient for story in self.stories for patient in story.patients]


def read_inputs(config: Mapping[str, Any], sources: Sequence[Path], schemas: Path) -> Inputs:
    """The checked inputs that a merged configuration names.

    ``sources`` are the configuration files in the order they were merged, used to name the
    one that holds a faulty key; ``schemas`` is the folder with the JSON schemas. Raises
    InputError.
    """
    check_config(config, sources, schemas / "config.schema.yaml")
    countries = read_countries(Path(config["countries"]), schemas / "countries.schema.yaml")
    codes = [country.code for country in countries]
    planted = read_planted(Path(config["variants"]), schemas / "variants.schema.yaml", codes)
    genes = read_genes(Path(config["genes"]), schemas / "genes.schema.yaml")
    genome = config["genome"]
    masks = read_masks(Path(genome["masks"])) if genome["masks"] else []
    blocks = plan_blocks(
        genome["regions"],
        planted,
        genome["planted_window"],
        genome["block_size"],
        masks,
        source=source_of(["genome", "regions"], sources),
    )
    if not blocks:
        raise InputError(source_of(["genome"], sources), "genome.regions", "expected a region")
    nodes = config["network"]["nodes"]
    foreign = read_foreign_nodes(Path(nodes), codes) if nodes else []
    read_consent(Path(config["consent"]))
    read_drug_rules(Path(config["drug_genes"]))
    traits = read_traits(Path(config["traits"]))
    scored = [disease.name for disease in traits.diseases if disease.genetics is not None]
    numbers = people_numbers(config, countries, sources)
    stories = read_stories(stories_folder(config), RunReferences(codes, planted, genes, traits))
    exports = read_exports(
        config["exports"],
        source_of(["exports"], sources),
        codes,
        planted,
        blocks,
        [story.name for story in stories],
    )
    return Inputs(countries, numbers, planted, genes, blocks, foreign, scored, stories, exports)


def stories_folder(config: Mapping[str, Any]) -> Path | None:
    """The folder of stories; None: none are played."""
    return Path(config["stories"]) if config["stories"] else None


def check_config(config: Mapping[str, Any], sources: Sequence[Path], schema: Path) -> None:
    """Raise InputError for the first thing in the configuration that the schema forbids."""
    _forbid_false_countries(config, sources)
    for path, number in _not_finite(config):
        found = f"expected a finite number, found {number}"
        raise InputError(source_of(path, sources), _dotted(path), found)
    validator = Draft202012Validator(yaml.safe_load(schema.read_text()))
    error = best_match(validator.iter_errors(config))
    if error is not None:
        path = [*error.absolute_path, *_unexpected_keys(error)]
        raise InputError(source_of(path, sources), _dotted(path), explain(error))


def people_numbers(
    config: Mapping[str, Any], countries: Sequence[Country], sources: Sequence[Path]
) -> dict[str, int]:
    """How many people each country gets. Raises InputError for a country that is not there."""
    cohort, codes = config["cohort"], [country.code for country in countries]
    named = {"cohort.people": list(cohort["people"]), "network.asker": [config["network"]["asker"]]}
    for key, wanted in named.items():
        for code in wanted:
            if code not in codes:
                raise InputError(
                    source_of(key.split("."), sources),
                    key,
                    f"{code} is not a country of {config['countries']}; expected one of "
                    + " ".join(codes),
                )
    if cohort["total"] is None:
        numbers = dict.fromkeys(codes, cohort["people_per_country"])
    else:
        floor = cohort["minimum_per_country"]
        if cohort["total"] < floor * len(codes):
            raise InputError(
                source_of(["cohort", "total"], sources),
                "cohort.total",
                f"expected at least {floor * len(codes)}, minimum_per_country in each country",
            )
        numbers = share_by_census(countries, cohort["total"], floor)
    return numbers | cohort["people"]


def share_by_census(countries: Sequence[Country], total: int, floor: int) -> dict[str, int]:
    """``total`` people in proportion to the census, no country below ``floor``.

    Countries whose share falls below the floor get it; the others share the rest, rounded by
    the largest remainder, so that the numbers add up to ``total``.
    """
    census = {country.code: country.census_millions for country in countries}
    small: set[str] = set()
    while True:
        people = total - floor * len(small)
        weight = sum(census[code] for code in census if code not in small)
        shares = {c: census[c] * people / weight for c in census if c not in small}
        below = {code for code, share in shares.items() if share < floor}
        if not below:
            break
        small |= below
    numbers = {code: floor if code in small else int(shares[code]) for code in census}
    by_remainder = sorted(shares, key=lambda code: shares[code] - int(shares[code]), reverse=True)
    for code in by_remainder[: total - sum(numbers.values())]:
        numbers[code] += 1
    return numbers


def read_countries(path: Path, schema: Path) -> list[Country]:
    """The countries in the order of the table. Raises InputError."""
    countries = []
    for line, row in _read_table(path, schema):
        country = Country(**{field.name: row[field.name] for field in fields(Country)})
        if any(country.code == other.code for other in countries):
            raise InputError(path, f"line {line}: code", f"{country.code} stands there twice")
        countries.append(country)
    if not countries:
        raise InputError(path, "code", "expected at least one country")
    return countries


def read_planted(path: Path, schema: Path, codes: Sequence[str]) -> list[PlantedVariant]:
    """The planted variants of a table, their positions made 0-based. Raises InputError."""
    planted = []
    for line, row in _read_table(path, schema):
        frequency = _frequencies(row["frequency"], path, line)
        carriers = tuple(_carriers(row["carriers"]))
        for code in [*frequency, *(country for country, _, _ in carriers)]:
            if code != "*" and code not in codes:
                raise InputError(path, f"line {line}", f"{code} is not a country of this run")
        if frequency and carriers:
            raise InputError(path, f"line {line}: carriers", "expected frequency or carriers")
        variant = Variant(row["contig"], row["position"] - 1, row["ref"], row["alt"])
        if variant.ref == variant.alt:
            raise InputError(path, f"line {line}: alt", "expected another allele than ref")
        if variant in [other.variant for other in planted]:
            raise InputError(path, f"line {line}: position", f"{variant} stands there twice")
        planted.append(
            PlantedVariant(
                variant,
                row["gene"],
                row["name"],
                row["inheritance"],
                row["story"],
                frequency,
                row["minimum_per_country"],
                carriers,
            )
        )
    return planted


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


def explain(error: ValidationError) -> str:
    """A schema violation in words: what was expected, what was there, and YAML's usual traps."""
    value, rule = error.instance, error.validator_value
    if error.validator == "type":
        names = [rule] if isinstance(rule, str) else rule
        wanted = " or ".join(TYPE_NAMES[name] for name in names)
        text = f"expected {wanted}, found {value!r}"
        return text + _number_hint(value, names)
    if error.validator == "required":
        missing = [key for key in rule if key not in value]
        return f"expected the key {missing[0]}"
    if error.validator == "additionalProperties":
        known = " ".join(error.schema.get("properties", {}))
        return f"is not a key here; expected one of {known}"
    if error.validator == "anyOf" and "description" in error.schema:
        return f"expected {error.schema['description']}; found {value!r}"
    limits = {
        "minimum": "at least",
        "exclusiveMinimum": "more than",
        "maximum": "at most",
        "minItems": "this many entries or more:",
        "enum": "one of",
        "pattern": "text that matches",
    }
    if error.validator in limits:
        return f"expected {limits[error.validator]} {rule}, found {value!r}"
    return error.message


def _number_hint(value: object, names: Sequence[str]) -> str:
    if isinstance(value, str) and {"number", "integer"} & set(names):
        try:
            float(value)
        except ValueError:
            return ""
        return " as text (YAML reads a number like 1.0e-8 only with a point and a signed exponent)"
    return ""


def _forbid_false_countries(config: Mapping[str, Any], sources: Sequence[Path]) -> None:
    """YAML 1.1 reads an unquoted NO as false: say so instead of 'False is not text'."""
    people = (config.get("cohort") or {}).get("people") or {}
    asker = (config.get("network") or {}).get("asker")
    for key, found in (
        ("cohort.people", isinstance(people, Mapping) and False in people),
        ("network.asker", asker is False),
    ):
        if found:
            raise InputError(
                source_of(key.split("."), sources),
                key,
                "expected a country code, found false: "
                'YAML reads an unquoted NO as false, write "NO"',
            )


def _not_finite(value: object) -> Iterator[tuple[list[object], float]]:
    """Where numbers are infinite or none at all: a schema's limits let ``nan`` pass."""
    if isinstance(value, float) and not math.isfinite(value):
        yield [], value
    elif isinstance(value, Mapping | list):
        items = value.items() if isinstance(value, Mapping) else enumerate(value)
        for key, part in items:
            for path, number in _not_finite(part):
                yield [key, *path], number


def _unexpected_keys(error: ValidationError) -> list[str]:
    if error.validator != "additionalProperties":
        return []
    known = error.schema.get("properties", {})
    return [str(key) for key in error.instance if key not in known][:1]


def _dotted(path: Sequence[object]) -> str:
    return ".".join(str(part) for part in path) or "(top level)"


def source_of(path: Sequence[object], sources: Sequence[Path]) -> str:
    """The last configuration file that sets the key, for it won the merge."""
    for source in reversed(sources):
        part: Any = yaml.safe_load(Path(source).read_text())
        for step in path:
            try:
                part = part[step]
            except (KeyError, IndexError, TypeError):
                break
        else:
            return str(source)
    return str(sources[0]) if sources else "config"


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
        for (column,), number in _not_finite(row):
            found = f"expected a finite number, found {number}"
            raise InputError(path, f"line {reader.line_num}: {column}", found)
        error = best_match(validator.iter_errors(row))
        if error is not None:
            key = _dotted([*error.absolute_path, *_unexpected_keys(error)])
            raise InputError(path, f"line {reader.line_num}: {key}", explain(error))
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
