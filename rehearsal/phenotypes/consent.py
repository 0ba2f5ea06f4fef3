"""Draw a consent record for everybody: the legal basis of their data, and permitted uses.

Records are drawn at random from a few typical ones with given shares. Nothing about a person makes
one record more likely than another.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from rehearsal.model import Consent
from rehearsal.phenotypes.yaml_reader import Entry, read_yaml
from rehearsal.seeds import derive_seed

COLUMNS = ("individual", "basis", "uses", "withdrawn")
USE = re.compile(r"DUO:\d{7}( MONDO:\d{7})?")


@dataclass(frozen=True, slots=True)
class Record:
    """A consent record that a share of the people have."""

    name: str
    share: float  # of the people, 0 to 1
    basis: str  # legal basis, an article of the GDPR
    uses: tuple[str, ...]  # DUO terms


@dataclass(frozen=True, slots=True)
class ConsentShares:
    """The consent records of a cohort with their shares."""

    records: tuple[Record, ...]  # their shares add up to 1
    withdrawn: float  # share of people who withdrew their consent


def read_consent(path: Path) -> ConsentShares:
    """Read ``config/consent.yaml``.

    Args:
        path: The file.

    Returns:
        The records and their shares.

    Raises:
        InputError: Names the file, the key, what was expected and what was found.
    """
    part = read_yaml(path).fields(["withdrawn", "records"])
    withdrawn = part["withdrawn"].number(0, 1)
    given = part["records"].children()
    if not given:
        raise part["records"].error("at least one record, by name, with share, basis and uses")
    records = tuple(_record(str(name), entry) for name, entry in given.items())
    total = sum(one.share for one in records)
    if abs(total - 1) > 1e-9:
        raise part["records"].error("shares that add up to 1", f"a sum of {total:g}")
    return ConsentShares(records, withdrawn)


def _record(name: str, entry: Entry) -> Record:
    part = entry.fields(["share", "basis", "uses"])
    uses = part["uses"].items()
    if not uses:
        raise part["uses"].error("at least one DUO term")
    example = "DUO:0000042 or DUO:0000007 MONDO:0007254"
    return Record(
        name=name,
        share=part["share"].number(0, 1),
        basis=part["basis"].text(),
        uses=tuple(use.text(USE.pattern, example) for use in uses),
    )


def draw_consent(
    people: pd.DataFrame,
    shares: ConsentShares,
    seed: int,
    overrides: Mapping[str, Consent] | None = None,
) -> pd.DataFrame:
    """Draw the consent records of all people.

    Every country has random draws of its own, so adding a country does not change the others'
    records.

    Args:
        people: One row per person with ``id`` and ``country``.
        shares: The records and their shares.
        seed: The run's root seed.
        overrides: Consent that stories give, by individual.

    Returns:
        One row per person: ``individual``, ``basis``, ``uses`` (DUO terms joined by ``", "``, a use
        for one disease followed by its MONDO term) and ``withdrawn`` (bool).
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
