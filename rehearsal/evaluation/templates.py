"""Reads the templates of the query suite, ``config/queries.yaml``."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from rehearsal.errors import InputError, shown
from rehearsal.model import TIERS, Granularity
from rehearsal.yaml_files import load_yaml

KINDS = (
    *("allele_frequency", "presence", "count", "range", "gene"),
    *("individuals", "carriers", "absent", "ill_formed"),
)
FREQUENCIES = ("singleton", "rare", "common")
SHAPES = ("snv", "indel", "structural")
FILTERS = ("sex", "disease", "phenotype", "phenotype_parent")
PURPOSE = "DUO:0000006"  # health research, unless a template says otherwise
PURPOSE_FORM = re.compile(r"DUO:[0-9]{7}(?: MONDO:[0-9]{7})?")
COMMON = {"name", "kind", "draw"}
ASKED = {"tier", "purpose"}  # optional keys of every template
DRAWN = COMMON | {"number", "granularity"}
SITE = {"frequency", "shape"}
# the keys of each draw rule: (required, optional)
RULES: dict[str, tuple[set[str], set[str]]] = {
    "site": (DRAWN, SITE | {"method"}),
    "planted": (DRAWN, {"method"}),
    "interval": (DRAWN | {"length"}, SITE | {"method", "inside", "typed", "sized"}),
    "bracket": (DRAWN | {"length"}, SITE | {"method"}),
    "gene": (DRAWN, {"method", "type", "effect"}),
    "people": (DRAWN | {"filters"}, {"method"}),
    "carriers": (DRAWN, SITE | {"filters", "method"}),
    "empty_position": (DRAWN, {"method"}),
    "wrong_allele": (DRAWN, SITE | {"method"}),
    "somatic": (DRAWN, {"method"}),
    "requests": (COMMON | {"requests"}, set()),
}
REQUEST_KEYS = {
    *("name", "why", "entry_type", "parameters", "filters", "granularity", "pagination", "method"),
}
CHOICES: dict[str, tuple[str, ...]] = {
    "kind": KINDS,
    "granularity": get_args(Granularity),
    "frequency": FREQUENCIES,
    "shape": SHAPES,
    "method": ("GET", "POST"),
    "tier": TIERS,
}


@dataclass(frozen=True, slots=True)
class QueryTemplate:
    """One kind of query and how it is drawn; see ``config/queries.yaml``."""

    name: str
    kind: str
    draw: str
    number: int = 0
    granularity: str = "count"
    frequency: str | None = None
    shape: str | None = None
    length: int = 0
    inside: bool = False
    typed: bool = False
    sized: bool = False
    type: str | None = None
    effect: str | None = None
    filters: tuple[str, ...] = ()
    method: Literal["GET", "POST"] = "POST"
    tier: str = "controlled"
    purpose: str | None = PURPOSE
    requests: tuple[dict[str, Any], ...] = ()

    @property
    def entry_type(self) -> str:
        """``individuals`` for queries about people, ``g_variants`` otherwise."""
        return "individuals" if self.kind in ("individuals", "carriers") else "g_variants"


def read_templates(path: Path) -> list[QueryTemplate]:
    """Read the templates in the order of the file.

    Args:
        path: A YAML file in the form of ``config/queries.yaml``.

    Raises:
        InputError: The file cannot be read, or a key or value is not allowed.
    """
    given = _read_list(path)
    templates = [_template(path, index, item) for index, item in enumerate(given)]
    names = [template.name for template in templates]
    for index, name in enumerate(names):
        if name in names[:index]:
            expected = "a name that no other template has"
            raise InputError(path, f"templates[{index}].name", expected, f"{shown(name)} again")
    return templates


def _read_list(path: Path) -> list[Any]:
    """Read the list ``templates`` of a file, without checking its items."""
    content = load_yaml(path, "YAML with a list templates")
    given = content.get("templates") if isinstance(content, dict) else None
    if not isinstance(given, list) or not given:
        found = "nothing" if given is None else shown(given)
        raise InputError(path, "templates", "a list of at least one template", found)
    return given


def _template(path: Path, index: int, given: Any) -> QueryTemplate:
    """Check one item of the list and turn it into a template."""
    key = f"templates[{index}]"
    if not isinstance(given, dict) or not isinstance(given.get("name"), str):
        raise InputError(path, key, "a mapping with a name", shown(given))
    key = f"{key} ({given['name']})"
    _check_keys(path, key, given)
    _check_values(path, key, given)
    listed = {name: tuple(given[name]) for name in ("filters", "requests") if name in given}
    return QueryTemplate(**{**given, **listed})


def _check_keys(path: Path, key: str, given: dict[str, Any]) -> None:
    """Check that a template has a draw rule, the keys that the rule needs, and no unknown keys."""
    rule = given.get("draw")
    if not isinstance(rule, str) or rule not in RULES:
        found = shown(rule) if "draw" in given else "nothing"
        raise InputError(path, f"{key}.draw", f"one of {', '.join(RULES)}", found)
    required, optional = RULES[rule][0], RULES[rule][1] | ASKED
    for name in sorted(required - given.keys()):
        raise InputError(path, f"{key}.{name}", f"a value (draw: {rule} needs it)", "nothing")
    for name in sorted(given.keys() - required - optional, key=str):
        known = ", ".join(sorted(required | optional))
        raise InputError(path, key, f"only the keys {known} for draw: {rule}", shown(name))


def _check_values(path: Path, key: str, given: dict[str, Any]) -> None:
    """Check the values of a template's keys, then each of its requests."""
    for name, value in given.items():
        if fault := _fault(name, value):
            raise InputError(path, f"{key}.{name}", fault, shown(value))
    for number, request in enumerate(given.get("requests", ())):
        if not _is_request(request):
            keys = ", ".join(sorted(REQUEST_KEYS - {"name", "why"}))
            expected = f"a mapping with name and why, and optionally {keys}"
            raise InputError(path, f"{key}.requests[{number}]", expected, shown(request))


def _fault(name: str, value: Any) -> str | None:
    """Return what is allowed for a key's value, or None if the value is allowed."""
    if name in CHOICES:
        return None if value in CHOICES[name] else f"one of {', '.join(CHOICES[name])}"
    if name not in VALUES:
        return None
    is_right, expected = VALUES[name]
    return None if is_right(value) else expected


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _are_filters(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(item in FILTERS for item in value)


def _is_purpose(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, str) and PURPOSE_FORM.fullmatch(value) is not None


def _is_effect(value: Any) -> bool:
    return isinstance(value, str) and re.fullmatch("SO:[0-9]{7}", value) is not None


def _is_request(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("name"), str)
        and isinstance(value.get("why"), str)
        and value.keys() <= REQUEST_KEYS
    )


# other keys: a check of the value, and what is allowed
VALUES: dict[str, tuple[Callable[[Any], bool], str]] = {
    **dict.fromkeys(("number", "length"), (_is_whole, "a whole number of at least 1")),
    "purpose": (
        _is_purpose,
        "a DUO term like DUO:0000006, optionally followed by a MONDO term, or null",
    ),
    **dict.fromkeys(
        ("inside", "typed", "sized"), (lambda value: isinstance(value, bool), "true or false")
    ),
    "effect": (_is_effect, "a term of the Sequence Ontology like SO:0001583"),
    "type": (lambda value: isinstance(value, str) and bool(value), "a type of variant, as DEL"),
    "filters": (_are_filters, f"a list with some of {', '.join(FILTERS)}"),
    "requests": (lambda value: isinstance(value, list) and bool(value), "a list of requests"),
}
