"""A consent record for everybody: on what basis their data are held, and what for.

Shares of a few typical records, drawn at random; nothing about a person makes one likelier.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml

from rehearsal.errors import InputError
from rehearsal.model import Consent
from rehearsal.seeds import derive_seed

COLUMNS = ("individual", "basis", "uses", "withdrawn")
USE = re.compile(r"DUO:\d{7}( MONDO:\d{7})?")
KEYS = {"share", "basis", "uses"}


@dataclass(frozen=True, slots=True)
class Record:
    """A record that a share of the people have. ``uses``: DUO terms."""

    name: str
    share: float
    basis: str
    uses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConsentShares:
    """``withdrawn``: share of everybody who took their consent back."""

    records: tuple[Record, ...]
    withdrawn: float


def read_consent(path: Path) -> ConsentShares:
    """``config/consent.yaml``. Raises InputError for anything that cannot be meant."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise InputError(path, "file", f"readable YAML ({error})") from None
    if not isinstance(content, dict) or set(content) != {"withdrawn", "records"}:
        raise InputError(path, "file", "the keys withdrawn, records")
    withdrawn = _share(path, "withdrawn", content["withdrawn"])
    if not isinstance(content["records"], dict) or not content["records"]:
        raise InputError(path, "records", "a mapping from a name to share, basis and uses")
    records = tuple(_record(path, str(name), given) for name, given in content["records"].items())
    total = sum(one.share for one in records)
    if abs(total - 1) > 1e-9:
        raise InputError(path, "records", f"shares that add up to 1, not {total:g}")
    return ConsentShares(records, withdrawn)


def _record(path: Path, name: str, given: Any) -> Record:
    key = f"records.{name}"
    if not isinstance(given, dict) or set(given) != KEYS:
        raise InputError(path, key, "the keys share, basis, uses")
    basis, uses = given["basis"], given["uses"]
    if not isinstance(basis, str) or not basis:
        raise InputError(path, f"{key}.basis", "a legal basis, as text")
    if not isinstance(uses, list) or not uses:
        raise InputError(path, f"{key}.uses", "a list of DUO terms")
    for use in uses:
        if not isinstance(use, str) or not USE.fullmatch(use):
            raise InputError(path, f"{key}.uses", f"like DUO:0000042, not {use!r}")
    return Record(name, _share(path, f"{key}.share", given["share"]), basis, tuple(uses))


def _share(path: Path, key: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= 1:
        raise InputError(path, key, f"a share from 0 to 1, not {value!r}")
    return float(value)


def draw_consent(
    people: pd.DataFrame,
    shares: ConsentShares,
    seed: int,
    overrides: Mapping[str, Consent] | None = None,
) -> pd.DataFrame:
    """A row a person: ``individual``, ``basis``, ``uses`` (DUO terms joined by ``", "``; that of
    a disease with its MONDO term after it), ``withdrawn`` (bool).

    ``people``: ``id`` and ``country``. Every country has a random stream of its own: another
    country leaves the others' records as they were. ``overrides``: by individual, what stories say.
    """
    parts = []
    weights = np.array([one.share for one in shares.records])
    for country, group in people.groupby("country", sort=False):
        random = np.random.default_rng(derive_seed(seed, "consent", country))
        drawn = random.choice(len(weights), len(group), p=weights / weights.sum())
        parts.append(
            pd.DataFrame(
                {
                    "individual": group["id"].to_numpy(),
                    "basis": [shares.records[i].basis for i in drawn],
                    "uses": [", ".join(shares.records[i].uses) for i in drawn],
                    "withdrawn": random.random(len(group)) < shares.withdrawn,
                }
            )
        )
    table = pd.concat(parts, ignore_index=True)[list(COLUMNS)]
    for individual, consent in (overrides or {}).items():
        row = table["individual"] == individual
        table.loc[row, ["basis", "uses"]] = [consent.basis, ", ".join(consent.uses)]
        table.loc[row, "withdrawn"] = consent.withdrawn
    return table
