"""The people of an export, and their rows of the tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rehearsal.errors import InputError, shown
from rehearsal.export.genotypes import Genotypes
from rehearsal.export.settings import POOLED, Export
from rehearsal.model import Block


def select_people(
    export: Export,
    place: str,
    people: pd.DataFrame,
    carriers: pd.DataFrame,
    patients: pd.DataFrame | None = None,
) -> NDArray[np.bool_]:
    """Mark the people that the files of one place hold.

    Args:
        export: The export.
        place: A country code, or ``pooled``.
        people: Rows of ``people.parquet``.
        carriers: Rows of ``truth/planted_carriers.parquet``.
        patients: Rows of ``cohort/patients.parquet``, the patients that stories planted. None if
            there are none.

    Returns:
        Whether each person is in the files, shape (people,).

    Raises:
        InputError: An identifier is not in the cohort, or no one is left.
    """
    countries = export.countries if place == POOLED else (place,)
    keep = people["country"].isin(countries).to_numpy(copy=True)
    if export.people != "all":
        wanted = _wanted_ids(export, people["id"], carriers, patients)
        keep &= people["id"].isin(wanted).to_numpy()
    if export.limit is not None:
        kept = people["country"].where(keep)
        keep &= (kept.groupby(kept).cumcount() < export.limit).to_numpy()
    if not keep.any():
        expected = f"at least one person in {place}"
        raise InputError("exports", export.name, expected, "no one who fits its settings")
    return keep


def _wanted_ids(
    export: Export, ids: pd.Series, carriers: pd.DataFrame, patients: pd.DataFrame | None
) -> Collection[str]:
    """Return the identifiers of the people that the export asks for, by group or by name."""
    if export.people == "carriers":
        meant = {(one.gene, one.name) for one in export.planted}
        pairs = zip(carriers["gene"], carriers["name"], strict=True)
        rows = np.array([pair in meant for pair in pairs], bool)
        return set(carriers["individual"][rows])
    if export.people == "patients":
        table = pd.DataFrame(columns=["story", "individual"]) if patients is None else patients
        of_story = table["story"] == export.story
        return set(table["individual"] if export.story is None else table["individual"][of_story])
    unknown = sorted(set(export.people) - set(ids))
    if unknown:
        key = f"{export.name}: people"
        raise InputError("exports", key, "identifiers of people of this run", shown(unknown[0]))
    return set(export.people)


def select_rows(
    people: pd.DataFrame, tables: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """Return the rows of these people, in the order of each table.

    Args:
        people: One row per person, with ``id``.
        tables: Tables with a column ``individual``, by name.
    """
    ids = set(people["id"])
    return {
        name: table[table["individual"].isin(ids)].reset_index(drop=True)
        for name, table in tables.items()
    }


def load_genotypes(
    export: Export,
    place: str,
    trees: Sequence[Path | str],
    people: Path | str,
    carriers: Path | str,
    patients: Path | str,
) -> Genotypes:
    """Load the export's genotypes of a place on one contig.

    Args:
        export: The export.
        place: A country code, or ``pooled``.
        trees: Files of blocks of one contig (``{block}.trees``), in order.
        people: ``cohort/people.parquet``.
        carriers: ``truth/planted_carriers.parquet``.
        patients: ``cohort/patients.parquet``.
    """
    everybody = pd.read_parquet(people)
    marked = map(pd.read_parquet, (carriers, patients))
    keep = select_people(export, place, everybody, *marked)
    files = [Path(path) for path in trees]
    contig = Block.from_id(files[0].stem).contig
    return Genotypes.of(files, contig, everybody, keep, export.regions, export.variants)


def load_people(
    export: Export, place: str, people: Path | str, carriers: Path | str, patients: Path | str
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Load the export's people of a place and the planted variants that they carry.

    Args:
        export: The export.
        place: A country code, or ``pooled``.
        people: ``cohort/people.parquet``.
        carriers: ``truth/planted_carriers.parquet``.
        patients: ``cohort/patients.parquet``.

    Returns:
        The people, and their rows of ``planted_carriers``.
    """
    everybody, planted, patient_rows = map(pd.read_parquet, (people, carriers, patients))
    keep = select_people(export, place, everybody, planted, patient_rows)
    chosen = everybody[keep].reset_index(drop=True)
    return chosen, select_rows(chosen, {"carriers": planted})["carriers"]


def load_tables(people: pd.DataFrame, files: Iterable[Path | str]) -> dict[str, pd.DataFrame]:
    """Load the rows of these people from Parquet files.

    Args:
        people: One row per person, with ``id``.
        files: Parquet files with a column ``individual``.

    Returns:
        The tables by their files' names without suffix.
    """
    return select_rows(people, {Path(path).stem: pd.read_parquet(path) for path in files})


def group_by_contig(trees: Iterable[Path | str]) -> list[list[Path]]:
    """Group files of blocks by contig.

    Args:
        trees: Files named ``{block}.trees``.
    """
    found: dict[str, list[Path]] = {}
    for path in map(Path, trees):
        found.setdefault(Block.from_id(path.stem).contig, []).append(path)
    return list(found.values())
