"""Who is in an export: its people, and their rows of the tables."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from rehearsal.errors import InputError
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
    """(people,) Whether a person is in the export's files of a place.

    ``carriers``: rows of ``truth/planted_carriers.parquet``; ``patients``: of
    ``cohort/patients.parquet``, those whom stories planted; None: there are none. Raises
    InputError for identifiers that nobody has, and where nobody is left.
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
        raise InputError("exports", export.name, f"somebody in {place}; nobody is left")
    return keep


def _wanted_ids(
    export: Export, ids: pd.Series, carriers: pd.DataFrame, patients: pd.DataFrame | None
) -> Collection[str]:
    """Identifiers of those whom the export names, by what they are or one by one."""
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
        raise InputError("exports", key, f"people of this run; {unknown[0]} is nobody")
    return set(export.people)


def select_rows(
    people: pd.DataFrame, tables: Mapping[str, pd.DataFrame]
) -> dict[str, pd.DataFrame]:
    """The tables' rows of these people, in the order of the tables."""
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
    """The export's genotypes of a place on one contig.

    ``trees``: files of blocks of that contig (``{block}.trees``), in order; ``people``,
    ``carriers``, ``patients``: ``cohort/people.parquet``, ``truth/planted_carriers.parquet`` and
    ``cohort/patients.parquet``.
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
    """The export's people of a place, and the planted variants that they carry."""
    everybody, planted, patient_rows = map(pd.read_parquet, (people, carriers, patients))
    keep = select_people(export, place, everybody, planted, patient_rows)
    chosen = everybody[keep].reset_index(drop=True)
    return chosen, select_rows(chosen, {"carriers": planted})["carriers"]


def load_tables(people: pd.DataFrame, files: Iterable[Path | str]) -> dict[str, pd.DataFrame]:
    """The rows of these people in Parquet files, by the files' names without suffix."""
    return select_rows(people, {Path(path).stem: pd.read_parquet(path) for path in files})


def reads_export(export: Export) -> Export:
    """The part of an export that reads are made of: its first people, all in the reads' regions."""
    if export.reads is None:
        raise ValueError(f"the export {export.name} asks for no reads")
    return replace(export, limit=export.reads.people, regions=export.reads.regions, variants=None)


def group_by_contig(trees: Iterable[Path | str]) -> list[list[Path]]:
    """Files of blocks, those of each contig together."""
    found: dict[str, list[Path]] = {}
    for path in map(Path, trees):
        found.setdefault(Block.from_id(path.stem).contig, []).append(path)
    return list(found.values())
