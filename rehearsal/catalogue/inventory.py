"""The inventory of others' synthetic genomic datasets: ``config/synthetic_datasets.yaml``."""

from __future__ import annotations

import datetime
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rehearsal.phenotypes.yaml_reader import Entry, read_yaml

PUBLIC, REQUEST = "public", "request"
REQUIRED = ("title", "publisher", "address", "synthetic", "content", "access", "sources")
KEY, MOST_PEOPLE = re.compile("[a-z][a-z0-9_-]*"), 10_000_000_000  # a key is part of an address
OPTIONAL = ("identifier", "people", "licence", "from_memory")
FACTS = tuple(key for key in (*REQUIRED, *OPTIONAL) if key not in ("sources", "from_memory"))
ADDRESS = r"https://[^\s<>\"{}|^`\\]+"


@dataclass(frozen=True, slots=True)
class Source:
    """Where facts were read."""

    address: str
    read: datetime.date


@dataclass(frozen=True, slots=True)
class OthersDataset:
    """A synthetic dataset that somebody else publishes. What is None was not established."""

    key: str
    title: str
    publisher: str
    address: str
    synthetic: str  # which part is made up
    content: str
    access: str  # PUBLIC or REQUEST
    sources: tuple[Source, ...]
    identifier: str | None = None
    people: int | None = None
    licence: str | None = None  # an address, or a name
    from_memory: tuple[str, ...] = ()  # the facts that nobody has looked up


def read_inventory(path: Path) -> list[OthersDataset]:
    """Read the inventory.

    Args:
        path: The file, YAML.

    Returns:
        The datasets in the order of the file.

    Raises:
        InputError: Names the file, the key, what was expected and what was found; for example a
            dataset without a source.
    """
    return [_read_dataset(str(key), entry) for key, entry in read_yaml(path).children().items()]


def _read_dataset(key: str, entry: Entry) -> OthersDataset:
    if not KEY.fullmatch(key):
        raise entry.error("a key of lower-case letters, digits, _ and - with a letter first")
    part = entry.fields(REQUIRED, OPTIONAL)
    sources = [_read_source(one) for one in part["sources"].items()]
    if not sources:
        raise part["sources"].error("at least one source")
    marked = part["from_memory"].items() if "from_memory" in part else []
    return OthersDataset(
        key=key,
        address=part["address"].text(ADDRESS, "https://example.org/data"),
        access=part["access"].choice(PUBLIC, REQUEST),
        people=part["people"].whole_number(1, MOST_PEOPLE) if "people" in part else None,
        sources=tuple(sources),
        from_memory=tuple(one.choice(*FACTS) for one in marked),
        **{name: part[name].text() for name in ("title", "publisher", "synthetic", "content")},
        **{name: part[name].text() for name in ("identifier", "licence") if name in part},
    )


def _read_source(entry: Entry) -> Source:
    part = entry.fields(["address", "read"])
    read = part["read"].value
    if not isinstance(read, datetime.date) or isinstance(read, datetime.datetime):
        raise part["read"].error("a date such as 2026-12-01")
    return Source(part["address"].text(ADDRESS, "https://example.org/page"), read)


def plain_inventory(datasets: list[OthersDataset]) -> list[dict[str, Any]]:
    """Write the inventory as plain JSON values, for the summary.

    Args:
        datasets: The datasets.
    """
    rows = [asdict(one) for one in datasets]
    for row in rows:
        row["sources"] = [
            {"address": one["address"], "read": one["read"].isoformat()} for one in row["sources"]
        ]
    return rows
