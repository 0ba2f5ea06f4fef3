"""Checks that the access settings of a node name only what exists: a typo must not pass in silence.

A veto that names no dataset of the node, or no country, would apply to nobody.
"""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from rehearsal.errors import InputError, shown
from rehearsal.node.access.consent import COVERED_BY, HEADER_NAME, read_purpose
from rehearsal.node.access.settings import CLINICAL_CARE, AccessedNode, Veto
from rehearsal.node.access.visa_rules import COUNTRY_OF
from rehearsal.web.problem import Problem

CONDITIONS = tuple(one.name for one in fields(Veto) if one.name != "name")
COUNTRY = re.compile("[A-Z]{2}")


def check_names(source: Path | str, node: AccessedNode) -> None:
    """Check the datasets, countries and purposes that the access settings name.

    Args:
        source: The file, for error messages.
        node: The settings of the node.

    Raises:
        InputError: Names the key of a name that stands for nothing, or of a veto of everything.
    """
    access = node.access
    for name in access.datasets:
        if name not in node.datasets:
            raise InputError(source, f"access.datasets.{name}", _datasets(node), "an unknown key")
    for i, veto in enumerate(access.vetoes):
        _check_veto(source, f"access.vetoes[{i}]", veto, node)
    for term in access.roles:
        if term not in COVERED_BY:
            raise InputError(source, f"access.roles.{term}", _purposes(), "an unknown key")
    for i, key in enumerate(access.matchmakers):
        _check_matchmaker(source, f"access.matchmakers[{i}].purpose", key.purpose)
    try:
        read_purpose(access.purpose)
    except Problem:
        expected = f"a purpose as in the header {HEADER_NAME}, like DUO:0000006"
        raise InputError(source, "access.purpose", expected, shown(access.purpose)) from None


def _check_matchmaker(source: Path | str, key: str, text: str) -> None:
    """Check the purpose of a key, which is good for matching only."""
    try:
        purpose = read_purpose(text)
    except Problem:
        purpose = None
    if purpose is None or purpose.term != CLINICAL_CARE:
        expected = f"{CLINICAL_CARE} (clinical care), the purpose of patient matching"
        raise InputError(source, key, expected, shown(text))


def _check_veto(source: Path | str, key: str, veto: Veto, node: AccessedNode) -> None:
    given = {name: getattr(veto, name) for name in CONDITIONS}
    if not any(one is not None for one in given.values()):
        expected = f"at least one of the keys {', '.join(CONDITIONS)}"
        raise InputError(source, key, expected, "a name only")
    for name, one in given.items():
        if one == "":
            raise InputError(source, f"{key}.{name}", "a text that is not empty", shown(one))
    if veto.dataset not in (None, *node.datasets):
        raise InputError(source, f"{key}.dataset", _datasets(node), shown(veto.dataset))
    _check_country(source, f"{key}.country", veto.country)
    if veto.purpose not in (None, *COVERED_BY):
        raise InputError(source, f"{key}.purpose", _purposes(), shown(veto.purpose))


def _check_country(source: Path | str, key: str, country: str | None) -> None:
    if country in COUNTRY_OF or (country is not None and not COUNTRY.fullmatch(country)):
        expected = f"a code of ISO 3166 in capital letters, like {COUNTRY_OF.get(country, 'FI')}"
        raise InputError(source, key, expected, shown(country))


def _datasets(node: AccessedNode) -> str:
    return f"one of the node's datasets: {', '.join(node.datasets)}"


def _purposes() -> str:
    return f"one of {', '.join(COVERED_BY)}"
