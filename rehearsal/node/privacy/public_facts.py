"""The public facts of a node: all that protected answers may use without paying.

One file lists them. In a rehearsal, "elsewhere" is the panel: the people of all other countries who
permit any use of their data, as if their frequencies had been published. A node with real data
takes a public catalogue. Nothing in the file depends on the node's own people, except for their
rounded number, which changes only with a data release, and the identifier of that release, which is
shown to nobody.

    meta       key, value: format, release, people (rounded), women and men elsewhere, people with
               tumours elsewhere, the share from which alleles are listed
    contigs    name, length, longest_ref and longest_shift (of the listed alleles, bases)
    alleles    contig, start (0-based), ref, alt, svlen, reach and shift (as in a variant store),
               women and men elsewhere who carry it
    long_...   long alleles again (:mod:`rehearsal.stores.long_variants`)
    terms      id, label, kind, women and men elsewhere who have it, or it or a more specific one
    consents   uses, withdrawn, share of people who were expected to have this consent record
    samples    kind, people elsewhere who have such a sample
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

from rehearsal.errors import InputError, shown
from rehearsal.stores import long_variants
from rehearsal.stores.people_store import Term
from rehearsal.stores.store_checksum import check_complete, verify_checksum

PUBLIC_FACTS_FILE = "public_facts.sqlite"
FORMAT = "rehearsal public facts 2"
MOST_ALLELES = 1_000  # listed alleles that are looked at for one question
ROUNDING = 10  # step of the public number of people
SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE contigs (name TEXT PRIMARY KEY, length INTEGER NOT NULL, longest_ref INTEGER NOT NULL,
                      longest_shift INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE alleles (contig TEXT, start INTEGER, ref TEXT, alt TEXT, svlen INTEGER,
                      reach INTEGER NOT NULL, shift INTEGER NOT NULL,
                      women INTEGER NOT NULL, men INTEGER NOT NULL,
                      PRIMARY KEY (contig, start, ref, alt, svlen)) WITHOUT ROWID;
{long_variants.SCHEMA}
CREATE TABLE terms (id TEXT PRIMARY KEY, label TEXT NOT NULL, kind TEXT NOT NULL,
                    women INTEGER NOT NULL, men INTEGER NOT NULL,
                    women_below INTEGER NOT NULL, men_below INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE consents (uses TEXT, withdrawn INTEGER, share REAL NOT NULL,
                       PRIMARY KEY (uses, withdrawn)) WITHOUT ROWID;
CREATE TABLE samples (kind TEXT PRIMARY KEY, people INTEGER NOT NULL) WITHOUT ROWID;
"""


def rounded_size(people: int) -> int:
    """Round a number of people to the public number of people of a node.

    Args:
        people: Number of people at the node.

    Returns:
        A multiple of 10, at least 10.
    """
    return max(ROUNDING, (people + ROUNDING // 2) // ROUNDING * ROUNDING)


class PublicAllele(NamedTuple):
    """An allele that people elsewhere carry."""

    contig: str
    start: int  # 0-based
    ref: str
    alt: str
    svlen: int  # as in a variant store
    reach: int
    shift: int
    women: int  # who carry it
    men: int

    @property
    def end(self) -> int:
        """End of the affected bases of the reference, 0-based, exclusive."""
        return self.start + len(self.ref) + self.reach


class TermFrequency(NamedTuple):
    """How many people elsewhere have a term."""

    women: int
    men: int


class PublicFacts:
    """A node's public facts, read-only. One connection, for one thread.

    Open a file with :meth:`open`.

    Args:
        connection: A connection to the file, read-only.

    Attributes:
        release: Identifier of the data release.
        people: Rounded number of people at the node.
        women: Number of women elsewhere.
        men: Number of men elsewhere.
        people_elsewhere: Number of people elsewhere.
        listed_from: Share of people elsewhere from which an allele is listed.
        contigs: Length of each contig with listed alleles, by name.
        longest_shift: Longest shift of its listed insertions and deletions, by name.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        meta = dict(connection.execute("SELECT key, value FROM meta"))
        self.release, self.people = meta["release"], int(meta["people"])
        self.women, self.men = int(meta["women"]), int(meta["men"])
        self.people_elsewhere = self.women + self.men
        self.listed_from = float(meta["listed_from"])
        self._with_tumours = int(meta["with_tumours"])
        rows = connection.execute("SELECT * FROM contigs").fetchall()
        self.contigs: dict[str, int] = {name: length for name, length, _, _ in rows}
        self._longest_ref = {name: longest for name, _, longest, _ in rows}
        self.longest_shift: dict[str, int] = {name: most for name, _, _, most in rows}

    @classmethod
    def open(cls, path: Path | str) -> PublicFacts:
        """Open the facts of a node for reading.

        Args:
            path: The file.

        Returns:
            The facts.

        Raises:
            InputError: The file is missing, cut off, damaged or of another kind.
        """
        path = Path(path)
        check_complete(path, "the public facts of a node")
        verify_checksum(path)
        uri = f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        connection = sqlite3.connect(uri, uri=True, check_same_thread=False)
        try:
            row = connection.execute("SELECT value FROM meta WHERE key = 'format'").fetchone()
            if row is None or row[0] != FORMAT:
                expected = f"{FORMAT} (write older ones again)"
                raise InputError(path, "format", expected, shown(row and row[0]))
            return cls(connection)
        except (sqlite3.DatabaseError, KeyError, ValueError) as error:
            connection.close()
            found = f"others ({error})"
            raise InputError(path, "tables", f"the tables of {FORMAT}", found) from None

    @classmethod
    def of_size(cls, people: int, release: str = "") -> PublicFacts:
        """Build facts that know nothing but the size of the node.

        Args:
            people: Number of people at the node, which is rounded.
            release: Identifier of the data release.

        Returns:
            The facts, in memory.
        """
        connection = sqlite3.connect(":memory:", check_same_thread=False)
        connection.executescript(SCHEMA)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", size_facts(people, release))
        return cls(connection)

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    # alleles: the methods by which variants are searched, as of a variant store

    def get(self, contig: str, start: int, ref: str, alt: str) -> PublicAllele | None:
        """Look up an allele.

        Args:
            contig: Name of the contig.
            start: Position of the first REF base, 0-based.
            ref: Reference bases.
            alt: Alternate bases.

        Returns:
            The allele, or None if it is not listed.
        """
        row = self._connection.execute(_GET, (contig, start, ref, alt)).fetchone()
        return None if row is None else PublicAllele(*row)

    def overlapping(self, contig: str, start: int, end: int) -> Iterator[PublicAllele]:
        """Iterate over the listed alleles that affect bases of a range.

        Args:
            contig: Name of the contig.
            start: First base, 0-based.
            end: One past the last base.

        Yields:
            Alleles ordered by (start, ref, alt).
        """
        earliest = start - self._longest_ref.get(contig, 1) + 1
        for row in self._connection.execute(_LONG, (contig, earliest, start)):
            yield PublicAllele(*row)
        for row in self._connection.execute(_RANGE, (contig, earliest, end)):
            if row[1] + len(row[2]) + row[5] > start:
                yield PublicAllele(*row)

    # people

    def has_term(self, term: str, descendants: bool) -> TermFrequency | None:
        """Look up how many people elsewhere have a term.

        Args:
            term: The term, a CURIE.
            descendants: Whether more specific terms count too.

        Returns:
            Numbers of people, or None if nobody elsewhere has it.
        """
        row = self._connection.execute(_TERM, (term,)).fetchone()
        if row is None:
            return None
        return TermFrequency(*(row[2:] if descendants else row[:2]))

    @cached_property
    def terms(self) -> tuple[Term, ...]:
        """The terms that people elsewhere have, in order."""
        rows = self._connection.execute(
            "SELECT id, label, kind FROM terms WHERE women + men > 0 ORDER BY id"
        )
        return tuple(Term(*row) for row in rows)

    @cached_property
    def ontologies(self) -> frozenset[str]:
        """Prefixes of the terms that people elsewhere have."""
        return frozenset(one.id.partition(":")[0] for one in self.terms)

    def consents(self) -> Iterator[tuple[tuple[str, ...], bool, float]]:
        """Iterate over the distinct consent records of the people elsewhere.

        Yields:
            Uses as in ``PeopleStore.consents``, whether the consent was withdrawn, and the share of
            the people.
        """
        for uses, withdrawn, share in self._connection.execute("SELECT * FROM consents"):
            yield tuple(uses.split(", ")), bool(withdrawn), share

    def share_with_sample(self, kind: str) -> float | None:
        """Return the share of the people elsewhere who have a sample.

        Args:
            kind: ``biosamples``, ``runs`` or ``analyses``.

        Returns:
            The share, or None if nothing is known.
        """
        if not self.people_elsewhere:
            return None
        sql = "SELECT people FROM samples WHERE kind = ?"
        row = self._connection.execute(sql, (kind,)).fetchone()
        return row[0] / self.people_elsewhere if row else 0.0

    @property
    def share_with_tumour(self) -> float | None:
        """The share of the people elsewhere with known somatic variants, or None."""
        return self._with_tumours / self.people_elsewhere if self.people_elsewhere else None


class FirstAlleles:
    """The listed alleles of public facts, of which only the first are looked at.

    Args:
        facts: The public facts.
        most: Most alleles that are looked at.

    Attributes:
        left: How many more may be looked at.
    """

    def __init__(self, facts: PublicFacts, most: int = MOST_ALLELES) -> None:
        self.contigs, self.get, self.left = facts.contigs, facts.get, most
        self.longest_shift = facts.longest_shift
        self._facts = facts

    def overlapping(self, contig: str, start: int, end: int) -> Iterator[PublicAllele]:
        """Iterate over the first alleles that touch a range.

        Args:
            contig: Name of the contig.
            start: First base, 0-based.
            end: One past the last base.

        Yields:
            Alleles ordered by (start, ref, alt), as long as some are left.
        """
        for allele in self._facts.overlapping(contig, start, end):
            if self.left == 0:
                return
            self.left -= 1
            yield allele


def size_facts(people: int, release: str) -> list[tuple[str, str]]:
    """List the facts of a node of which only the size is known.

    Args:
        people: Number of people at the node, which is rounded.
        release: Identifier of the data release.

    Returns:
        Rows of the table ``meta``.
    """
    nothing = dict.fromkeys(("women", "men", "with_tumours", "listed_from"), "0")
    known = {"format": FORMAT, "release": release, "people": str(rounded_size(people))}
    return sorted({**nothing, **known}.items())


_NAMES = ("contig", "start", "ref", "alt", "svlen", "reach", "shift", "women", "men")
_COLUMNS = ", ".join(_NAMES)
_GET = f"SELECT {_COLUMNS} FROM alleles WHERE contig = ? AND start = ? AND ref = ? AND alt = ?"
_RANGE = f"""SELECT {_COLUMNS} FROM alleles WHERE contig = ? AND start >= ? AND start < ?
ORDER BY start, ref, alt, svlen"""
_LONG = long_variants.long_variants_before("alleles", ", ".join(f"v.{name}" for name in _NAMES))
_TERM = "SELECT women, men, women_below, men_below FROM terms WHERE id = ?"
