"""From a Beacon query to a protected question: its canonical text, and what public facts say.

Nothing here reads the node's own people or variants. The rows of alleles that the public facts list
are searched by the same code as the node's variants.
"""

from __future__ import annotations

from collections.abc import Iterable

from rehearsal.formats.ontology_terms import SEX_TERMS
from rehearsal.node.beacon.canonical_queries import has_effects, variant_text
from rehearsal.node.beacon.datasets import PEOPLE_IN_TESTS, Dataset
from rehearsal.node.beacon.filters import Filter, fault_of_term, terms_of
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.question import Question
from rehearsal.node.beacon.transcript_names import ProteinQuery
from rehearsal.node.beacon.variant_queries import (
    BracketQuery,
    RangeQuery,
    VariantQuery,
)
from rehearsal.node.beacon.variant_search import search_variants
from rehearsal.node.beacon.vrs_index import VrsQuery
from rehearsal.node.privacy.door import ProtectedQuestion
from rehearsal.node.privacy.expectation import EVERYBODY, NOBODY, UNKNOWN, ShareBounds
from rehearsal.node.privacy.public_facts import FirstAlleles, PublicFacts
from rehearsal.stores.ontology import is_no_term
from rehearsal.stores.people_store import SAMPLES

LONGEST_RANGE = 10_000  # bases in which a node counts carriers for a protected tier
# share of people, per base, who carry an allele that is too rare to be listed: a genome differs
# from the reference at about one base in a thousand, mostly by common alleles
UNLISTED_PER_BASE = 1e-3
# share of people with an unlisted structural variant over a given base: a genome has some 25,000
# (PMC6681822), of which the rare ones, about one in twenty, affect some 5 kb each
UNLISTED_REACHING = 2e-3

_SEXES = {term: sex for sex, term in SEX_TERMS.items()}


def protected_question(
    question: Question,
    query: VariantQuery | None,
    dataset: Dataset,
    facts: PublicFacts,
    node_data: NodeData,
) -> ProtectedQuestion:
    """Build the protected question that a query stands for.

    Synonyms, order, and the endpoint make no difference: an allele beside a filter is the same
    question at ``/g_variants`` and at ``/individuals``.

    Args:
        question: The query, with at most a sex and one exact term as filters.
        query: Its canonical variant query.
        dataset: The dataset that answers, or one with the same members.
        facts: The node's public facts.
        node_data: The node's data, of which only the settings are used.

    Returns:
        The question.
    """
    sample = counted_sample(question.entry_type, facts, node_data)
    purpose = question.rights.purpose
    parts = (
        "everybody" if dataset.kind in ("frequencies", "people") else dataset.kind,
        sample or "people",
        "any purpose" if purpose is None else str(purpose),
        *_filter_texts(question.request.filters, facts),
        variant_text(query),
    )
    shares = _matching(question.request.filters, query, facts, node_data, dataset)
    for part in (_of_dataset(dataset, facts), _with_sample(sample, facts)):
        shares = shares.both(UNKNOWN if part is None else ShareBounds(part, part))
    shares = shares.among(question.rights.permitted_share)
    width = _width(query)
    wide = f"a range of {width:,} bases, of at most {LONGEST_RANGE:,}"
    too_wide = wide if width > LONGEST_RANGE else ""
    most = public_share(dataset, facts) or 1.0
    return ProtectedQuestion("\n".join(parts), shares, too_wide, _needs_grant(query), most)


def counted_sample(entry_type: str, facts: PublicFacts, node_data: NodeData) -> str:
    """Return the kind of sample by which a question differs from that about people.

    Args:
        entry_type: Path of the entry type's endpoint.
        facts: The node's public facts.
        node_data: The node's data, of which only the settings are used.

    Returns:
        The kind. Empty where everybody has one: people and samples are one question then.
    """
    if entry_type not in SAMPLES or facts.share_with_sample(entry_type) == 1.0:
        return ""
    everybody = node_data.settings.genotypes_only and entry_type == "biosamples"
    return "" if everybody else entry_type


def nobody_has(question: Question, node_data: NodeData) -> bool:
    """Tell whether the settings or the ontologies alone say that nobody matches a question.

    Args:
        question: The query, with at most a sex and one exact term as filters.
        node_data: The node's data, of which only the settings are used.
    """
    bare = node_data.settings.genotypes_only
    if bare and question.entry_type in ("runs", "analyses"):
        return True
    terms = [one for one in terms_of(question.request.filters) if one not in _SEXES]
    return any(bare or fault_of_term(one) for one in terms)


def _needs_grant(query: VariantQuery | None) -> str:
    """Say why a canonical query is answered with a grant only. Empty if it is not."""
    if _asks_for_effects(query):
        return "a condition on molecular effects, which needs a grant"
    if isinstance(query, VrsQuery):
        return "a computed identifier of no public allele, which needs a grant"
    return ""


def _asks_for_effects(query: VariantQuery | None) -> bool:
    """Tell whether a canonical query asks for what alleles change, which no public fact lists."""
    return has_effects(query) or isinstance(query, ProteinQuery)


def _width(query: VariantQuery | None) -> int:
    """Return the number of bases in which a query searches."""
    if isinstance(query, RangeQuery):
        return query.end - query.start
    if isinstance(query, BracketQuery):
        return query.start[1] + 1 - query.start[0]
    return 1


def _filter_texts(filters: Iterable[Filter], facts: PublicFacts) -> list[str]:
    texts = set()
    for term, descendants in terms_of(filters).items():
        if term in _SEXES:
            texts.add(_SEXES[term])
            continue
        found = facts.has_term(term, descendants)
        below = descendants and (found is None or found != facts.has_term(term, False))
        texts.add(f"{term} or below" if below else term)
    return sorted(texts)


def _matching(
    filters: Iterable[Filter],
    query: VariantQuery | None,
    facts: PublicFacts,
    node_data: NodeData,
    dataset: Dataset,
) -> ShareBounds:
    """Bound the share of people who pass the filters and carry a matching allele."""
    women, men = _carrying(query, facts, node_data, dataset)
    for term, descendants in terms_of(filters).items():
        of_women, of_men = _having(term, descendants, facts)
        women, men = women.both(of_women), men.both(of_men)
    return ShareBounds.mean(women, men)


def _having(term: str, descendants: bool, facts: PublicFacts) -> tuple[ShareBounds, ShareBounds]:
    """Bound the shares of women and men with a term."""
    if term in _SEXES:
        return (EVERYBODY, NOBODY) if _SEXES[term] == "female" else (NOBODY, EVERYBODY)
    if is_no_term(term):
        return NOBODY, NOBODY
    if not facts.people_elsewhere:
        return UNKNOWN, UNKNOWN
    found = facts.has_term(term, descendants)
    if found is None:
        rare = ShareBounds(0.0, 1 / facts.people_elsewhere)
        return rare, rare
    return _share(found.women, facts.women), _share(found.men, facts.men)


def _share(number: int, people: int) -> ShareBounds:
    return ShareBounds(number / people, number / people) if people else UNKNOWN


def _carrying(
    query: VariantQuery | None, facts: PublicFacts, node_data: NodeData, dataset: Dataset
) -> tuple[ShareBounds, ShareBounds]:
    """Bound the shares of women and men who carry an allele that a query finds."""
    if query is None:
        return EVERYBODY, EVERYBODY
    # neither somatic alleles nor molecular effects are listed
    if not facts.people_elsewhere or dataset.kind == "tumours" or _asks_for_effects(query):
        return UNKNOWN, UNKNOWN
    source = FirstAlleles(facts)
    alleles = list(search_variants(query, node_data, source))
    unlisted = facts.listed_from + UNLISTED_PER_BASE * _width(query)
    if isinstance(query, RangeQuery):
        unlisted += UNLISTED_REACHING
    if source.left == 0:
        unlisted = 1.0
    women = _any_of([one.women for one in alleles], facts.women, unlisted)
    return women, _any_of([one.men for one in alleles], facts.men, unlisted)


def _any_of(carriers: list[int], people: int, unlisted: float) -> ShareBounds:
    """Bound the share of people with any of some alleles, or an unlisted one."""
    if not people:
        return UNKNOWN
    low = max(carriers, default=0) / people
    return ShareBounds(low, min(1.0, sum(carriers) / people + unlisted))


def _of_dataset(dataset: Dataset, facts: PublicFacts) -> float | None:
    """Return the share of the node's people in a dataset, or None if it is not public."""
    if dataset.kind == "tests":
        return min(1.0, PEOPLE_IN_TESTS / facts.people)
    return facts.share_with_tumour if dataset.kind == "tumours" else 1.0


def _with_sample(kind: str, facts: PublicFacts) -> float | None:
    return facts.share_with_sample(kind) if kind else 1.0


def public_share(dataset: Dataset, facts: PublicFacts) -> float:
    """Return the share of a node's people whom the public description of a dataset counts.

    Args:
        dataset: The dataset.
        facts: The node's public facts.

    Returns:
        The share; 0 if it is not public.
    """
    return _of_dataset(dataset, facts) or 0.0
