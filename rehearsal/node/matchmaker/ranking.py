"""Finds similar patients at this node: people who share a gene or variant, ranked by phenotype.

The score is graph information content (simGIC: Pesquita et al., BMC Bioinformatics 2008), reduced
by contradictions. Take each patient's terms with all their ancestors. Then

    score = max(0, IC(both have) - IC(one has, the other has excluded)) / IC(either has)

where IC sums the terms' information content. The score is 1 for the same terms and 0 for nothing in
common, and does not depend on which of the two is the request's patient. Without phenotypes in the
request, the score is the mean over its genes and variants of how closely the person shares them: 1
for a variant, for a gene with such a variant and for a gene among the recorded candidates, else the
weight of the person's rare variant in the gene with the most severe effect. A variant that cannot
be compared counts as one that nobody shares.

A gene is shared when it is among a person's recorded candidates, or when the person carries a rare
variant in it. A variant is shared when the person carries it and it is rare. Rare means that at
most five people (a family) or one in a hundred carry it, among the people whose consent permits the
purpose: nobody else influences an answer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap, FrozenBitMap

from rehearsal.errors import mismatch, shown
from rehearsal.model import Gene, Variant
from rehearsal.node.beacon.allele_notation import without_padding
from rehearsal.node.beacon.stated_bases import contradiction
from rehearsal.node.beacon.variant_queries import PLAIN, SequenceQuery
from rehearsal.node.beacon.variant_search import find_allele
from rehearsal.node.matchmaker.effect_weights import weight_of
from rehearsal.node.matchmaker.index import MatchmakerIndex, Term
from rehearsal.node.matchmaker.request import MatchRequest
from rehearsal.node.settings.gene_names import GeneNames
from rehearsal.stores.node_reference import ReferenceBases
from rehearsal.stores.variant_store import VariantRow, VariantStore

LEAST_SCORE = 0.1  # below it, two patients have little more in common than being ill
FEW = 4  # candidates are few when fewer than one in this number of people
RARE_SHARE = 100  # a variant is rare when at most one in this number of people carries it
ALWAYS_RARE = 5  # carriers; a variant with at most this number is rare also at a small node
UNINFORMATIVE = frozenset({"HP:0000001", "HP:0000118"})  # All, Phenotypic abnormality


@dataclass(frozen=True, slots=True)
class Match:
    """A similar person."""

    person: int  # number of the person
    score: float  # 0 to 1
    terms: tuple[Term, ...]  # the most specific terms that both have, directly or as ancestors
    genes: tuple[str, ...]  # shared genes
    variants: tuple[tuple[Variant, int], ...]  # shared variants, with the person's copies (1, 2)


@dataclass(frozen=True, slots=True)
class _Sharing:
    """The carriers of the request's genes and variants, and the homozygotes.

    Genes have the names that the request gives them.
    """

    genes: Mapping[str, BitMap]
    variants: Mapping[Variant, tuple[BitMap, BitMap]]

    @property
    def people(self) -> BitMap:
        return BitMap.union(
            BitMap(), *self.genes.values(), *(people for people, _ in self.variants.values())
        )

    def genes_of(self, person: int) -> tuple[str, ...]:
        return tuple(gene for gene, people in self.genes.items() if person in people)

    def variants_of(self, person: int) -> tuple[tuple[Variant, int], ...]:
        """Return the person's variants of the request, with copies."""
        return tuple(
            (variant, 2 if person in twice else 1)
            for variant, (people, twice) in self.variants.items()
            if person in people
        )


class Ranking:
    """Ranks a node's people by similarity to a patient.

    Args:
        variants: Germline variants of the people.
        genes: The genes in which rare variants count.
        index: The index of the same people.
        reference: The node's reference, or None if it has none.
    """

    def __init__(
        self,
        variants: VariantStore,
        genes: GeneNames,
        index: MatchmakerIndex,
        reference: ReferenceBases | None = None,
    ) -> None:
        self._variants, self._genes, self._index = variants, genes, index
        self._reference = reference
        self._rare_carriers = lru_cache(maxsize=64)(self._read_rare_carriers)
        self._rare_by_weight = lru_cache(maxsize=64)(self._read_rare_by_weight)

    def matches(self, request: MatchRequest, excluded: BitMap, limit: int) -> list[Match]:
        """Find the most similar people.

        With a gene or variant in the request, they are those who share one. Without, everybody is
        compared.

        Args:
            request: The patient to match. Unknown terms and genes are left out (:meth:`notes`).
            excluded: Numbers of the people to leave out.
            limit: Number of matches. Ties with the last one are added.

        Returns:
            Matches in descending order of score, then those with a shared variant, then by number.
        """
        observed = self._index.closure(self._numbers(request.observed))
        sharing = self._find_sharing(request, FrozenBitMap(excluded))
        people = self._candidates(request, observed, sharing, excluded)
        if not people.size:
            return []
        if observed:
            absent = [one for one in self._numbers(request.absent) if one not in observed]
            scores = self._scores(observed, absent, people)
            found = _best(scores, limit, LEAST_SCORE)
        else:
            scores = self._closeness(request, sharing, FrozenBitMap(excluded), people)
            found = _best(scores, limit, 0.0)
        matches = [
            self._match(int(people[i]), float(scores[i]), observed, sharing) for i in found.tolist()
        ]
        return sorted(matches, key=lambda one: (-one.score, not one.variants, one.person))

    def _candidates(
        self,
        request: MatchRequest,
        observed: frozenset[int],
        sharing: _Sharing,
        excluded: BitMap,
    ) -> NDArray[np.int64]:
        """Return sorted numbers of the people to compare: nobody without anything known."""
        if request.genes or request.variants:
            return np.array(sharing.people.to_array(), np.int64)
        if not observed:
            return np.empty(0, np.int64)
        everybody = BitMap(range(self._index.size)) - excluded
        return np.array(everybody.to_array(), np.int64)

    def notes(self, request: MatchRequest) -> list[str]:
        """Say which parts of a request are not compared. It depends on no person.

        Args:
            request: The patient to match.

        Returns:
            One message per term, gene or variant.
        """
        told = (self._contradiction(one) for one in request.variants)
        of_variants = (f"patient.genomicFeatures: {one}" for one in told if one)
        return [
            *self._notes_of_terms(request),
            *self._notes_of_genes(request),
            *of_variants,
            *self._notes_of_pairs(request),
        ]

    def _notes_of_pairs(self, request: MatchRequest) -> Iterator[str]:
        """Name variants outside the gene that the request gives with them, both 1-based."""
        for variant, name in request.gene_of.items():
            gene = self._genes.find(name)
            if gene is None or (variant.contig == gene.contig and _overlap(variant, gene)):
                continue
            expected = f"a variant in {gene.name} ({gene.contig}:{gene.start + 1}-{gene.end})"
            found = f"one at {variant.contig}:{variant.start + 1}"
            fault = mismatch("patient.genomicFeatures", expected, found)
            yield f"{fault}; gene and variant are each compared by themselves"

    def _contradiction(self, variant: Variant) -> str | None:
        return contradiction(_query_for(variant), self._reference)

    def _notes_of_terms(self, request: MatchRequest) -> Iterator[str]:
        expected = f"terms of HPO {self._index.hpo}"
        for name in (*request.observed, *request.absent):
            if self._index.number(name) is None:
                yield f"{mismatch('patient.features', expected, shown(name))}; it is not compared"
        observed = self._index.closure(self._numbers(request.observed))
        for number in self._numbers(request.absent):
            if number in observed:
                name = self._index.term(number).id
                found = f"{name} as not observed, and it or a descendant as observed"
                expected = "terms that do not contradict each other"
                yield f"{mismatch('patient.features', expected, found)}; the former is not compared"

    def _notes_of_genes(self, request: MatchRequest) -> Iterator[str]:
        """Name the genes outside the node's table, whoever has them on record."""
        expected = f"genes of this node ({', '.join(self._genes.symbols) or 'none'})"
        for gene in request.genes:
            if self._genes.find(gene) is None:
                fault = mismatch("patient.genomicFeatures", expected, shown(gene))
                yield f"{fault}; it is only compared with candidate genes on record, by this name"

    def _numbers(self, names: tuple[str, ...]) -> list[int]:
        """Return the numbers of the terms that HPO has."""
        numbers = (self._index.number(name) for name in names)
        return [number for number in numbers if number is not None]

    # --- sharing of genes and variants ---

    def _find_sharing(self, request: MatchRequest, excluded: FrozenBitMap) -> _Sharing:
        """Find who shares the request's genes and variants, without the excluded people."""
        genes = {asked: self._with_gene(asked, excluded) for asked in request.genes}
        variants = {one: self._with_variant(one, excluded) for one in request.variants}
        return _Sharing(genes, variants)

    def _with_gene(self, asked: str, excluded: FrozenBitMap) -> BitMap:
        """Return who has a gene on record, or a rare variant in it. ``asked``: any name of it."""
        gene = self._genes.find(asked)
        if gene is not None:
            return (self._index.with_gene(gene.name) - excluded) | self._rare_carriers(
                gene, excluded
            )
        symbol = self._index.gene_symbol(asked)
        return BitMap() if symbol is None else self._index.with_gene(symbol) - excluded

    def _read_rare_carriers(self, gene: Gene, excluded: FrozenBitMap) -> BitMap:
        """Return the carriers of rare variants in a gene of the node's table."""
        rows = self._variants.overlapping(gene.contig, gene.start, gene.end)
        return BitMap.union(BitMap(), *(self._carriers_if_rare(row, excluded) for row in rows))

    def _with_variant(self, variant: Variant, excluded: FrozenBitMap) -> tuple[BitMap, BitMap]:
        """Return carriers and homozygotes of a variant. Both are empty when it is not rare.

        Nobody has one whose REF is not that of the reference.
        """
        if self._contradiction(variant):
            return BitMap(), BitMap()
        query = without_padding(_query_for(variant), self._reference)
        row = None
        if isinstance(query, SequenceQuery) and PLAIN.issuperset(f"{query.ref}{query.alt}"):
            row = next(find_allele(query, self._variants, self._reference), None)
        carriers = None if row is None else self._carriers_if_rare(row, excluded)
        if row is None or not carriers:
            return BitMap(), BitMap()
        return carriers, row.homozygotes() & carriers

    def _carriers_if_rare(self, row: VariantRow, excluded: FrozenBitMap) -> BitMap:
        """Return the carriers who are not excluded; nobody when they are too many to be rare."""
        most = max(ALWAYS_RARE, (self._index.size - len(excluded)) // RARE_SHARE)
        counts = row.total
        if counts.hom + counts.het + counts.hemi - len(excluded) > most:
            return BitMap()  # too many whoever is excluded: saves decoding them
        carriers = row.carriers() - excluded
        return carriers if len(carriers) <= most else BitMap()

    # --- the score ---

    def _closeness(
        self,
        request: MatchRequest,
        sharing: _Sharing,
        excluded: FrozenBitMap,
        people: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """Return how closely people share the genes and variants asked for, to six decimals."""
        asked = [self._close_to_gene(gene, sharing, excluded) for gene in request.genes]
        asked += [{1.0: carriers} for carriers, _ in sharing.variants.values()]
        total = np.zeros(people.size)
        for weights in asked:
            best = np.zeros(people.size)
            for weight, having in weights.items():
                shares = np.isin(people, np.array(having.to_array(), np.int64))
                best = np.maximum(best, weight * shares)
            total += best
        return np.round(total / (len(asked) + request.uncompared), 6)

    def _close_to_gene(
        self, asked: str, sharing: _Sharing, excluded: FrozenBitMap
    ) -> dict[float, BitMap]:
        """Return who shares a gene, by how closely. ``asked``: any name of it."""
        gene = self._genes.find(asked)
        if gene is None:
            return {1.0: sharing.genes[asked]}  # only candidates on record
        named = [
            carriers
            for variant, (carriers, _) in sharing.variants.items()
            if variant.contig == gene.contig and gene.start <= variant.start < gene.end
        ]
        sure = BitMap.union(self._index.with_gene(gene.name) - excluded, *named)
        weights = self._rare_by_weight(gene, excluded)
        return weights | {1.0: weights.get(1.0, BitMap()) | sure}

    def _read_rare_by_weight(self, gene: Gene, excluded: FrozenBitMap) -> dict[float, BitMap]:
        """Return the carriers of rare variants in a gene by what these change in it."""
        found: dict[float, BitMap] = {}
        for row in self._variants.overlapping(gene.contig, gene.start, gene.end):
            if carriers := self._carriers_if_rare(row, excluded):
                effects = self._variants.effects(row)
                weight = weight_of(one.term for one in effects if one.gene == gene.name)
                found[weight] = found.get(weight, BitMap()) | carriers
        return found

    def _scores(
        self, observed: frozenset[int], absent: list[int], people: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Return the people's scores, rounded to six decimals. ``people``: sorted numbers."""
        everybody = self._index.size
        # for few candidates it is faster to sum only them, for many to sum everybody
        chosen = BitMap(people) if FEW * people.size < everybody else None
        shared = np.zeros(everybody, np.int64)
        against = np.zeros(everybody, np.int64)
        total = 0
        excluding = {
            number: self._index.term(number).excluding
            for number in observed
            if self._index.term(number).excluding
        }
        for number in observed:
            term = self._index.term(number)
            total += term.content
            _add(shared, term.people, chosen, term.content)
            contrary = [lacking for above, lacking in excluding.items() if above in term.ancestors]
            if contrary:
                _add(against, BitMap.union(*contrary), chosen, term.content)
        for number in self._terms_of_people_below(absent):
            term = self._index.term(number)
            _add(against, term.people, chosen, term.content)
        both = shared[people]
        either = total + self._index.totals[people] - both
        return np.round(np.maximum(both - against[people], 0) / np.maximum(either, 1), 6)

    def _terms_of_people_below(self, absent: list[int]) -> list[int]:
        """Return these terms and their descendants, of those that somebody here has."""
        if not any(self._index.term(number).people for number in absent):
            return []
        wanted = frozenset(absent)
        return [n for n, ancestors in self._index.terms_of_people.items() if ancestors & wanted]

    # --- shared terms ---

    def _match(
        self, person: int, score: float, observed: frozenset[int], sharing: _Sharing
    ) -> Match:
        terms = self._most_special_shared(person, observed)
        return Match(person, score, terms, sharing.genes_of(person), sharing.variants_of(person))

    def _most_special_shared(self, person: int, observed: frozenset[int]) -> tuple[Term, ...]:
        both = {n for n in observed if person in self._index.term(n).people}
        above = set(chain.from_iterable(self._index.term(n).ancestors - {n} for n in both))
        terms = (self._index.term(n) for n in both - above)
        informative = (term for term in terms if term.id not in UNINFORMATIVE)
        return tuple(sorted(informative, key=lambda term: term.id))


def _overlap(variant: Variant, gene: Gene) -> bool:
    return variant.start < gene.end and variant.start + len(variant.ref) > gene.start


def _query_for(variant: Variant) -> SequenceQuery:
    return SequenceQuery(variant.contig, variant.start, variant.ref, variant.alt)


def _add(sums: NDArray[np.int64], people: BitMap, chosen: BitMap | None, content: int) -> None:
    """Add to the people's sums, or only to those of chosen people."""
    people = people if chosen is None else people & chosen
    if people and content:
        sums[np.frombuffer(people.to_array(), np.uint32)] += content


def _best(scores: NDArray[np.float64], limit: int, least: float) -> NDArray[np.int64]:
    """Return places of the ``limit`` best scores and their ties, from the least one on."""
    enough = np.flatnonzero(scores >= least)
    if enough.size > limit:
        last = -np.partition(-scores[enough], limit - 1)[limit - 1]
        enough = enough[scores[enough] >= last]
    return enough
