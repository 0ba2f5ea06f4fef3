"""Writes the public facts of nodes.

A real node takes a public catalogue. In a rehearsal a panel stands in for it: the people of all
other countries who permit any use of their data (DUO:0000004). Exact frequencies tell who is in the
panel, so nobody else is. A free answer of one node thereby tells nothing about the people of
another, except for the panel.
"""

from __future__ import annotations

import hashlib
import heapq
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING

from pyroaring import BitMap

from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.logs import in_progress
from rehearsal.node.privacy.public_facts import (
    PUBLIC_FACTS_FILE,
    SCHEMA,
    rounded_size,
    size_facts,
)
from rehearsal.stores import long_variants
from rehearsal.stores.new_store import new_store
from rehearsal.stores.people_store import SAMPLES, PeopleStore
from rehearsal.stores.store_checksum import read_checksum
from rehearsal.stores.variant_store import VariantStore

if TYPE_CHECKING:
    from rehearsal.phenotypes.consent import ConsentShares

UNRESTRICTED = ("DUO:0000004",)  # the permitted uses of the people in the panel
STORES = ("variants.sqlite", "people.sqlite")
TUMOURS = "tumours.sqlite"

Allele = tuple[int, str, str, int, int, int]  # start, REF, ALT, SVLEN, reach, shift
TermKey = tuple[str, str, str]  # id, label, kind
TermCounts = tuple[int, int, int, int]  # women, men; the same with more specific terms


def write_size_facts(folder: Path) -> None:
    """Write the public facts of a node about which only the number of people is public.

    Args:
        folder: The node's folder, with its stores.
    """
    with closing(PeopleStore.open(folder / "people.sqlite")) as people:
        meta = size_facts(people.size, data_release(folder))
    with new_store(folder / PUBLIC_FACTS_FILE) as connection:
        connection.executescript(SCHEMA)
        connection.executemany("INSERT INTO meta VALUES (?, ?)", meta)


def write_public_facts(folders: Mapping[str, Path], consent: ConsentShares | None = None) -> None:
    """Write the public facts of each node, from the panel at the other nodes.

    An allele is listed for a node if the expected number of its carriers there is at least one. The
    answer to a rarer one is predictable.

    Args:
        folders: Node folders by country code, each with ``variants.sqlite`` and ``people.sqlite``.
        consent: The consent records that people were asked for, with their shares. None if these
            are not public.
    """
    numbers = {code: _count_people(folder) for code, folder in folders.items()}
    everywhere = _Numbers()
    for one in numbers.values():
        everywhere.add(one)
    with ExitStack() as open_files:
        tables = {}
        for code, folder in folders.items():
            connection = open_files.enter_context(new_store(folder / PUBLIC_FACTS_FILE))
            own = numbers[code]
            tables[code] = _Table(connection, everywhere.without(own), own.people)
            tables[code].write_people(data_release(folder), _consent_rows(consent))
        stores = {
            code: open_files.enter_context(VariantStore.open(folder / STORES[0], verify=False))
            for code, folder in folders.items()
        }
        _write_alleles(stores, numbers, tables)


def _consent_rows(consent: ConsentShares | None) -> list[tuple[str, int, float]]:
    """Return rows of the table of consents: uses, whether it was withdrawn, share of people."""
    if consent is None:
        return []
    rows: Counter[tuple[str, int]] = Counter()
    for one in consent.records:
        uses = ", ".join(one.uses)
        for withdrawn, share in ((0, 1 - consent.withdrawn), (1, consent.withdrawn)):
            rows[uses, withdrawn] += one.share * share  # type: ignore[assignment]  # a share
    return sorted((*key, float(share)) for key, share in rows.items() if share)


def data_release(folder: Path) -> str:
    """Build the identifier of a node's data release, from the checksums of its stores.

    Args:
        folder: The node's folder.

    Returns:
        16 hex digits, which the node shows to nobody.
    """
    checksums = b"".join(read_checksum(folder / name) for name in STORES)
    return hashlib.sha256(checksums).hexdigest()[:16]


@dataclass
class _Numbers:
    """Numbers of people of the panel at some nodes."""

    people: int = 0  # all people of the nodes, not only the panel
    of_sex: dict[str, BitMap] = field(default_factory=dict)  # of one node: the panel
    women: int = 0
    men: int = 0
    with_tumours: int = 0
    terms: dict[TermKey, TermCounts] = field(default_factory=dict)
    samples: Counter[str] = field(default_factory=Counter)

    @property
    def size(self) -> int:
        return self.women + self.men

    def add(self, other: _Numbers, sign: int = 1) -> None:
        self.women += sign * other.women
        self.men += sign * other.men
        self.with_tumours += sign * other.with_tumours
        for key, counts in other.terms.items():
            before = self.terms.get(key, (0, 0, 0, 0))
            added = (one + sign * more for one, more in zip(before, counts, strict=True))
            self.terms[key] = tuple(added)  # type: ignore[assignment]  # of four
        for kind, number in other.samples.items():
            self.samples[kind] += sign * number

    def without(self, other: _Numbers) -> _Numbers:
        """Return the numbers at the other nodes."""
        rest = _Numbers()
        rest.add(self)
        rest.add(other, -1)
        return rest


def _count_people(folder: Path) -> _Numbers:
    with closing(PeopleStore.open(folder / "people.sqlite")) as people:
        panel = _panel(people)
        of_sex = {
            sex: people.with_term(SEX_TERMS[sex], False) & panel for sex in ("female", "male")
        }
        women, men = map(len, of_sex.values())
        found = _Numbers(people.size, of_sex, women, men)
        for key, term in _terms(people):
            sets = people.with_term(term, False), people.with_term(term)
            numbers = (len(one & of_sex[sex]) for one in sets for sex in of_sex)
            found.terms[key] = tuple(numbers)  # type: ignore[assignment]  # of four
        for kind in SAMPLES:
            found.samples[kind] = len(people.with_sample(kind) & panel)
    tumours = folder / TUMOURS
    if tumours.exists():
        with VariantStore.open(tumours, verify=False) as store:
            carriers = BitMap.union(BitMap(), *(row.carriers() for row in store))
            found.with_tumours = len(carriers & panel)
    return found


def _panel(people: PeopleStore) -> BitMap:
    """Return the people who permit any use and have not withdrawn."""
    records = people.consents()
    open_to_all = (one.people for one in records if one.uses == UNRESTRICTED and not one.withdrawn)
    return BitMap.union(BitMap(), *open_to_all)


def _terms(people: PeopleStore) -> Iterator[tuple[TermKey, str]]:
    """Yield the terms that people have, and those above them, which have no label."""
    for term in people.terms.values():
        yield (term.id, term.label, term.kind), term.id
    for ancestor in people.ancestors:
        if ancestor not in people.terms:
            yield (ancestor, "", ""), ancestor


class _Table:
    """The file of one node, being written."""

    def __init__(self, connection: sqlite3.Connection, elsewhere: _Numbers, people: int) -> None:
        self._connection, self._elsewhere = connection, elsewhere
        self._people = people
        self.listed_from = 1 / rounded_size(people)
        self.fewest = self.listed_from * elsewhere.size
        self._longest_ref: dict[str, int] = {}
        self._longest_shift: dict[str, int] = {}
        self._waiting: list[tuple[str | int, ...]] = []
        connection.executescript(SCHEMA)
        connection.execute("BEGIN")

    def write_people(self, release: str, consents: list[tuple[str, int, float]]) -> None:
        """Write all tables but those of alleles."""
        elsewhere, insert = self._elsewhere, self._connection.executemany
        meta = dict(size_facts(self._people, release))
        for key in ("women", "men", "with_tumours"):
            meta[key] = str(getattr(elsewhere, key))
        meta["listed_from"] = repr(self.listed_from)
        insert("INSERT INTO meta VALUES (?, ?)", sorted(meta.items()))
        insert("INSERT INTO terms VALUES (?, ?, ?, ?, ?, ?, ?)", _term_rows(elsewhere))
        insert("INSERT INTO consents VALUES (?, ?, ?)", consents)
        insert("INSERT INTO samples VALUES (?, ?)", sorted(elsewhere.samples.items()))

    def add(self, contig: str, allele: Allele, women: int, men: int) -> None:
        """Add an allele with the numbers of its carriers elsewhere, if they are enough."""
        if women + men < self.fewest or not women + men:
            return
        self._waiting.append((contig, *allele, women, men))
        self._longest_ref[contig] = max(self._longest_ref.get(contig, 1), len(allele[1]))
        self._longest_shift[contig] = max(self._longest_shift.get(contig, 0), allele[5])
        if len(self._waiting) >= 10_000:
            self._write_waiting()

    def _write_waiting(self) -> None:
        sql = "INSERT INTO alleles VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
        self._connection.executemany(sql, self._waiting)
        self._connection.executemany(long_variants.INSERT, long_variants.long_rows(self._waiting))
        self._waiting.clear()

    def finish(self, lengths: Mapping[str, int]) -> None:
        """Write what is left. ``lengths``: of all contigs, by name."""
        self._write_waiting()
        rows = [
            (name, lengths[name], ref, self._longest_shift[name])
            for name, ref in sorted(self._longest_ref.items())
        ]
        self._connection.executemany("INSERT INTO contigs VALUES (?, ?, ?, ?)", rows)
        self._connection.execute(long_variants.INSERT_CLASSES)
        self._connection.execute("COMMIT")


def _term_rows(elsewhere: _Numbers) -> list[tuple[str | int, ...]]:
    """Return one row per term: a label and kind where any node has one."""
    rows: dict[str, tuple[str, str, TermCounts]] = {}
    for (term, label, kind), counts in sorted(elsewhere.terms.items()):
        if not any(counts):  # only the node's own people have it
            continue
        before = rows.get(term, ("", "", (0, 0, 0, 0)))
        total = (one + more for one, more in zip(before[2], counts, strict=True))
        rows[term] = (label or before[0], kind or before[1], tuple(total))  # type: ignore[assignment]
    return [(term, label, kind, *counts) for term, (label, kind, counts) in sorted(rows.items())]


def _write_alleles(
    stores: Mapping[str, VariantStore],
    numbers: Mapping[str, _Numbers],
    tables: Mapping[str, _Table],
) -> None:
    """Merge the nodes' sorted variants, contig by contig, so that memory stays small."""
    lengths = {name: length for one in stores.values() for name, length in one.contigs.items()}
    for contig in in_progress(sorted(lengths), "contigs"):
        streams = [_carriers(one, contig, code, numbers[code]) for code, one in stores.items()]
        merged = heapq.merge(*streams, key=itemgetter(0))
        for allele, rows in groupby(merged, key=itemgetter(0)):
            _add_everywhere(tables, contig, allele, {code: n for _, code, *n in rows})
    for table in tables.values():
        table.finish(lengths)


def _carriers(
    store: VariantStore, contig: str, code: str, numbers: _Numbers
) -> Iterator[tuple[Allele, str, int, int]]:
    """Yield the alleles that people of the panel carry, with the numbers of women and men."""
    women, men = numbers.of_sex["female"], numbers.of_sex["male"]
    for allele, carriers in store.carriers_of(contig):
        of_women = carriers.intersection_cardinality(women)
        of_men = carriers.intersection_cardinality(men)
        if of_women or of_men:
            yield allele, code, of_women, of_men


def _add_everywhere(
    tables: Mapping[str, _Table], contig: str, allele: Allele, at: Mapping[str, list[int]]
) -> None:
    women, men = (sum(numbers[i] for numbers in at.values()) for i in (0, 1))
    if not any(women + men >= table.fewest for table in tables.values()):
        return
    for code, table in tables.items():
        own_women, own_men = at.get(code, (0, 0))
        table.add(contig, allele, women - own_women, men - own_men)
