"""The data that an algorithm sees at a node: permitted people, their genotypes and variables.

The folder has ``people.parquet`` (one row per person), ``genotypes.pgen`` and ``.pvar`` with
biallelic records (PGEN is read by pgenlib), and ``view.json``. Positions in the PVAR are 1-based;
they are 0-based here.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
import pgenlib
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pv
import pyarrow.parquet as pq
from numpy.typing import NDArray

from rehearsal.analyses.protocol import AnalysisError, Array
from rehearsal.errors import cause, shown

MISSING = -9  # a genotype without a call, as pgenlib has it
CELLS = 1 << 20  # genotypes in memory at once: a block and its copies stay in the cache
PVAR_COLUMNS = ("#CHROM", "POS", "REF", "ALT")

Genotypes = NDArray[np.int8]


class View:
    """One node's people and variants. Files are read when they are first asked for.

    Args:
        folder: The folder of the view.

    Attributes:
        folder: The folder of the view.

    Raises:
        AnalysisError: A file of the view cannot be used.
    """

    def __init__(self, folder: Path | str) -> None:
        self.folder = Path(folder)
        self._remembered: dict[str, tuple[bytes, Array]] = {}
        try:
            self.about = json.loads((self.folder / "view.json").read_text())
            self._people = pq.read_table(self.folder / "people.parquet")
        except (OSError, ValueError, pa.ArrowException) as error:
            raise self._error(
                "view.json, people.parquet", "readable files", cause(error)
            ) from error

    @property
    def n_people(self) -> int:
        """Number of people."""
        return int(self._people.num_rows)

    def variable(self, name: str) -> Array:
        """Return a variable of all people: numbers with NaN where unknown, or texts.

        Args:
            name: The name of a column.

        Returns:
            Shape (n_people,): float64 for numbers and truth values, else texts.

        Raises:
            AnalysisError: The node lacks the variable.
        """
        if name not in self._people.column_names:
            columns = ", ".join(self._people.column_names)
            raise AnalysisError("no_variable", self.folder, "people.parquet", name, columns)
        column = self._people[name]
        if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
            return np.array(column.to_pylist(), dtype=object)
        numbers = pc.cast(column, pa.float64()).to_numpy(zero_copy_only=False)
        return np.asarray(numbers, dtype=np.float64)

    @cached_property
    def variants(self) -> pa.Table:
        """The variants: columns contig, position (0-based), ref, alt, and INFO if it is there."""
        path = self.folder / "genotypes.pvar"
        try:
            text = _without_comments(path.read_bytes())
            table = pv.read_csv(
                pa.BufferReader(text),
                parse_options=pv.ParseOptions(delimiter="\t", quote_char=False),
                convert_options=pv.ConvertOptions(
                    column_types={name: pa.string() for name in ("#CHROM", "REF", "ALT", "INFO")}
                    | {"POS": pa.int64()},
                    strings_can_be_null=False,
                ),
            )
            contig, position, ref, alt = (table[name] for name in PVAR_COLUMNS)
        except (OSError, KeyError, pa.ArrowException) as error:
            raise self._error(path.name, "a PVAR", cause(error)) from error
        if pc.any(pc.match_substring(alt, ",")).as_py():
            raise self._error(path.name, "one record for each alternate allele", "several in one")
        columns = {"contig": contig, "position": pc.subtract(position, 1), "ref": ref, "alt": alt}
        return pa.table(columns | ({"INFO": table["INFO"]} if "INFO" in table.column_names else {}))

    @property
    def n_variants(self) -> int:
        """Number of variants."""
        return int(self.variants.num_rows)

    @cached_property
    def everyone(self) -> NDArray[np.uint32]:
        """The rows of all people, shape (n_people,)."""
        return np.arange(self.n_people, dtype=np.uint32)

    def counts(self, people: NDArray[np.uint32]) -> NDArray[np.uint32]:
        """Count genotypes among some people.

        Args:
            people: Rows of people, ascending, at least one.

        Returns:
            Shape (n_variants, 4): people with 0, 1 and 2 alternate alleles, and without a call.
        """
        found = np.zeros((self.n_variants, 4), dtype=np.uint32)
        if self.n_variants:
            with self._reader(people) as reader:
                for row in range(self.n_variants):  # half a microsecond each
                    reader.count(row, found[row])
        return found

    @cached_property
    def counts_of_everyone(self) -> NDArray[np.uint32]:
        """:meth:`counts` of all people."""
        return self.counts(self.everyone)

    def blocks(
        self, rows: NDArray[np.int64], people: NDArray[np.uint32], cells: int = CELLS
    ) -> Iterator[tuple[slice, Genotypes]]:
        """Read genotypes in blocks of variants.

        Args:
            rows: Rows of variants, any order, shape (n_rows,).
            people: Rows of people, ascending, at least one.
            cells: The largest number of genotypes in a block.

        Yields:
            A slice of ``rows``, and the genotypes of it, shape (n_block, n_people): alternate
            alleles 0, 1 or 2, or :data:`MISSING`. The array is used again for the next block.
        """
        if rows.size == 0:
            return
        most = max(1, cells // people.size)
        buffer = np.empty((min(most, rows.size), people.size), dtype=np.int8)
        with self._reader(people) as reader:
            for first in range(0, rows.size, most):
                chosen = rows[first : first + most]
                block = buffer[: chosen.size]
                reader.read_list(chosen.astype(np.uint32), block)
                yield slice(first, first + chosen.size), block

    def remembered(self, name: str, causes: Iterable[Array], compute: Callable[[], Array]) -> Array:
        """Compute an array once for all rounds in which its causes are the same.

        Args:
            name: What the array is.
            causes: The arrays that it is computed from, beside the view.
            compute: Computes it.
        """
        digest = sha256()
        for one in causes:
            digest.update(np.ascontiguousarray(one).tobytes())
        if name not in self._remembered or self._remembered[name][0] != digest.digest():
            self._remembered[name] = digest.digest(), compute()
        return self._remembered[name][1]

    def _reader(self, people: NDArray[np.uint32]) -> pgenlib.PgenReader:
        path = self.folder / "genotypes.pgen"
        try:
            return pgenlib.PgenReader(
                str(path).encode(),
                raw_sample_ct=self.n_people,
                variant_ct=self.n_variants,
                sample_subset=None if people.size == self.n_people else people,
            )
        except (OSError, RuntimeError) as error:
            expected = f"a PGEN of {self.n_people} people and {self.n_variants} variants"
            raise self._error(path.name, expected, "another file, or none") from error

    def _error(self, key: str, expected: str, found: str) -> AnalysisError:
        return AnalysisError("bad_view", self.folder, key, expected, shown(found))


def _without_comments(text: bytes) -> bytes:
    """Cut the lines of a PVAR that begin with two hashes."""
    start = 0
    while text.startswith(b"##", start):
        start = text.index(b"\n", start) + 1
    return text[start:]
