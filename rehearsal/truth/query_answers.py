"""The right answer to every query, from the pooled tree sequences and tables.

Nothing here is shared with a node: genotypes are decoded by tskit and counted with NumPy, people
are selected with pandas. A query is read from its Beacon request, as any server would read it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import tskit

from rehearsal.model import AlleleCounts, Block, Query, Variant
from rehearsal.truth import mondo
from rehearsal.truth.decoded_genotypes import DecodedGenotypes, cells
from rehearsal.truth.expected_answers import GROUPS, ExpectedAnswer, GroupCounts
from rehearsal.truth.hpo import at_or_below
from rehearsal.truth.sources import TruthSources
from rehearsal.truth.subcohort import Subcohort

# Consent, read from the Data Use Ontology's definitions: which permissions a purpose may rest on
NO_RESTRICTION, DISEASE_RESEARCH = "DUO:0000004", "DUO:0000007"
RESTS_ON = {
    "DUO:0000042": ["DUO:0000004", "DUO:0000042"],  # general research
    "DUO:0000006": ["DUO:0000004", "DUO:0000042", "DUO:0000006"],  # health research
    "DUO:0000007": ["DUO:0000004", "DUO:0000042", "DUO:0000006"],  # or the disease, or above it
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


def covering_uses(purpose: str | None) -> list[str]:
    """The permissions that cover a purpose, each by itself. Raises ValueError for purposes with
    conditions, which the truth does not know."""
    if purpose is None:
        return [NO_RESTRICTION]
    term, _, disease = purpose.partition(" ")
    if term not in RESTS_ON or (disease and term != DISEASE_RESEARCH):
        raise ValueError(f"no truth for the purpose {purpose}")
    above = mondo.at_or_above(disease) if disease else []
    return [*RESTS_ON[term], *(f"{term} {one}" for one in above)]


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
        return self.query.granularity == "record"

    def asks_for(self, variant: Variant) -> bool:
        """Whether a variant of this contig is meant: the exact allele, or any that overlaps."""
        if self.allele is not None:
            return variant.start == self.start and (variant.ref, variant.alt) == self.allele
        return variant.start < self.end and variant.start + len(variant.ref) > self.start


class TruthCalculator:
    """Answers queries from the whole cohort.

    Ages are told for ``reference_year``. ``subcohort``: who and what is not in it is not there.
    """

    def __init__(
        self,
        sources: TruthSources,
        reference_year: int = 2026,
        subcohort: Subcohort | None = None,
    ) -> None:
        people, consent = sources.people, sources.consent
        self._trees = dict(sorted(sources.trees.items()))
        self._people = people.reset_index(drop=True)
        self._subcohort = subcohort or Subcohort.whole(len(people))
        present = set(people["country"][self._subcohort.people])
        numbered = enumerate(dict.fromkeys(people["country"]))
        self._countries = {country: index for index, country in numbered if country in present}
        self._cell = cells(people)
        self._consent = None if consent is None else consent.set_index("individual")
        self._genes = {gene.name: gene for gene in sources.genes}
        self._codes = _codes_of_people(sources)
        self._diseases, self._measurements = sources.diseases, sources.measurements
        self._year = reference_year

    def compute_answer(self, query: Query) -> dict[str, ExpectedAnswer]:
        """The expected answer of every country. Raises ValueError for a query that the truth
        does not understand, so that none is ever judged by a guess."""
        return self.compute_answers([query])[query.id]

    def compute_answers(self, queries: Iterable[Query]) -> dict[str, dict[str, ExpectedAnswer]]:
        """The same for many queries by their ids; every stretch of a genome is decoded once."""
        expected: dict[str, dict[str, ExpectedAnswer]] = {}
        tallies: dict[str, _Tally] = {}
        for query in queries:
            if query.kind == "ill_formed":
                refusal = ExpectedAnswer(False, 0, refused=True)
                expected[query.id] = dict.fromkeys(self._countries, refusal)
                continue
            question = self._question(query)
            permitting = self.people_permitting(query.purpose) & self._subcohort.people
            selected = self.select_people(question.filters) & permitting
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

    def select_people(self, filters: Sequence[Mapping[str, Any]]) -> np.ndarray:
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

    def people_permitting(self, purpose: str | None) -> np.ndarray:
        """Whose consent permits a purpose: bool[people]. Raises ValueError as
        ``covering_uses``."""
        if self._consent is None:
            return np.ones(len(self._people), dtype=bool)
        records = self._consent.reindex(self._people["id"])
        uses = records["uses"].fillna("").str.split(",").explode().str.strip()
        granting = uses.str.match(PERMISSION)
        covering = uses.isin(covering_uses(purpose))
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
        trees = tskit.load(self._trees[block])
        genotypes = DecodedGenotypes(block.contig, trees, self._cell, self._subcohort)
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

    def _expected(self, tally: _Tally) -> dict[str, ExpectedAnswer]:
        return {
            country: self._of_people(tally, index)
            if tally.question.wants_people
            else _of_variants(tally, index)
            for country, index in self._countries.items()
        }

    def _of_people(self, tally: _Tally, index: int) -> ExpectedAnswer:
        found = tally.selected & (self._cell // 2 == index)
        if tally.question.contig is not None:
            found &= tally.carriers
        records = tally.question.wants_records
        names = tuple(sorted(self._people["id"][found])) if records else ()
        return ExpectedAnswer(bool(found.any()), int(found.sum()), individuals=names)


def _codes_of_people(sources: TruthSources) -> pd.DataFrame:
    """A row a person (``individual``) and ``code`` of any kind that they have."""
    tables = [sources.diseases, sources.features, sources.measurements]
    if sources.treatments is not None:
        tables.append(sources.treatments)
    mondo = sources.diseases[["individual", "mondo"]].rename(columns={"mondo": "code"})
    return pd.concat([mondo, *(table[["individual", "code"]] for table in tables)]).dropna()


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


def _of_variants(tally: _Tally, index: int) -> ExpectedAnswer:
    here = {variant: counts[index] for variant, counts in tally.counts.items()}
    here = {variant: counts for variant, counts in here.items() if counts[:, 1].any()}
    alleles = {}
    if tally.question.wants_records or tally.question.query.tier != "controlled":
        alleles = {variant: _groups(counts) for variant, counts in here.items()}
    return ExpectedAnswer(bool(here), len(here), alleles)


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
