"""The people to measure: unrelated people of every country, and pairs of known relationship."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rehearsal.seeds import derive_seed

Rows = NDArray[np.int64]

LARGEST_SHARE = 30  # people per country; more add little precision at quadratic cost
LEAST_SHARE = 10  # people per country, even if another country has fewer
MOST_PAIRS = 100  # per kind of relationship

UNRELATED = "unrelated"
# Kinds of pair and their expected kinship: half the share of the genome that is identical.
KINSHIP = {
    "parent and child": 1 / 4,
    "full siblings": 1 / 4,
    "half-siblings": 1 / 8,
    "first cousins": 1 / 16,
    UNRELATED: 0.0,
}


@dataclass(frozen=True)
class MeasuredPeople:
    """The people to measure, the same in every block. People are rows of ``people.parquet``.

    ``members`` are founders, about equally many per country, sorted by row. ``country`` is each
    member's index into ``codes``. ``founders`` are all founders in random order: its first n are a
    random sample for any n. ``pairs`` has the columns ``kind``, ``first`` and ``second``.
    """

    codes: tuple[str, ...]
    members: Rows
    country: Rows
    founders: Rows
    pairs: pd.DataFrame


def choose_panel(
    people: pd.DataFrame, seed: int, largest_share: int = LARGEST_SHARE
) -> MeasuredPeople:
    """Choose the panel of a cohort.

    Founders are people without parents in the cohort, so no two of them are related. Only those
    whose genome is of their country's population are measured. Each country
    gives as many as the smallest country has, or ``LEAST_SHARE`` if it has them, and at most
    ``largest_share``. Groups of unequal size would bend principal components towards the largest.

    Args:
        people: ``people.parquet``.
        seed: Root seed.
        largest_share: Largest number of people per country.
    """
    rng = np.random.default_rng(derive_seed(seed, "realism"))
    codes = tuple(people["country"].unique())
    own = people["population"] == people["country"]  # not a migrant, nor of another ancestry
    founder = np.flatnonzero(people["father"].isna() & people["mother"].isna() & own)
    founders = rng.permutation(founder)
    country = pd.Categorical(people["country"], categories=codes).codes.astype(np.int64)
    smallest = np.bincount(country[founder], minlength=len(codes)).min(initial=largest_share)
    share = min(largest_share, max(smallest, LEAST_SHARE))
    rank = pd.Series(founders).groupby(country[founders]).cumcount().to_numpy()
    members = np.sort(founders[rank < share])
    pairs = [related_pairs(people), _unrelated_pairs(members, country[members])]
    return MeasuredPeople(
        codes=codes,
        members=members,
        country=country[members],
        founders=founders,
        pairs=_at_most(pd.concat(pairs, ignore_index=True), MOST_PAIRS, rng),
    )


def related_pairs(people: pd.DataFrame) -> pd.DataFrame:
    """Find all pairs of the kinds in ``KINSHIP`` in the pedigree.

    Args:
        people: ``people.parquet``.

    Returns:
        ``kind``, and the rows ``first`` and ``second``.
    """
    index = pd.Index(people["id"])
    outbred = people["inbreeding"] == 0  # children of relatives are closer kin than the kinds say
    child = np.flatnonzero(people["father"].notna() & people["mother"].notna() & outbred)
    born = pd.DataFrame(
        {
            "row": child,
            "father": index.get_indexer(people["father"].iloc[child]),
            "mother": index.get_indexer(people["mother"].iloc[child]),
        }
    )
    full = _pairs_that_share(born, ["father", "mother"])
    half = pd.concat([_pairs_that_share(born, [one]) for one in ("father", "mother")])
    half = half.drop_duplicates()
    half = half.merge(full, how="left", indicator=True).query("_merge == 'left_only'")
    parents = [born.rename(columns={one: "parent"}) for one in ("father", "mother")]
    parents = pd.concat(part[["row", "parent"]] for part in parents)
    kinds = {
        "parent and child": parents.rename(columns={"parent": "first", "row": "second"}),
        "full siblings": full,
        "half-siblings": half,
        "first cousins": _children_of(full, parents),
    }
    tables = [table[["first", "second"]].assign(kind=kind) for kind, table in kinds.items()]
    columns = ["kind", "first", "second"]
    return pd.concat(tables)[columns].sort_values(columns).reset_index(drop=True)


def _pairs_that_share(born: pd.DataFrame, parents: list[str]) -> pd.DataFrame:
    both = born[["row", *parents]].merge(born[["row", *parents]], on=parents)
    both = both.rename(columns={"row_x": "first", "row_y": "second"})
    return both.loc[both["first"] < both["second"], ["first", "second"]]


def _children_of(siblings: pd.DataFrame, parents: pd.DataFrame) -> pd.DataFrame:
    """Return the pairs whose parents are pairs of ``siblings``."""
    first = siblings.merge(parents, left_on="first", right_on="parent")
    both = first.merge(parents, left_on="second", right_on="parent", suffixes=("_x", "_y"))
    pair = np.sort(both[["row_x", "row_y"]].to_numpy(), axis=1)
    return pd.DataFrame(pair, columns=["first", "second"]).drop_duplicates()


def _unrelated_pairs(members: Rows, country: Rows) -> pd.DataFrame:
    """Pair neighbours in the panel from the same country, each person at most once."""
    first, second = members[0:-1:2], members[1::2]
    same = country[0:-1:2] == country[1::2]
    return pd.DataFrame({"kind": UNRELATED, "first": first[same], "second": second[same]})


def _at_most(pairs: pd.DataFrame, number: int, rng: np.random.Generator) -> pd.DataFrame:
    """Keep at most ``number`` random pairs of each kind, in their order."""
    shuffled = rng.permutation(len(pairs))
    rank = pairs.iloc[shuffled].groupby("kind").cumcount().to_numpy()
    return pairs.iloc[np.sort(shuffled[rank < number])].reset_index(drop=True)
