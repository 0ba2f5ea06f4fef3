"""Results of steps as tables: a row for each variant, gene or component."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rehearsal.analyses.alleles import AlleleList
from rehearsal.analyses.linear import STATUSES
from rehearsal.analyses.protocol import Arrays
from rehearsal.analyses.rounds import Step

ALLELES = "alleles"
MISSING = "NA"
OF_COMPONENTS = ("eigenvalues", "residuals", "component_means", "component_products")
UNSAFE = re.compile("[^A-Za-z0-9_.-]")  # characters that no name of a table has


@dataclass(frozen=True)
class Table:
    """A table of results."""

    step: str
    columns: Mapping[str, NDArray[Any]]  # by name, all of one length

    @property
    def rows(self) -> int:
        """Number of rows."""
        return int(next(iter(self.columns.values())).size)

    def tsv(self) -> bytes:
        """Write the table as text. Each number reads back as the same number; NA is unknown."""
        texts = [_texts(column) for column in self.columns.values()]
        lines = pc.binary_join_element_wise(*texts, "\t").to_pylist()
        return ("\n".join(["\t".join(self.columns), *lines]) + "\n").encode()

    def json(self) -> bytes:
        """Write the table as a JSON object of columns; null is unknown."""
        columns = {name: _plain(column) for name, column in self.columns.items()}
        return orjson.dumps(columns, option=orjson.OPT_SERIALIZE_NUMPY)


def result_tables(steps: Sequence[Step], results: Mapping[str, Arrays]) -> dict[str, Table]:
    """Make tables of the results of steps.

    Args:
        steps: The steps.
        results: Their results by name. A step without results is left out.

    Returns:
        Tables by name. The first table of a step has its name: that of its variants or genes, else
        the longest. Others add the name of their first column, as in ``components.eigenvalues``.
    """
    tables: dict[str, Table] = {}
    listed = next((results.get(one.name) for one in steps if one.algorithm == ALLELES), None)
    alleles = _alleles(listed) if listed else {}
    for step in steps:
        if step.name in results and step.algorithm != ALLELES:
            _add_tables(tables, step, results[step.name], alleles)
    return tables


def _add_tables(
    tables: dict[str, Table], step: Step, arrays: Arrays, alleles: Mapping[str, NDArray[Any]]
) -> None:
    """Add the tables of one step: arrays of one length are columns of one table."""
    arrays, first = dict(arrays), _first_columns(step, arrays, alleles)
    arrays.pop("chosen", None)
    groups: dict[tuple[int | None, bool], dict[str, NDArray[Any]]] = {}
    if first:
        groups[_length(first), False] = dict(first)
    for name, array in arrays.items():
        key = array.shape[0] if array.ndim else None, name in OF_COMPONENTS
        groups.setdefault(key, {}).update(_columns(name, array))
    by_rows = sorted(groups.values(), key=_length, reverse=True)
    for number, columns in enumerate(by_rows if not first else groups.values()):
        more = f".{UNSAFE.sub('_', next(iter(columns)))}" if number else ""
        tables[step.name + more] = Table(step.name, columns)


def _first_columns(
    step: Step, arrays: Arrays, alleles: Mapping[str, NDArray[Any]]
) -> Mapping[str, NDArray[Any]]:
    """Return the columns that name the rows of a step: its genes or its variants."""
    if step.algorithm == "burden":
        genes = [one if isinstance(one, str) else one["name"] for one in step.parameters["genes"]]
        return {"gene": np.array(genes, dtype=object)}
    if "chosen" in arrays:
        return {name: column[arrays["chosen"]] for name, column in alleles.items()}
    return alleles


def _alleles(arrays: Arrays) -> dict[str, NDArray[Any]]:
    """Return contig, position (1-based, as in VCF), ref and alt of the joint list."""
    table = AlleleList.of(arrays).table()
    return {**table, "position": table["position"].astype(np.int64) + 1}


def _length(columns: Mapping[str, NDArray[Any]]) -> int:
    return int(next(iter(columns.values())).size)


def _columns(name: str, array: NDArray[Any]) -> dict[str, NDArray[Any]]:
    """Return the columns of an array: one, or one for each place on its further axes."""
    if name == "status":
        return {name: np.array(STATUSES, dtype=object)[array]}
    if array.ndim <= 1:
        return {name: array.reshape(-1)}
    flat = array.reshape(array.shape[0], -1)
    return {f"{name}_{i + 1}": flat[:, i] for i in range(flat.shape[1])}


def _plain(column: NDArray[Any]) -> Any:
    return column.tolist() if column.dtype == object else np.ascontiguousarray(column)


def _texts(column: NDArray[Any]) -> pa.Array:
    """Write values as text: of a real number the fewest digits that read back as the same one."""
    values = pa.array(column.astype(str) if column.dtype == object else column, from_pandas=True)
    return pc.fill_null(pc.cast(values, pa.string()), MISSING)
