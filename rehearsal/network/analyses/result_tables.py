"""Results of steps as tables: a row for each variant, gene, component, pair of people or year."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from rehearsal.analyses.alleles import AlleleList
from rehearsal.analyses.design_matrix import COMPONENTS, covariate_names
from rehearsal.analyses.kaplan_meier import interval_of
from rehearsal.analyses.linear import STATUSES
from rehearsal.analyses.protocol import Arrays
from rehearsal.analyses.rounds import ALGORITHMS, Step

ALLELES = "alleles"
MISSING = "NA"
OF_COMPONENTS = ("eigenvalues", "residuals", "component_means", "component_products")
KIN, SURVIVAL = "kinship", "kaplan_meier"
NOTES = {  # of tables that have a column of this name
    "false_alarms": (
        "false_alarms is the number of pairs of strangers that are expected among the pairs "
        "found, as a normal tail of how the cosines of all pairs spread. If it is not far below "
        "the number of pairs found, a pair proves nothing: take more variants that are independent "
        "of each other, or a longer sketch. In few megabases there are more than it says."
    ),
    "years": (
        "A row counts the people of so many years of life, from year on: under masks more than "
        "were asked for where fewer people than the smallest count fell ill or left. survival is "
        "that after these years. Who leaves in them counts as at risk until their end."
    ),
}
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

    @property
    def note(self) -> str:
        """How to read it. Empty: its columns say all."""
        return " ".join(note for name, note in NOTES.items() if name in self.columns)

    def tsv(self) -> bytes:
        """Write the table as text. Each number reads back as the same number; NA is unknown."""
        texts = [_texts(column) for column in self.columns.values()]
        lines = pc.binary_join_element_wise(*texts, "\t").to_pylist()
        return ("\n".join(["\t".join(self.columns), *lines]) + "\n").encode()

    def json(self) -> bytes:
        """Write the table as a JSON object of columns; null is unknown."""
        columns = {name: _plain(column) for name, column in self.columns.items()}
        return orjson.dumps(columns, option=orjson.OPT_SERIALIZE_NUMPY)


def result_tables(
    steps: Sequence[Step],
    results: Mapping[str, Arrays],
    nodes: Mapping[str, Sequence[str]],
) -> dict[str, Table]:
    """Make tables of the results of steps.

    Args:
        steps: The steps.
        results: Their results by name. A step without results is left out.
        nodes: The codes of the nodes in them, by name of the step.

    Returns:
        Tables by name. The first table of a step has its name: that of its variants, genes,
        covariates, years or pairs of people, else the longest. Others add the name of their first
        column, as in ``components.eigenvalues``.
    """
    tables: dict[str, Table] = {}
    listed = next((results.get(one.name) for one in steps if one.algorithm == ALLELES), None)
    alleles = _alleles(listed) if listed else {}
    for step in steps:
        if step.name in results and step.algorithm != ALLELES:
            arrays = dict(results[step.name])
            first: Mapping[str, NDArray[Any]] = {}
            if step.algorithm in ALGORITHMS:  # of others only their author can name the rows
                first = _first_columns(step, arrays, alleles, nodes.get(step.name, ()))
            _add_tables(tables, step, arrays, first)
    return tables


def _add_tables(
    tables: dict[str, Table], step: Step, arrays: Arrays, first: Mapping[str, NDArray[Any]]
) -> None:
    """Add the tables of one step: arrays of one length are columns of one table."""
    groups: dict[tuple[int | None, bool], dict[str, NDArray[Any]]] = {}
    if first:
        groups[_length(first), False] = dict(first)
    for name, array in arrays.items():
        key = array.shape[0] if array.ndim else None, name in OF_COMPONENTS
        groups.setdefault(key, {}).update(_columns(name, array))
    by_rows = sorted(groups.values(), key=_length, reverse=True)
    for number, columns in enumerate(by_rows if not first else groups.values()):
        more = f".{UNSAFE.sub('_', next(iter(columns)))}" if number else ""
        index = {} if step.algorithm in ALGORITHMS else {"row": np.arange(_length(columns))}
        tables[step.name + more] = Table(step.name, index | columns)


def _first_columns(
    step: Step, arrays: Arrays, alleles: Mapping[str, NDArray[Any]], nodes: Sequence[str]
) -> Mapping[str, NDArray[Any]]:
    """Return the columns that name the rows of a step. Arrays that say no more are taken away."""
    if step.algorithm == "burden":
        genes = [one if isinstance(one, str) else one["name"] for one in step.parameters["genes"]]
        return {"gene": np.array(genes, dtype=object)}
    if step.algorithm == "cox":
        given = len(set(step.parameters["covariates"]) - {COMPONENTS})
        names = covariate_names(step.parameters, arrays["beta"].size - given)
        return {"covariate": np.array(names[1:], dtype=object)}
    if step.algorithm == SURVIVAL:
        return _years(step, arrays)
    if step.algorithm == KIN:
        pairs = np.array(nodes, dtype=object)[arrays.pop("node")]
        return {f"node_{i + 1}": pairs[:, i] for i in range(2)}
    if "chosen" in arrays:
        chosen = arrays.pop("chosen")
        return {name: column[chosen] for name, column in alleles.items()}
    return alleles


def _years(step: Step, arrays: Arrays) -> Mapping[str, NDArray[Any]]:
    """Name the rows of survival curves by group and first year; leave out what is told later."""
    group, cell = np.nonzero(arrays["years"])
    for name, array in arrays.items():
        arrays[name] = array[group, cell]
    return {"group": group, "year": (cell + 1) * interval_of(step.parameters) - arrays["years"]}


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
    flat = array.reshape(array.shape[0], prod(array.shape[1:]))
    return {f"{name}_{i + 1}": flat[:, i] for i in range(flat.shape[1])}


def _plain(column: NDArray[Any]) -> Any:
    return column.tolist() if column.dtype == object else np.ascontiguousarray(column)


def _texts(column: NDArray[Any]) -> pa.Array:
    """Write values as text: of a real number the fewest digits that read back as the same one."""
    values = pa.array(column.astype(str) if column.dtype == object else column, from_pandas=True)
    return pc.fill_null(pc.cast(values, pa.string()), MISSING)
