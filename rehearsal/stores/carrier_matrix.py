"""All genotypes of a variant store, in batches of matrices: for analyses, which read everything."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from rehearsal.errors import mismatch, shown
from rehearsal.stores.carrier_lists import BITS, LONG, SHORT

_NUMBERS = {SHORT: "<u2", LONG: "<u4"}  # by form


def carrier_matrix(lists: Sequence[bytes], people: int) -> NDArray[np.bool_]:
    """Decode lists of people as :mod:`rehearsal.stores.carrier_lists` describes them.

    Args:
        lists: The bytes of each list.
        people: Number of people of the store.

    Returns:
        Who is in which list, shape (n_lists, n_people).

    Raises:
        ValueError: A list is not in a form of the store.
    """
    matrix = np.zeros((len(lists), people), dtype=np.bool_)
    forms = np.fromiter((one[0] if one else 0 for one in lists), dtype=np.uint8, count=len(lists))
    known = np.isin(forms, (0, BITS, *_NUMBERS))
    if not known.all():
        found = shown(int(forms[~known][0]))
        raise ValueError(mismatch("list of carriers", "a first byte from 1 to 3", found))
    for form, number in _NUMBERS.items():
        where = np.flatnonzero(forms == form)
        bodies = [lists[row][1:] for row in where.tolist()]
        members = np.frombuffer(b"".join(bodies), dtype=np.dtype(number))
        sizes = np.array([len(body) // members.itemsize for body in bodies], dtype=np.int64)
        matrix[np.repeat(where, sizes), members] = True
    rows = np.flatnonzero(forms == BITS).tolist()
    width = (people + 7) // 8
    bits = np.frombuffer(b"".join(lists[row][1:].ljust(width, b"\0") for row in rows), np.uint8)
    cells = np.unpackbits(bits.reshape(len(rows), width), axis=1, count=people, bitorder="little")
    matrix[rows] = cells.view(np.bool_)
    return matrix


class AlleleRow(NamedTuple):
    """An alternate allele, and lists of its people that are not decoded yet."""

    start: int  # 0-based
    ref: str
    alt: str
    svlen: int  # of a structural variant, else 0
    carriers: bytes
    homozygotes: bytes


_ROWS = """SELECT start, ref, alt, svlen, carriers, homozygotes FROM variants WHERE contig = ?
ORDER BY start, ref, alt, svlen"""
_CARRIERS = "SELECT carriers FROM variants WHERE contig = ?"
_EFFECTS = """SELECT DISTINCT start, ref, alt, gene, label FROM effects WHERE contig = ?
ORDER BY start, ref, alt, gene, label"""


class AlleleReader:
    """Reads a variant store that its node has opened and checked, in another process.

    Args:
        path: The store.
    """

    def __init__(self, path: Path) -> None:
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            found = connection.execute("SELECT number, name FROM contigs ORDER BY number")
            self._contigs = {name: number for number, name in found}
            self.sexes = [
                sex for (sex,) in connection.execute("SELECT sex FROM individuals ORDER BY number")
            ]
        self._uri = uri

    @property
    def contigs(self) -> list[str]:
        """Names of the contigs, in order."""
        return list(self._contigs)

    def rows(self, contig: str, most: int) -> Iterator[list[AlleleRow]]:
        """Iterate over the alleles of a contig.

        Args:
            contig: Name of the contig.
            most: Most rows of a batch.

        Yields:
            Rows ordered by (start, ref, alt, length).
        """
        with closing(sqlite3.connect(self._uri, uri=True)) as connection:
            rows = connection.execute(_ROWS, (self._contigs[contig],))
            while batch := rows.fetchmany(most):
                yield list(map(AlleleRow._make, batch))

    def carriers(self, contig: str, most: int) -> Iterator[list[bytes]]:
        """Iterate over the lists of carriers of a contig's alleles, in any order.

        Args:
            contig: Name of the contig.
            most: Most lists of a batch.

        Yields:
            Lists that are not decoded.
        """
        with closing(sqlite3.connect(self._uri, uri=True)) as connection:
            lists = connection.execute(_CARRIERS, (self._contigs[contig],))
            while batch := lists.fetchmany(most):
                yield [one for (one,) in batch]

    def effects(self, contig: str) -> dict[tuple[int, str, str], tuple[list[str], list[str]]]:
        """List what the alleles of a contig change.

        Args:
            contig: Name of the contig.

        Returns:
            By start (0-based), REF and ALT: genes, and for each the label of the consequence.
        """
        found: dict[tuple[int, str, str], tuple[list[str], list[str]]] = {}
        with closing(sqlite3.connect(self._uri, uri=True)) as connection:
            for *allele, gene, label in connection.execute(_EFFECTS, (self._contigs[contig],)):
                genes, labels = found.setdefault((allele[0], allele[1], allele[2]), ([], []))
                genes.append(gene)
                labels.append(label)
        return found
