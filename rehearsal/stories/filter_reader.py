"""Reads Beacon filters from stories."""

from __future__ import annotations

from typing import Any

from rehearsal.phenotypes.yaml_reader import Entry
from rehearsal.stories.reference_checks import RunReferences

OPERATORS = ("=", "<", "<=", ">", ">=")


def read_filters(entry: Entry | None, references: RunReferences) -> list[dict[str, Any]]:
    """Read terms and comparisons, and return them in the form of a Beacon request.

    Args:
        entry: A list of terms (``NCIT:C16576``, or ``id`` with a ``label`` for readers) and
            comparisons (``id``, ``operator``, ``value``). None gives no filters.
        references: What stories may refer to.
    """
    return [_filter(item, references) for item in entry.items()] if entry is not None else []


def _filter(item: Entry, references: RunReferences) -> dict[str, Any]:
    if not isinstance(item.value, dict):
        return {"id": references.term(item)}
    part = item.fields(("id",), ("operator", "value", "label"))
    if "operator" not in part and "value" not in part:
        return {"id": references.term(part["id"])}
    part = item.fields(("id", "operator", "value"), ("label",))
    return {
        "id": references.number_field(part["id"]),
        "operator": part["operator"].choice(*OPERATORS),
        "value": f"{part['value'].number():g}",
    }
