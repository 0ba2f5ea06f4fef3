"""The right answer to every query, from the pooled tree sequences and tables.

No code is shared with a node: genotypes are decoded by tskit and counted with NumPy, people are
selected with pandas. A query is read from its Beacon request, as any server would read it.
"""

from __future__ import annotations

import operator
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from itertools import compress
from typing import Any

import numpy as np
import pandas as pd
import tskit

from rehearsal.errors import mismatch, shown
from rehearsal.logs import in_progress
from rehearsal.model import AlleleCounts, Block, Query, Variant
from rehearsal.truth import hpo, mondo, so
from rehearsal.truth.decoded_genotypes import DecodedAlleles, DecodedGenotypes, cells
from rehearsal.truth.expected_answers import GROUPS, ExpectedAnswer, GroupCounts
from rehearsal.truth.question import Question, read_question
from rehearsal.truth.sources import TruthSources
from rehearsal.truth.subcohort import Subcohort
from rehearsal.truth.variant_classes import Extent

# Consent, by the Data Use Ontology's definitions: the permissions that cover a purpose
NO_RESTRICTION, DISEASE_RESEARCH = "DUO:0000004", "DUO:0000007"
RESTS_ON = {
    "DUO:0000042": ["DUO:0000004", "DUO:0000042"],  # general research
    "DUO:0000006": ["DUO:0000004", "DUO:0000042", "DUO:0000006"],  # health research
    "DUO:0000007": [
        "DUO:0000004",
        "DUO:0000042",
        "DUO:0000006",
    ],  # or a broader disease
    "DUO:0000011": ["DUO:0000004", "DUO:0000042", "DUO:0000011"],  # origins and ancestry
    "DUO:0000043": ["DUO:0000004", "DUO:0000043"],  # clinical care
}
PERMISSION = "DUO:00000(?:04|42|06|07|11|43)"
SEX_OF_TERM = {"NCIT:C16576": "female", "NCIT:C20197": "male"}
COMPARE = {
    **{"=": operator.eq, "<": operator.lt, "<=": operator.le},
    **{">": operator.gt, ">=": operator.ge},
}
ONSET_OF = "ageOfOnset:"  # followed by the code of a disease


def covering_uses(purpose: str | None) -> list[str]:
    """Return the permissions that cover a purpose; each suffices alone.

    Args:
        purpose: A DUO term, with a Mondo term after it for research on a disease. None if no
            purpose is stated.

    Raises:
        ValueError: The purpose has conditions, which the truth does not know.
    """
    if purpose is None:
        return [NO_RESTRICTION]
    term, _, disease = purpose.partition(" ")
    if term not in RESTS_ON or (disease and term != DISEASE_RESEARCH):
        expected = f"one of {', '.join(RESTS_ON)}, with a disease only after {DISEASE_RESEARCH}"
        raise ValueError(mismatch("purpose", expected, shown(purpose)))
    above = mondo.at_or_above(disease) if disease else []
    return [*RESTS_ON[term], *(f"{term} {one}" for one in above)]


def find_permitting(
    people: pd.DataFrame, consent: pd.DataFrame | None, purpose: str | None
) -> np.ndarray:
    """Find the people whose consent permits a purpose.

    Args:
        people: All people of the run.
        consent: Their consent records. None: everybody permits everything.
        purpose: As in :func:`covering_uses`.

    Returns:
        Whether each person permits it, shape (people,), bool.

    Raises:
        ValueError: As in :func:`covering_uses`.
    """
    if consent is None:
        return np.ones(len(people), dtype=bool)
    records = consent.set_index("individual").reindex(people["id"])
    uses = records["uses"].fillna("").str.split(",").explode().str.strip()
    granting = uses.str.match(PERMISSION)
    covering = uses.isin(covering_uses(purpose))
    is_kept = records["withdrawn"].eq(False).to_numpy()
    return (
        is_kept
        & covering.groupby(level=0).any()[people["id"]].to_numpy()
        & granting.groupby(level=0).all()[people["id"]].to_numpy()
    )


class TruthCalculator:
    """Computes right answers from the whole cohort.

    Args:
        sources: Tree sequences and tables of the whole cohort.
        reference_year: The year in which ages are given.
        subcohort: The people and alleles that exist. None for all.
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
        self._consent = consent
        self._genes = {gene.name: gene for gene in sources.genes}
        self._codes = _codes_of_people(sources)
        self._gene_truth = sources.gene_truth
        self._diseases, self._measurements = sources.diseases, sources.measurements
        self._year = reference_year
        self._permitting: dict[str | None, np.ndarray] = {}  # by purpose

    def compute_answer(self, query: Query) -> dict[str, ExpectedAnswer]:
        """Compute the right answer of every country.

        Args:
            query: The query.

        Returns:
            Right answers by country.

        Raises:
            ValueError: The truth does not understand the query, so that none is judged by a guess.
        """
        return self.compute_answers([query])[query.id]

    def compute_answers(
        self, queries: Iterable[Query], together: str | None = None
    ) -> dict[str, dict[str, ExpectedAnswer]]:
        """Compute the right answers to many queries. Every stretch of a genome is decoded once.

        Args:
            queries: The queries.
            together: Name of a place with the people of all countries, which is answered for too.

        Returns:
            Right answers by query id and country.

        Raises:
            ValueError: The truth does not understand a query.
        """
        places = {country: [index] for country, index in self._countries.items()}
        if together is not None:
            places[together] = list(self._countries.values())
        expected: dict[str, dict[str, ExpectedAnswer]] = {}
        tallies: dict[str, _Tally] = {}
        for query in queries:
            if query.kind == "ill_formed":
                refusal = ExpectedAnswer(False, 0, refused=True)
                expected[query.id] = dict.fromkeys(places, refusal)
                continue
            question = read_question(query, self._genes)
            permitting = self.people_permitting(query.purpose) & self._subcohort.people
            selected = self.select_people(question.filters) & permitting
            tallies[query.id] = _Tally(question, selected, permitting)
        for block in in_progress(self._trees, "blocks"):
            mine = [t for t in tallies.values() if t.question.contig == block.contig]
            if mine:
                self._count(block, mine)
        for name, tally in tallies.items():
            expected[name] = self._expected(tally, places)
        return expected

    def select_people(self, filters: Sequence[Mapping[str, Any]]) -> np.ndarray:
        """Select the people who match all filters.

        Args:
            filters: The filters of a Beacon request.

        Returns:
            Whether each person matches, shape (people,), bool.
        """
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
        """Return the ids of people with a value for which ``value operator wanted`` holds.

        Raises KeyError for an unknown operator and ValueError for a value that is not a number.
        """
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
        """Select the people whose consent permits a purpose.

        Args:
            purpose: As in :func:`covering_uses`.

        Returns:
            Whether each person permits it, shape (people,), bool.

        Raises:
            ValueError: As in :func:`covering_uses`.
        """
        if purpose not in self._permitting:
            self._permitting[purpose] = find_permitting(self._people, self._consent, purpose)
        return self._permitting[purpose]

    def _count(self, block: Block, tallies: list[_Tally]) -> None:
        """Add the variants of one block to the tallies of the questions about its contig."""
        intervals = [(t.question.start, t.question.end) for t in tallies]
        if not any(start < block.end and end > block.start for start, end in intervals):
            return
        trees = tskit.load(self._trees[block])
        genotypes = DecodedGenotypes(block.contig, trees, self._cell, self._subcohort)
        for some in genotypes.within(intervals):
            first, last = some.stretch
            near = [t for t in tallies if t.question.start < last and t.question.end > first]
            for number in range(len(some.alleles)):
                self._add(near, some.row(number), genotypes)

    def _add(
        self,
        tallies: Iterable[_Tally],
        one: DecodedAlleles,
        genotypes: DecodedGenotypes,
    ) -> None:
        """Add one variant, with its carriers, to the tallies whose questions ask for it."""
        ((variant, extent),) = one.alleles
        counts: dict[bytes, np.ndarray] = {}
        for tally in tallies:
            if not self._matches(tally.question, variant, extent):
                continue
            if tally.question.wants_people:
                tally.carriers[one.person] = True
                continue
            if tally.permitting_key not in counts:
                (counts[tally.permitting_key],) = genotypes.counts(one, tally.permitting)
            tally.add(variant, extent, counts[tally.permitting_key])

    def _matches(self, question: Question, variant: Variant, extent: Extent) -> bool:
        """Tell whether a variant is asked for and has all consequences that are asked for."""
        if not question.asks_for(variant, extent):
            return False
        if not question.effects:
            return True
        if self._gene_truth is None:
            where = f"{question.query.id}: filters"
            raise ValueError(mismatch(where, "no consequence, as no genes are known", "one"))
        found = self._gene_truth.consequences(
            variant.contig, variant.start, variant.ref, variant.alt, extent.end
        )
        having = {one.accession for one in found if question.gene in (None, one.gene)}
        return not any(having.isdisjoint(so.at_or_below(term)) for term in question.effects)

    def _expected(
        self, tally: _Tally, places: Mapping[str, Sequence[int]]
    ) -> dict[str, ExpectedAnswer]:
        """Return the answers of places, given the numbers of their countries."""
        found = {}
        for place, indices in places.items():
            here = np.isin(self._cell // 2, indices)
            answer = (
                self._of_people(tally, here)
                if tally.question.wants_people
                else _of_variants(tally, indices)
            )
            is_controlled = tally.question.query.tier == "controlled"
            found[place] = answer if is_controlled else replace(answer, people=int(here.sum()))
        return found

    def _of_people(self, tally: _Tally, here: np.ndarray) -> ExpectedAnswer:
        found = tally.selected & here
        if tally.question.contig is not None:
            found &= tally.carriers
        records = tally.question.wants_records
        names = tuple(sorted(self._people["id"][found])) if records else ()
        return ExpectedAnswer(bool(found.any()), int(found.sum()), individuals=names)


def _codes_of_people(sources: TruthSources) -> pd.DataFrame:
    """Return one row per person (``individual``) and ``code`` of any kind."""
    tables = [sources.diseases, sources.features, sources.measurements]
    if sources.treatments is not None:
        tables.append(sources.treatments)
    of_mondo = sources.diseases[["individual", "mondo"]].rename(columns={"mondo": "code"})
    if sources.treatments is not None:
        tables += [
            sources.treatments[["individual", column]].rename(columns={column: "code"})
            for column in ("response", "adverse_event")
        ]
    codes = pd.concat([of_mondo, *(table[["individual", "code"]] for table in tables)]).dropna()
    of_hpo = codes["code"].astype(str).str.startswith("HP:")  # nobody has codes: no text
    codes.loc[of_hpo, "code"] = codes.loc[of_hpo, "code"].map(hpo.current)
    return codes


class _Tally:
    """The counts of one question so far.

    ``selected`` are the people who match its filters, ``permitting`` those whose consent covers its
    purpose; both have the shape (people,), bool.
    """

    def __init__(self, question: Question, selected: np.ndarray, permitting: np.ndarray) -> None:

        self.question = question
        self.selected, self.permitting = selected, permitting
        self.permitting_key = np.packbits(permitting).tobytes()
        self.carriers = np.zeros(len(selected), dtype=bool)
        # an, ac, hom, het, hemi by variant, shape (countries, sexes, 5)
        self.counts: dict[Variant, np.ndarray] = {}
        self.extents: dict[Variant, tuple[int, int]] = {}  # of structural variants

    def add(self, variant: Variant, extent: Extent, counts: np.ndarray) -> None:
        """Add the counts of one variant.

        Args:
            variant: The variant.
            extent: Its extent.
            counts: an, ac, hom, het and hemi, shape (countries, sexes, 5).
        """
        self.counts[variant] = counts
        if extent.length:
            self.extents[variant] = extent.end, extent.length

    @cached_property
    def table(self) -> np.ndarray:
        """All counts, shape (variants, countries, sexes, 5). Ask when every variant was added."""
        return np.stack(list(self.counts.values()))


def _of_variants(tally: _Tally, indices: Sequence[int]) -> ExpectedAnswer:
    if not tally.counts:
        return ExpectedAnswer(False, 0)
    of_all = tally.table[:, indices].sum(axis=1)
    is_here = of_all[:, :, 1].any(axis=1)
    here = dict(compress(zip(tally.counts, of_all, strict=True), is_here.tolist()))
    alleles = {}
    if tally.question.wants_records or tally.question.query.tier != "controlled":
        alleles = {variant: _groups(counts) for variant, counts in here.items()}
    extents = {variant: tally.extents[variant] for variant in alleles if variant in tally.extents}
    return ExpectedAnswer(bool(here), len(here), alleles, extents=extents)


def _groups(counts: np.ndarray) -> GroupCounts:
    """Convert counts of shape (sexes, 5) to counts of all people, women and men."""
    rows = (counts.sum(axis=0), counts[0], counts[1])
    return {
        group: AlleleCounts(*(int(value) for value in row))
        for group, row in zip(GROUPS, rows, strict=True)
    }


def _is_or_under(codes: pd.Series, term: str) -> pd.Series:
    """Mark codes that are the term or below it: in HPO and Mondo, in ICD-10 and ATC by prefix."""
    if term.startswith("HP:"):
        return codes.isin(hpo.at_or_below(term))
    if term.startswith("MONDO:"):
        return codes.isin(mondo.at_or_below(term))
    if term.startswith("ATC:"):
        return codes.str.startswith(term)  # all levels are prefixes
    same = codes == term
    if not term.startswith("ICD10"):
        return same
    prefix = term if "." in term else f"{term}."
    return same | codes.str.startswith(prefix)
