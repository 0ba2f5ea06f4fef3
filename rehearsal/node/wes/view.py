"""The data that one run of an algorithm sees: files about the permitted people only.

    genotypes.pgen, .pvar, .psam   alleles that a permitted person carries, one record per allele
    people.parquet                 one row per person, in the order of the .psam, without a name
    view.json                      numbers of people and variants, assembly, units

Genotypes are numbers of copies: 0, 1 or 2. Where a person has one copy of the contig (a man on X
and Y, everybody on the mitochondrion), a carrier has 2. Where a person has none (a woman on Y), the
genotype is missing (-9). A store keeps who carries an allele, not who has no call, so a missing
call counts as the reference. Alleles of structural variants name their length, as ``<DEL:1200>``:
the store may have several of one place.

A person is a number that belongs to this view alone. The node runs this module as a script, so that
its own process neither loads what it imports nor stops answering meanwhile.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pgenlib
from numpy.typing import NDArray

from rehearsal.files import write_json
from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.genomes.assembly import ASSEMBLY, ploidy
from rehearsal.model import SEXES, Sex
from rehearsal.node.wes.view_order import ViewOrder
from rehearsal.stores.carrier_matrix import AlleleReader, AlleleRow, carrier_matrix
from rehearsal.stores.people_store import AGE, ONSET, PeopleStore

GENOTYPES, PEOPLE, ABOUT = "genotypes", "people.parquet", "view.json"
MOST_CELLS = 1 << 23  # genotypes that are decoded at a time
ABSENT = -9  # of pgenlib
FOLLOWED = ("last_year", "event")  # suffixes of the two columns of a disease's follow-up

Dosages = NDArray[np.int8]  # shape (n_alleles, n_people)


def write_view(order: ViewOrder) -> dict[str, int]:
    """Write the folder of a view.

    Args:
        order: What it has.

    Returns:
        Numbers of ``people`` and ``variants``.
    """
    target = Path(order.target)
    chosen = np.array(order.people, dtype=np.int64)
    variants = _write_genotypes(order, target, chosen) if order.genotypes else 0
    people = PeopleStore.open(Path(order.node) / "people.sqlite")
    units = _write_people(people, order.variables, chosen, target / PEOPLE)
    people.close()
    numbers = {"people": len(order.people), "variants": variants}
    write_json(target / ABOUT, {**numbers, "assembly": ASSEMBLY, "units": units})
    return numbers


# --- genotypes ---


def _write_genotypes(order: ViewOrder, target: Path, chosen: NDArray[np.int64]) -> int:
    """Write the three files. Returns the number of alleles."""
    reader = AlleleReader(Path(order.node) / "variants.sqlite")
    _write_psam(target / f"{GENOTYPES}.psam", [reader.sexes[number] for number in order.people])
    variants = _count_carried(reader, chosen)  # pgenlib needs it first
    with (target / f"{GENOTYPES}.pvar").open("w") as pvar:
        pvar.write("#CHROM\tPOS\tID\tREF\tALT\tINFO\n")
        if variants == 0 or chosen.size == 0:  # the format has no such case
            return 0
        path = str(target / f"{GENOTYPES}.pgen").encode()
        writer = pgenlib.PgenWriter(path, chosen.size, variant_ct=variants, nonref_flags=False)
        contig, effects = "", {}
        for name, alleles, dosages in _batches(reader, chosen):
            if name != contig:
                contig, effects = name, reader.effects(name)
            pvar.writelines(_pvar_line(contig, allele, effects) for allele in alleles)
            writer.append_biallelic_batch(dosages)
        writer.close()
    return variants


def _count_carried(reader: AlleleReader, chosen: NDArray[np.int64]) -> int:
    return sum(
        int(_members(lists, reader, chosen).any(axis=1).sum())
        for contig in reader.contigs
        for lists in reader.carriers(contig, _most_rows(reader))
    )


def _batches(
    reader: AlleleReader, chosen: NDArray[np.int64]
) -> Iterator[tuple[str, list[AlleleRow], Dosages]]:
    """Decode the alleles that chosen people carry: contig, rows and copies."""
    for contig in reader.contigs:
        for rows in reader.rows(contig, _most_rows(reader)):
            carriers = _members([row.carriers for row in rows], reader, chosen)
            carried = np.flatnonzero(carriers.any(axis=1))
            kept = [rows[row] for row in carried]
            if kept:
                yield contig, kept, _dosages(contig, kept, carriers[carried], reader, chosen)


def _most_rows(reader: AlleleReader) -> int:
    return max(1, MOST_CELLS // max(1, len(reader.sexes)))


def _members(
    lists: list[bytes], reader: AlleleReader, chosen: NDArray[np.int64]
) -> NDArray[np.bool_]:
    return carrier_matrix(lists, len(reader.sexes))[:, chosen]


def _dosages(
    contig: str,
    rows: list[AlleleRow],
    carriers: NDArray[np.bool_],
    reader: AlleleReader,
    chosen: NDArray[np.int64],
) -> Dosages:
    twice = _members([row.homozygotes for row in rows], reader, chosen)
    dosages = carriers.astype(np.int8) + twice
    starts = np.array([row.start for row in rows])
    for sex in SEXES:
        mine = np.array([reader.sexes[number] == sex for number in chosen], dtype=bool)
        copies = _ploidies(contig, sex, starts)
        if mine.any() and (copies != 2).any():
            place = np.ix_(copies == 1, mine)
            dosages[place] = np.where(dosages[place] > 0, 2, 0)
            dosages[np.ix_(copies == 0, mine)] = ABSENT
    return dosages


def _ploidies(contig: str, sex: Sex, starts: NDArray[np.int64]) -> NDArray[np.int64]:
    if contig in ("chrX", "chrY", "chrM"):
        return np.array([ploidy(contig, sex, int(start)) for start in starts])
    return np.full(starts.size, 2)


def _pvar_line(
    contig: str,
    allele: AlleleRow,
    effects: dict[tuple[int, str, str], tuple[list[str], list[str]]],
) -> str:
    alt = allele.alt
    if alt.startswith("<"):
        alt = f"{alt[:-1]}:{allele.svlen}>"
    effect = effects.get((allele.start, allele.ref, allele.alt))
    info = f"GENE={','.join(effect[0])};CSQ={','.join(effect[1])}" if effect else "."
    return f"{contig}\t{allele.start + 1}\t.\t{allele.ref}\t{alt}\t{info}\n"


def _write_psam(path: Path, sexes: Sequence[str]) -> None:
    codes = {"male": "1", "female": "2"}
    lines = [f"{row}\t{codes[sex]}\n" for row, sex in enumerate(sexes, start=1)]
    path.write_text("#IID\tSEX\n" + "".join(lines))


# --- people ---


def _write_people(
    people: PeopleStore, variables: Sequence[str], chosen: NDArray[np.int64], path: Path
) -> dict[str, str]:
    """Write the table of people. Returns the units of its numbers."""
    import pyarrow
    from pyarrow import parquet

    sexes = np.full(people.size, "", dtype=object)
    for sex in SEXES:
        sexes[np.array(people.with_term(SEX_TERMS[sex], False), dtype=np.int64)] = sex
    columns = {"sex": sexes, AGE: _numbers(people, AGE)}
    units = {AGE: people.numbers[AGE].unit}
    for name in sorted(set(variables) - set(columns)):
        if name in people.numbers:
            columns[name], units[name] = _numbers(people, name), people.numbers[name].unit
        else:
            columns |= _disease(people, name, columns[AGE])
    arrays = {name: pyarrow.array(one[chosen], from_pandas=True) for name, one in columns.items()}
    parquet.write_table(pyarrow.table(arrays), path)
    return units


def _numbers(people: PeopleStore, field: str) -> NDArray[np.float64]:
    """Return everybody's number; of several values the mean, without any NaN."""
    values, owners = people.numbers_of(field)
    which = np.array(owners, dtype=np.int64)
    total = np.bincount(which, weights=np.array(values), minlength=people.size)
    number = np.bincount(which, minlength=people.size)
    with np.errstate(invalid="ignore"):
        return np.where(number > 0, total / number, np.nan)


def _disease(
    people: PeopleStore, term: str, ages: NDArray[np.float64]
) -> dict[str, NDArray[np.generic]]:
    """Return who has a disease, the last whole year of follow-up and whether it began then.

    Onsets are in whole years: a person of 50 is at risk up to the year that ends with the 50th
    birthday. A person with the disease and without a known onset is not followed (-1).
    """
    affected = np.zeros(people.size, dtype=bool)
    affected[np.array(people.with_term(term), dtype=np.int64)] = True
    onset = np.full(people.size, np.inf)
    for one in (term, *people.under(term)):
        field = f"{ONSET}:{one}"
        if field in people.numbers:
            values, owners = people.numbers_of(field)
            np.minimum.at(onset, np.array(owners, dtype=np.int64), np.array(values))
    event = affected & np.isfinite(onset)
    last_year = np.where(event, onset, np.where(affected, -1.0, np.nan_to_num(ages) - 1))
    suffixes = dict(zip(FOLLOWED, (np.floor(last_year).astype(np.int64), event), strict=True))
    return {term: affected, **{f"{term}.{name}": one for name, one in suffixes.items()}}


def main() -> None:
    """Write the view that standard input orders, and print its numbers, both as JSON."""
    print(json.dumps(write_view(ViewOrder(**json.load(sys.stdin)))))


if __name__ == "__main__":
    main()
