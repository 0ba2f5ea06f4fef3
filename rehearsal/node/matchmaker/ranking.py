"""Who at this node is like a patient: whoever shares a gene or variant, ranked by phenotype.

The score is graph information content (simGIC: Pesquita et al., BMC Bioinformatics 2008), less
what the two contradict each other in. Take each patient's terms with all more general ones; then

    score = max(0, IC(both have) - IC(one has, the other is known not to have)) / IC(either has)

where IC sums the terms' information content. It is 1 for the same terms, 0 for nothing in common,
and the same whoever of the two asks.

A gene is shared when it is among a person's recorded candidates, or the person carries a rare
variant in it; a variant when the person carries it and it is rare. Rare: at most five people of
the node carry it (a family), or one in a hundred.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from pyroaring import BitMap

from rehearsal.errors import shown
from rehearsal.model import Gene, Variant
from rehearsal.node.matchmaker.index import MatchmakerIndex, Term
from rehearsal.node.matchmaker.request import MatchRequest
from rehearsal.stores.variant_store import VariantRow, VariantStore
from rehearsal.web.problem import Problem

LEAST_SCORE = 0.1  # below it two patients have little more in common than being ill
FEW = 4  # one in so many people, or fewer
RARE_SHARE = 100  # one in so many people
ALWAYS_RARE = 5  # carriers: a family of a small node
UNINFORMATIVE = frozenset({"HP:0000001", "HP:0000118"})  # All, Phenotypic abnormality


@dataclass(frozen=True, slots=True)
class Match:
    """Somebody alike. ``terms``: the most special ones that both have, themselves or above theirs;
    ``variants``: those that both have, with the person's copies, 1 or 2."""

    person: int
    score: float
    terms: tuple[Term, ...]
    genes: tuple[str, ...]
    variants: tuple[tuple[Variant, int], ...]


@dataclass(frozen=True, slots=True)
class _Sharing:
    """Who shares which of the request's genes and variants, and who has two copies."""

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
        """With the person's copies."""
        return tuple(
            (variant, 2 if person in twice else 1)
            for variant, (people, twice) in self.variants.items()
            if person in people
        )


class Ranking:
    """Ranks a node's people. ``index`` is of the same people as ``variants``; ``genes``: by
    symbol, those whose variants count."""

    def __init__(
        self, variants: VariantStore, genes: Mapping[str, Gene], index: MatchmakerIndex
    ) -> None:
        self._variants, self._genes, self._index = variants, genes, index
        self._most = max(ALWAYS_RARE, index.size // RARE_SHARE)
        self._rare_carriers = lru_cache(maxsize=64)(self._read_rare_carriers)

    def matches(self, request: MatchRequest, excluded: BitMap, limit: int) -> list[Match]:
        """The ``limit`` best by score, and all that equal the last of them; in order of score,
        then who shares a variant, then of number.

        ``excluded``: who is not looked at. Raises Problem for terms that HPO does not know
        or that contradict each other.
        """
        observed = self._index.closure(self._numbers(request.observed))
        absent = self._numbers(request.absent)
        for number in absent:
            if number in observed:
                name = self._index.term(number).id
                raise Problem(f"patient.features: {name} is observed, or one below it")
        sharing = self._find_sharing(request)
        people = np.array((sharing.people - excluded).to_array(), np.int64)
        if not people.size:
            return []
        scores = self._scores(observed, absent, people)
        found = _best(scores, limit)
        matches = [
            self._match(int(people[i]), float(scores[i]), observed, sharing) for i in found.tolist()
        ]
        return sorted(matches, key=lambda one: (-one.score, not one.variants, one.person))

    def _numbers(self, names: tuple[str, ...]) -> list[int]:
        numbers = []
        for name in names:
            number = self._index.number(name)
            if number is None:
                hpo = self._index.hpo
                raise Problem(f"patient.features: {shown(name)} is no term of HPO {hpo}")
            numbers.append(number)
        return numbers

    # --- who shares a gene or variant ---

    def _find_sharing(self, request: MatchRequest) -> _Sharing:
        genes = {}
        for gene in request.genes:
            genes[gene] = self._index.with_gene(gene)
            if gene in self._genes:
                genes[gene] = genes[gene] | self._rare_carriers(gene)
        return _Sharing(genes, {one: self._with_variant(one) for one in request.variants})

    def _read_rare_carriers(self, gene: str) -> BitMap:
        """Who carries a rare variant in a gene of the node's table."""
        place = self._genes[gene]
        rows = self._variants.overlapping(place.contig, place.start, place.end)
        return BitMap.union(BitMap(), *(row.carriers() for row in rows if self._is_rare(row)))

    def _with_variant(self, variant: Variant) -> tuple[BitMap, BitMap]:
        """Who carries the variant where it is rare, and who two copies of it."""
        allele = (variant.contig, variant.start, variant.ref, variant.alt)
        row = self._variants.get(*allele)
        if row is None or not self._is_rare(row):
            return BitMap(), BitMap()
        return row.carriers(), row.homozygotes()

    def _is_rare(self, row: VariantRow) -> bool:
        counts = row.total
        return counts.hom + counts.het + counts.hemi <= self._most

    # --- the score ---

    def _scores(
        self, observed: frozenset[int], absent: list[int], people: NDArray[np.int64]
    ) -> NDArray[np.float64]:
        """Score by person, rounded to six decimals. ``people``: sorted numbers."""
        everybody = self._index.size
        # of few it is quicker to count these only, of many to count everybody
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
        """The terms at or below these that somebody here has."""
        if not any(self._index.term(number).people for number in absent):
            return []
        wanted = frozenset(absent)
        return [n for n, ancestors in self._index.terms_of_people.items() if ancestors & wanted]

    # --- what is shared ---

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


def _add(sums: NDArray[np.int64], people: BitMap, chosen: BitMap | None, content: int) -> None:
    """Add to the people's sums; to those of the chosen only, where somebody is chosen."""
    people = people if chosen is None else people & chosen
    if people and content:
        sums[np.frombuffer(people.to_array(), np.uint32)] += content


def _best(scores: NDArray[np.float64], limit: int) -> NDArray[np.int64]:
    """Places of the ``limit`` best scores and of those equal to the last, from LEAST_SCORE on."""
    enough = np.flatnonzero(scores >= LEAST_SCORE)
    if enough.size > limit:
        last = -np.partition(-scores[enough], limit - 1)[limit - 1]
        enough = enough[scores[enough] >= last]
    return enough
