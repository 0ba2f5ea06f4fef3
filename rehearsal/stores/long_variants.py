"""Find long variants that reach into a range, without reading everything that begins before it.

A variant that begins far before a range may still overlap it. Long variants are therefore listed a
second time, by contig, size class and start. Class k has the variants that affect at least
2^(k - 1) and fewer than 2^k bases behind their REF. In each class, only starts within 2^k bases
before the range are read: about half of them or more reach it, so the work follows the answer's
size. A store without structural variants has an empty list.
"""

from __future__ import annotations

from collections.abc import Iterable

SCHEMA = """
CREATE TABLE long_classes (contig, class INTEGER, PRIMARY KEY (contig, class)) WITHOUT ROWID;
CREATE TABLE long_variants (
    contig, class INTEGER, start INTEGER, ref TEXT, alt TEXT, svlen INTEGER,
    PRIMARY KEY (contig, class, start, ref, alt, svlen)
) WITHOUT ROWID;
"""
INSERT_CLASSES = "INSERT INTO long_classes SELECT DISTINCT contig, class FROM long_variants"
INSERT = "INSERT INTO long_variants VALUES (?, ?, ?, ?, ?, ?)"


def long_rows(rows: Iterable[tuple]) -> list[tuple]:
    """List the long ones of some variants.

    Args:
        rows: Tuples that begin with contig, start, REF, ALT, length and reach (bases of the
            reference that the variant affects behind REF).

    Returns:
        Rows of the table ``long_variants``.
    """
    return [(row[0], row[5].bit_length(), *row[1:5]) for row in rows if row[5]]


def long_variants_before(table: str, columns: str) -> str:
    """Write the SQL that finds long variants which begin before a range and reach into it.

    Args:
        table: A table of variants with the columns contig, start, ref, alt, svlen and reach.
        columns: The columns to select, each with the prefix ``v.``.

    Returns:
        SQL with three parameters: the contig, the first start that another search finds, and the
        range's first base. The rows are ordered by start, REF and ALT.
    """
    return f"""SELECT {columns} FROM long_classes c
    CROSS JOIN long_variants l ON l.contig = c.contig AND l.class = c.class
        AND l.start >= ?2 - (1 << c.class) AND l.start < ?2
    CROSS JOIN {table} v ON v.contig = l.contig AND v.start = l.start AND v.ref = l.ref
        AND v.alt = l.alt AND v.svlen = l.svlen
    WHERE c.contig = ?1 AND v.start + length(v.ref) + v.reach > ?3
    ORDER BY v.start, v.ref, v.alt, v.svlen"""
