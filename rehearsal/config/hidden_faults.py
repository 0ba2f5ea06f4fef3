"""Faults of a configuration that others hide: they are found once those are taken back."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

from rehearsal.errors import Complaints, InputError

# what an export has of another key
PARTS_OF_EXPORTS = {"stories": "story", "regions": "regions", "countries": "countries"}


def add_hidden_faults(
    config: Mapping[str, Any],
    table: str,
    complaints: Complaints,
    check: Callable[[Mapping[str, Any]], object],
) -> None:
    """Check a configuration again with its faulty choices taken back, while there are new ones.

    What refers to a choice that was taken back is not complained of.

    Args:
        config: The merged configuration.
        table: The table of countries, of which all are then chosen.
        complaints: What was found; what is found beside it is added.
        check: Reads and checks a configuration; raises InputError.
    """
    choices: dict[str, Any] = {"countries": table, "regions": None, "exports": [], "stories": None}
    taken_back: set[str] = set()
    while new := _faulty_keys(complaints) & set(choices) - taken_back:
        taken_back |= new
        more, known = Complaints(), {str(error) for error in complaints.errors}
        with more.collected():
            check({**config, **{key: choices[key] for key in taken_back}})
        others = [one for one in more.errors if str(one) not in known]
        complaints.errors += [one for one in others if not _refers_to(one, taken_back)]


def _faulty_keys(complaints: Complaints) -> set[str]:
    """Return the keys of the configuration that complaints are about."""
    return {re.split(r"[.:\[]", error.key)[0] for error in complaints.errors}


def _refers_to(error: InputError, taken_back: Collection[str]) -> bool:
    """Whether an error is about what an export has of a key that was taken back."""
    parts = re.split(r"[.:\[\]]+", error.key)
    return parts[0] == "exports" and any(PARTS_OF_EXPORTS.get(key) in parts for key in taken_back)
