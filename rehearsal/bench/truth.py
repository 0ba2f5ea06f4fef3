"""The right answer to every query, from the pooled tree sequences and tables.

Nothing here is shared with a node: genotypes are decoded by tskit and counted with NumPy, people
are selected with pandas. A query is read from its Beacon request, as any server would read it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pandas as pd
import tskit

from rehearsal.bench.hpo import at_or_below
from rehearsal.files import written_aside
from rehearsal.model import AlleleCounts, Block, Gene, InputError, Query, Variant

GROUPS = ("", "_F", "_M")  # everybody, women, men: as populations are named in answers
# Consent, read from the Data Use Ontology's definitions: which permissions a purpose may rest on
NO_RESTRICTION, DISEASE_RESEARCH = "DUO:0000004", "DUO:0000007"
RESTS_ON = {
    "DUO:0000042": ["DUO:0000004", "DUO:0000042"],  # general research
    "DUO:0000006": ["DUO:0000004", "DUO:0000042", "DUO:0000006"],  # health research
    "DUO:0000007": ["DUO:0000004", "DUO:0000042", "DUO:0000006"],  # one disease, or that itself
    "DUO:0000011": ["DUO:0000004", "DUO:0000042", "DUO:0000011"],  # origins and ancestry
    "DUO:0000043": ["DUO:0000004", "DUO:0000043"],  # clinical care
}
PERMISSION = "DUO:00000(?:04|42|06|07|11|43)"
SEX_OF_TERM = {"NCIT:C16576": "female", "NCIT:C20197": "male"}
COMPARE = {
    **{"=": operator.eq, "<": operator.lt, "<=": operator.le},
    **{">": operator.gt, ">=": operator.ge},
}
ONSET_OF = "ageOfOnset:"  # of one disease, by its code

GroupCounts = dict[str, AlleleCounts]


@dataclass(frozen=True, slots=True)
class Expected:
    """What one country must answer to one query.

    ``count``: distinct variants, or individuals. ``alleles`` (variant queries of record
    granularity or a protected tier) and ``individuals`` (identifiers, of record granularity) are
    what the records must say; in protected tiers, how many carriers there are to tell of.
    ``refused``: the query is ill-formed and wants HTTP 400.
    """

    exists: bool
    count: int
    alleles: dict[Variant, GroupCounts] = field(default_factory=dict)
    individuals: tuple[str, ...] = ()
    refused: bool = False


@dataclass(slots=True)
class _Question:
    """A query as the truth reads it. ``contig`` None: individuals by filters alone."""

    query: Query
    contig: str | None = None
    start: int = 0
    end: int = 0
    allele: tuple[str, str] | None = None  # reference and alternate bases, when it asks for one
    filters: tuple[Mapping[str, Any], ...] = ()

    @property
    def wants_people(self) -> bool:
        return self.query.entry_type == "individuals"

    @property
    def wants_records(self) -> bool:
        return self.query.request["query"]["requestedGranularity"] == "record"

    def asks_for(self, variant: Variant) -> bool:
        """Whether a variant of this contig is meant: the exact allele, or any that overlaps."""
        if self.allele is not None:
            return variant.start == self.start and (variant.ref, variant.alt) == self.allele
        return variant.start < self.end and variant.start + len(variant.ref) > self.start


class Truth:
    """Answers queries from the whole cohort.

    ``trees``: a tree-sequence file a block, individual *i* being row *i* of ``people``;
    ``people``, ``diseases``, ``features``, ``measurements``, ``consent``, ``treatments``: the
    tables of docs/architecture.md; without ``consent`` everybody permits everything. Ages are
    told for ``reference_year``.
    """

    def __init__(
        self,
        trees: Mapping[Block, Path],
        people: pd.DataFrame,
        diseases: pd.DataFrame,
        features: pd.DataFrame,
        measurements: pd.DataFrame,
        genes: Sequence[Gene],
        consent: pd.DataFrame | None = None,
        treatments: pd.DataFrame | None = None,
        reference_year: int = 2026,
    ) -> None:
        self._trees = dict(sorted(trees.items()))
        self._people = people.reset_index(drop=True)
        self._countries = list(dict.fromkeys(people["country"]))
        self._cell = cells(people)
        self._consent = None if consent is None else consent.set_index("individual")
        self._genes = {gene.name: gene for gene in genes}
        self._codes = pd.concat(
            [
                diseases[["individual", "code"]],
                diseases[["individual", "mondo"]].rename(columns={"mondo": "code"}),
                features[["individual", "code"]],
                measurements[["individual", "code"]],
                *([] if treatments is None else [treatments[["individual", "code"]]]),
            ]
        ).dropna()
        self._diseases, self._measurements = diseases, measurements
        self._year = reference_year

    def answer(self, query: Query) -> dict[str, Expected]:
        """The expected answer of every country. Raises ValueError for a query that the truth
        does not understand, so that none is ever judged by a guess."""
        return self.answers([query])[query.id]

    def answers(self, queries: Iterable[Query]) -> dict[str, dict[str, Expected]]:
        """The same for many queries by their ids; every stretch of a genome is decoded once."""
        expected: dict[str, dict[str, Expected]] = {}
        tallies: dict[str, _Tally] = {}
        for query in queries:
            if query.kind == "ill_formed":
                refusal = Expected(False, 0, refused=True)
                expected[query.id] = dict.fromkeys(self._countries, refusal)
                continue
            question = self._question(query)
            permitting = self.permitting(query.purpose)
            selected = self.selected(question.filters) & permitting
            tallies[query.id] = _Tally(question, selected, permitting)
        for block in self._trees:
            mine = [t for t in tallies.values() if t.question.contig == block.contig]
            if mine:
                self._count(block, mine)
        for name, tally in tallies.items():
            expected[name] = self._expected(tally)
        return expected

    def _question(self, query: Query) -> _Question:
        """Read a Beacon request. Raises ValueError for shapes that the truth does not know."""
        asked = query.request["query"]
        parameters = dict(asked["requestParameters"])
        question = _Question(query, filters=tuple(asked["filters"]))
        parameters.pop("assemblyId", None)
        shape = frozenset(parameters)
        if shape == {"referenceName", "start", "referenceBases", "alternateBases"}:
            question.contig = f"chr{parameters['referenceName'].removeprefix('chr')}"
            (question.start,) = parameters["start"]
            question.end = question.start + 1
            question.allele = (parameters["referenceBases"], parameters["alternateBases"])
        elif shape == {"referenceName", "start", "end"}:
            question.contig = f"chr{parameters['referenceName'].removeprefix('chr')}"
            (question.start,), (question.end,) = parameters["start"], parameters["end"]
        elif shape == {"geneId"}:
            gene = self._genes[parameters["geneId"]]
            question.contig, question.start, question.end = gene.contig, gene.start, gene.end
        elif shape or not question.wants_people:
            raise ValueError(f"{query.id}: no truth for the parameters {sorted(parameters)}")
        if question.filters and not question.wants_people:
            raise ValueError(f"{query.id}: no truth for variants with filters")
        return question

    def selected(self, filters: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """Which people pass all filters: bool[people]."""
        chosen = np.ones(len(self._people), dtype=bool)
        for one in filters:
            term = one["id"]
            if "operator" in one:
                chosen &= self._people["id"].isin(self._with_number(one)).to_numpy()
            elif term in SEX_OF_TERM:
                chosen &= (self._people["sex"] == SEX_OF_TERM[term]).to_numpy()
            else:
                having = self._codes.loc[_is_or_under(self._codes["code"], term), "individual"]
                chosen &= self._people["id"].isin(having).to_numpy()
        return chosen

    def _with_number(self, one: Mapping[str, Any]) -> pd.Series:
        """Who has a value for which ``value operator wanted``, ids. Raises KeyError for an
        operator and ValueError for a value that the truth does not know."""
        field, compare, wanted = one["id"], COMPARE[one["operator"]], float(one["value"])
        if field == "age":
            return self._people.loc[compare(self._year - self._people["birth_year"], wanted), "id"]
        if field == "ageOfOnset" or field.startswith(ONSET_OF):
            table, column = self._diseases, "age_of_onset"
            if code := field.removeprefix("ageOfOnset").removeprefix(":"):
                table = table[_is_or_under(table["code"], code) | (table["mondo"] == code)]
        else:
            table, column = self._measurements, "value"
            table = table[table["code"] == field]
        return table.loc[compare(table[column].astype(float), wanted), "individual"]

    def permitting(self, purpose: str | None) -> np.ndarray:
        """Whose consent permits a purpose: bool[people]. Raises ValueError for purposes with
        conditions, which the truth does not know."""
        if self._consent is None:
            return np.ones(len(self._people), dtype=bool)
        records = self._consent.reindex(self._people["id"])
        uses = records["uses"].fillna("").str.split(",").explode().str.strip()
        granting = uses.str.match(PERMISSION)
        if purpose is None:
            covering = uses == NO_RESTRICTION
        else:
            term, _, disease = purpose.partition(" ")
            if term not in RESTS_ON or (disease and term != DISEASE_RESEARCH):
                raise ValueError(f"no truth for the purpose {purpose}")
            covering = uses.isin([*RESTS_ON[term], purpose])
        is_kept = records["withdrawn"].eq(False).to_numpy()
        return (
            is_kept
            & covering.groupby(level=0).any()[self._people["id"]].to_numpy()
            & granting.groupby(level=0).all()[self._people["id"]].to_numpy()
        )

    def _count(self, block: Block, tallies: list[_Tally]) -> None:
        """Add what one block holds to the tallies of the questions about its contig."""
        intervals = [(t.question.start, t.question.end) for t in tallies]
        if not any(start < block.end and end > block.start for start, end in intervals):
            return
        genotypes = DecodedGenotypes(block.contig, tskit.load(self._trees[block]), self._cell)
        for variant, copies in genotypes.within(intervals):
            counts: dict[bytes, np.ndarray] = {}
            for tally in tallies:
                if not tally.question.asks_for(variant):
                    continue
                if tally.question.wants_people:
                    tally.carriers |= copies > 0
                    continue
                if tally.permitting_key not in counts:
                    counts[tally.permitting_key] = genotypes.counts(copies, tally.permitting)
                tally.add(variant, counts[tally.permitting_key])

    def _expected(self, tally: _Tally) -> dict[str, Expected]:
        return {
            country: self._of_people(tally, index)
            if tally.question.wants_people
            else _of_variants(tally, index)
            for index, country in enumerate(self._countries)
        }

    def _of_people(self, tally: _Tally, index: int) -> Expected:
        found = tally.selected & (self._cell // 2 == index)
        if tally.question.contig is not None:
            found &= tally.carriers
        records = tally.question.wants_records
        names = tuple(sorted(self._people["id"][found])) if records else ()
        return Expected(bool(found.any()), int(found.sum()), individuals=names)


class _Tally:
    """What has been counted for one question so far."""

    def __init__(self, question: _Question, selected: np.ndarray, permitting: np.ndarray) -> None:
        """``selected``: the people with its filters' terms; ``permitting``: those whose consent
        covers its purpose; both bool[people]."""
        self.question = question
        self.selected, self.permitting = selected, permitting
        self.permitting_key = np.packbits(permitting).tobytes()
        self.carriers = np.zeros(len(selected), dtype=bool)
        # per variant, int[countries, sexes, 5]: an, ac, hom, het, hemi
        self.counts: dict[Variant, np.ndarray] = {}

    def add(self, variant: Variant, counts: np.ndarray) -> None:
        self.counts[variant] = counts


def _of_variants(tally: _Tally, index: int) -> Expected:
    here = {variant: counts[index] for variant, counts in tally.counts.items()}
    here = {variant: counts for variant, counts in here.items() if counts[:, 1].any()}
    alleles = {}
    if tally.question.wants_records or tally.question.query.tier != "controlled":
        alleles = {variant: _groups(counts) for variant, counts in here.items()}
    return Expected(bool(here), len(here), alleles)


def _groups(counts: np.ndarray) -> GroupCounts:
    """Counts of everybody, women and men from int[sexes, 5]."""
    rows = (counts.sum(axis=0), counts[0], counts[1])
    return {
        group: AlleleCounts(*(int(value) for value in row))
        for group, row in zip(GROUPS, rows, strict=True)
    }


def _is_or_under(codes: pd.Series, term: str) -> pd.Series:
    """Whether a code is the term or lies under it: in HPO; in ICD-10 and ATC by the codes alone."""
    if term.startswith("HP:"):
        return codes.isin(at_or_below(term))
    if term.startswith("ATC:"):
        return codes.str.startswith(term)  # all levels are prefixes
    same = codes == term
    if not term.startswith("ICD10"):
        return same
    prefix = term if "." in term else f"{term}."
    return same | codes.str.startswith(prefix)


def cells(people: pd.DataFrame) -> np.ndarray:
    """Each person's place in a table of counts by country and sex, int[people]: twice the number
    of the country in order of appearance, and one more for men."""
    country = pd.factorize(people["country"])[0]
    return country.astype(np.int64) * 2 + (people["sex"] == "male").to_numpy()


class DecodedGenotypes:
    """One block's genotypes, person by person."""

    def __init__(self, contig: str, trees: tskit.TreeSequence, cell: np.ndarray) -> None:
        people = len(cell)
        if trees.num_individuals != people:
            raise ValueError(f"{trees.num_individuals} individuals in the trees, {people} people")
        self._contig, self._trees, self._cell, self._people = contig, trees, cell, people
        self._samples = trees.samples()
        self._person = trees.nodes_individual[self._samples]
        self._ploidy = np.bincount(self._person, minlength=people)
        self._cells = 2 * (int(cell.max()) // 2 + 1)

    def within(self, intervals: Sequence[tuple[int, int]]) -> Iterator[tuple[Variant, np.ndarray]]:
        """Each alternate allele at sites that overlap an interval, with the copies of each
        person, int[people]. A site inside two intervals comes once."""
        decoder = tskit.Variant(self._trees, samples=self._samples)
        for site in self._sites_within(intervals):
            decoder.decode(int(site))
            if decoder.has_missing_data:
                raise ValueError(f"missing genotypes at {self._contig}:{decoder.position}")
            ref, *alternates = decoder.alleles
            for index, alt in enumerate(alternates, start=1):
                holders = self._person[decoder.genotypes == index]
                if len(holders):
                    copies = np.bincount(holders, minlength=self._people)
                    yield Variant(self._contig, int(decoder.position), ref, alt), copies

    def _sites_within(self, intervals: Sequence[tuple[int, int]]) -> np.ndarray:
        """Numbers of the sites whose reference allele overlaps an interval, in order."""
        starts = self._trees.sites_position
        lengths = np.diff(self._trees.tables.sites.ancestral_state_offset.astype(np.int64))
        wanted = np.zeros(len(starts), dtype=bool)
        for start, end in intervals:
            wanted |= (starts < end) & (starts + lengths > start)
        return np.flatnonzero(wanted)

    def counts(self, copies: np.ndarray, among: np.ndarray) -> np.ndarray:
        """int[countries, sexes, 5] of one allele among some people (bool[people]): an, ac, hom,
        het, hemi."""
        two = self._ploidy == 2
        copies = copies * among
        parts = (
            self._ploidy * among,
            copies,
            two & (copies == 2),
            two & (copies == 1),
            (self._ploidy == 1) & (copies == 1),
        )
        sums = [np.bincount(self._cell, part, self._cells).astype(np.int64) for part in parts]
        return np.stack(sums, axis=1).reshape(-1, 2, 5)


def pooled_sites(trees: Mapping[Block, Path]) -> pd.DataFrame:
    """Every alternate allele of the pooled cohort, a row each, in order of block and position.

    Columns: ``contig``, ``start`` (0-based), ``ref``, ``alt``, ``ac`` (copies in the whole
    cohort, above 0), ``an`` (genomes at that place). Counted on the trees, without genotypes:
    copies of an allele are the samples under its mutations less those under mutations of them.
    """
    rows: list[tuple[str, int, str, str, int, int]] = []
    for block, path in sorted(trees.items()):
        sequence = tskit.load(path)
        an = sequence.num_samples
        for tree in sequence.trees():
            for site in tree.sites():
                for alt, ac in _copies(tree, site).items():
                    rows.append(
                        (block.contig, int(site.position), site.ancestral_state, alt, ac, an)
                    )
    return pd.DataFrame(rows, columns=["contig", "start", "ref", "alt", "ac", "an"])


def _copies(tree: tskit.Tree, site: Any) -> dict[str, int]:
    """Copies of each derived allele at a site, those that somebody has."""
    if len(site.mutations) == 1:
        mutation = site.mutations[0]
        copies = tree.num_samples(mutation.node)
        differs = mutation.derived_state != site.ancestral_state
        return {mutation.derived_state: copies} if copies and differs else {}
    found: dict[str, int] = {}
    state = {mutation.id: mutation.derived_state for mutation in site.mutations}
    for mutation in site.mutations:
        below = tree.num_samples(mutation.node)
        before = state.get(mutation.parent, site.ancestral_state)
        found[mutation.derived_state] = found.get(mutation.derived_state, 0) + below
        found[before] = found.get(before, 0) - below
    return {allele: ac for allele, ac in found.items() if ac > 0 and allele != site.ancestral_state}


# --- the truth as a file ---


def write_truth(expected: Mapping[str, Mapping[str, Expected]], path: Path) -> None:
    """Write expected answers, by query id and country, as JSON."""
    content = {
        query: {country: expected_to_json(answer) for country, answer in countries.items()}
        for query, countries in expected.items()
    }
    with written_aside(path) as aside:
        aside.write_bytes(orjson.dumps(content))


def read_truth(path: Path) -> dict[str, dict[str, Expected]]:
    """What ``write_truth`` wrote. Raises InputError for any other file."""
    try:
        return {
            query: {country: expected_from_json(answer) for country, answer in countries.items()}
            for query, countries in orjson.loads(path.read_bytes()).items()
        }
    except (OSError, orjson.JSONDecodeError, AttributeError, KeyError, TypeError) as error:
        raise InputError(path, "file", f"expected answers in JSON: {error}") from error


def expected_to_json(answer: Expected) -> dict[str, Any]:
    """An expected answer as plain JSON values."""
    content: dict[str, Any] = {"exists": answer.exists, "count": answer.count}
    if answer.alleles:
        content["alleles"] = [
            {"variant": variant, "counts": counts} for variant, counts in answer.alleles.items()
        ]
    if answer.individuals:
        content["individuals"] = answer.individuals
    if answer.refused:
        content["refused"] = True
    return content


def expected_from_json(content: Mapping[str, Any]) -> Expected:
    """What ``expected_to_json`` made."""
    return Expected(
        exists=content["exists"],
        count=content["count"],
        alleles={
            Variant(**item["variant"]): {
                group: AlleleCounts(**counts) for group, counts in item["counts"].items()
            }
            for item in content.get("alleles", ())
        },
        individuals=tuple(content.get("individuals", ())),
        refused=content.get("refused", False),
    )
