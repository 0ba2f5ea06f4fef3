"""The indicators of maturity: ``config/maturity.yaml``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rehearsal.errors import shown
from rehearsal.phenotypes.yaml_reader import Entry, read_yaml
from rehearsal.policy.node_checks import CHECKS

NONE, PART = "none", "part"
EVIDENCE = ("level", "levels", "shows", "checks")  # keys of an assessable indicator
LEVELS = 5
INDICATORS = 49  # of the Maturity Level Model


@dataclass(frozen=True, slots=True)
class Indicator:
    """An indicator, and what a run can say of it."""

    key: str
    domain: str  # the domain's name
    name: str
    reason: str  # why a run can say something of it, or nothing
    level: int | None = None  # whose technical half the checks speak to; None: a run says nothing
    checks: tuple[str, ...] = ()  # keys of ``node_checks.CHECKS``
    levels: tuple[str, ...] = ()  # what the five levels mean, the lowest first
    shows: str = ""  # what a run can show of ``level``

    @property
    def assessable(self) -> bool:
        """Whether a run can say something of it."""
        return bool(self.checks)


def read_indicators(path: Path) -> list[Indicator]:
    """Read the indicators.

    Args:
        path: The file of indicators, YAML.

    Returns:
        The indicators in the order of the file.

    Raises:
        InputError: Names the file, the key, what was expected and what was found; for example an
            indicator that is assessable and names no check, or an unknown check.
    """
    domains = read_yaml(path)
    found = [one for entry in domains.children().values() for one in _read_domain(entry)]
    for number, one in enumerate(found):
        if one.key in [earlier.key for earlier in found[:number]]:
            raise domains.error("an indicator once", f"a second one with the key {one.key}")
    if not found:
        raise domains.error("at least one domain with indicators")
    if len(found) < INDICATORS:
        expected = f"all {INDICATORS} indicators, also those that a run cannot assess"
        raise domains.error(expected, shown(len(found)))
    return found


def _read_domain(entry: Entry) -> Iterator[Indicator]:
    part = entry.fields(["name", "indicators"])
    for key, indicator in part["indicators"].children().items():
        yield _read_indicator(str(key), part["name"].text(), indicator)


def _read_indicator(key: str, domain: str, entry: Entry) -> Indicator:
    part = entry.fields(["name", "assessable", "reason"], EVIDENCE)
    named = key, domain, part["name"].text(), part["reason"].text()
    if part["assessable"].choice(NONE, PART) == NONE:
        for extra in EVIDENCE:
            if extra in part:
                raise part[extra].error(f"no {extra}, because assessable is {NONE}")
        return Indicator(*named)
    entry.fields(["name", "assessable", "reason", *EVIDENCE])
    checks = [check.choice(*CHECKS) for check in part["checks"].items()]
    if not checks or len(set(checks)) < len(checks):
        raise part["checks"].error("at least one check, each once")
    levels = tuple(one.text() for one in part["levels"].items())
    if len(levels) != LEVELS:
        raise part["levels"].error(f"{LEVELS} levels, the lowest first", shown(len(levels)))
    level = part["level"].whole_number(1, LEVELS)
    return Indicator(*named, level, tuple(checks), levels, part["shows"].text())
