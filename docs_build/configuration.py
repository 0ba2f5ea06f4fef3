"""The page of every configuration key, from the JSON schemas and the default configuration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from docs_build.markdown import code, number, sentence, table

Schema = Mapping[str, Any]

TYPES = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "object": "mapping",
    "array": "list",
    "null": "null",
}
TABLES = {
    "countries.tsv": ("countries", "One row per country."),
    "variants.tsv": ("variants", "One row per planted variant."),
    "genes.tsv": ("genes", "One row per gene."),
    "transcripts.tsv": ("transcripts", "One row per gene: its main transcript."),
}
INTRODUCTION = """# Configuration

Snakemake reads `config/config.yaml`, which holds every key and its default. Change keys with an
overlay (`--configfile`) or one by one (`--config`). An overlay names only the keys that it changes.
`config/README.md` says how overlays merge, how a run makes exports only or plants nothing, and
what is special on chrX, chrY and chrM.

Every run is checked against the schemas in `workflow/schemas/` before its first job. This page is
made from them.
"""


@dataclass(frozen=True, slots=True)
class Key:
    """One key of the configuration."""

    name: str  # dotted
    rule: Schema  # its part of the JSON schema
    default: str  # Markdown; empty where there is none


def configuration_page(schemas: Path, defaults: Path) -> str:
    """Write the page about the configuration.

    Args:
        schemas: The folder of the JSON schemas.
        defaults: The default configuration, YAML.

    Returns:
        Markdown text.
    """
    schema = yaml.safe_load((schemas / "config.schema.yaml").read_text())
    config = yaml.safe_load(defaults.read_text())
    parts = [INTRODUCTION, "## General\n", _keys_table(_general(schema, config))]
    for name, rule in schema["properties"].items():
        if "properties" in rule:
            parts += [f"## `{name}`\n", rule["description"] + "\n"]
            parts.append(_keys_table(_leaves(rule, config[name], f"{name}.")))
    exports = schema["properties"]["exports"]
    parts += ["## Entries of `exports`\n", exports["description"] + "\n"]
    parts.append(_keys_table(_leaves(exports["items"], None)))
    parts.append("## Tables\n\nTab-separated files with a header line. Every column is required.\n")
    for file, (stem, meaning) in TABLES.items():
        rule = yaml.safe_load((schemas / f"{stem}.schema.yaml").read_text())
        parts += [f"### `config/{file}`\n", meaning + "\n", _columns_table(rule)]
    return "\n".join(parts)


def _general(schema: Schema, config: Mapping[str, Any]) -> Iterator[Key]:
    for name, rule in schema["properties"].items():
        if "properties" not in rule:
            yield Key(name, rule, _default(config, name))


def _leaves(schema: Schema, config: Mapping[str, Any] | None, prefix: str = "") -> Iterator[Key]:
    """The keys below a mapping; ``config`` None: they have no defaults."""
    for name, rule in schema["properties"].items():
        if "properties" in rule:
            below = None if config is None else config[name]
            yield from _leaves(rule, below, f"{prefix}{name}.")
        elif config is None:
            yield Key(prefix + name, rule, "required" if name in schema["required"] else "")
        else:
            yield Key(prefix + name, rule, _default(config, name))


def _default(config: Mapping[str, Any], name: str) -> str:
    return code(config[name]) if name in config else ""


def _keys_table(keys: Iterator[Key]) -> str:
    rows = [
        (
            code(key.name),
            sentence(key.rule["description"]),
            type_in_words(key.rule),
            key.rule.get("x-unit", ""),
            range_in_words(key.rule),
            key.default,
        )
        for key in keys
    ]
    return table(["key", "meaning", "type", "unit", "range", "default"], rows)


def _columns_table(schema: Schema) -> str:
    rows = [
        (
            code(name),
            sentence(rule["description"]),
            type_in_words(rule),
            rule.get("x-unit", ""),
            range_in_words(rule),
        )
        for name, rule in schema["properties"].items()
    ]
    return table(["column", "meaning", "type", "unit", "range"], rows)


def type_in_words(rule: Schema) -> str:
    """Say in words which type a JSON schema allows.

    Args:
        rule: The schema of one value.

    Returns:
        For example ``whole number or null`` or ``list of whole numbers``.
    """
    if "anyOf" in rule:
        return " or ".join(dict.fromkeys(type_in_words(one) for one in rule["anyOf"]))
    if "enum" in rule:
        return "choice"
    names = [rule["type"]] if isinstance(rule["type"], str) else rule["type"]
    words = [TYPES[name] for name in names]
    if rule["type"] == "array" and "type" in rule["items"]:
        return f"list of {_plural(type_in_words(rule['items']))}"
    if rule["type"] == "object" and isinstance(rule.get("additionalProperties"), Mapping):
        return f"mapping to {_plural(type_in_words(rule['additionalProperties']))}"
    return " or ".join(words)


def _plural(words: str) -> str:
    return {"text": "texts", "mapping": "mappings"}.get(words, words + "s")


def range_in_words(rule: Schema) -> str:
    """Say in words which values a JSON schema allows.

    Args:
        rule: The schema of one value.

    Returns:
        For example ``0 to 1`` or ``at least 1``; empty where the type says all.
    """
    for part in ("items", "additionalProperties"):
        if isinstance(rule.get(part), Mapping) and rule[part].get("type") != "object":
            rule = {**rule[part], **{key: rule[key] for key in ("propertyNames",) if key in rule}}
    names = rule.get("propertyNames", {}).get("enum")
    keys = "keys " + ", ".join(map(code, names)) if names else ""
    return "; ".join(part for part in (_limits(rule), keys) if part)


def _limits(rule: Schema) -> str:
    if "anyOf" in rule:
        return " or ".join(part for one in rule["anyOf"] if (part := _limits(one)))
    if "enum" in rule:
        return ", ".join(map(code, rule["enum"]))
    low = f"at least {number(rule['minimum'])}" if "minimum" in rule else ""
    if "exclusiveMinimum" in rule:
        low = f"above {number(rule['exclusiveMinimum'])}"
    if "maximum" not in rule:
        return low
    most = number(rule["maximum"])
    if "minimum" in rule:
        return f"{number(rule['minimum'])} to {most}"
    return f"{low}, at most {most}".removeprefix(", ")
