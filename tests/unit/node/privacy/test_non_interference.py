"""Answers to protected tiers depend on people only through what the ledger pays for.

Thousands of equal requests go to nodes that differ in one person, and the whole answers are
compared. That the comparison finds leaks is tested with leaks that nodes once had.
"""

from dataclasses import replace
from shutil import copytree

import pytest

from rehearsal.node.beacon import answers, entries, info_endpoints, protected_answers, records
from rehearsal.node.beacon.hgvs import Description
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.variant_queries import HgvsQuery
from rehearsal.node.beacon.variant_search import search_variants
from rehearsal.node.privacy.door import Door, ProtectedAnswer
from rehearsal.node.privacy.ledger import Ledger
from rehearsal.node.privacy.protection import PUBLIC, Protection
from rehearsal.web.problem import Problem

from .callers import make_forge, tokens_of
from .interference import find_interference
from .neighbouring_nodes import protected_as, write_neighbours

ENOUGH = 1_500  # generated requests, of which some find a leak
# the public size is 40; 0.3 people per square root give a standard deviation of 1.9 and 0.14 nats
PAYING = Protection(threshold=5, rounding=1, noise=0.3, budget=1_000, caller_share=1)
SOON_SPENT = replace(PAYING, budget=10, caller_share=0.5)


@pytest.fixture(scope="module")
def forge(tmp_path_factory):
    return make_forge(tmp_path_factory.mktemp("issuers"))


@pytest.fixture(scope="module")
def tokens(forge):
    return tokens_of(forge)


@pytest.fixture(scope="module")
def written(forge, tmp_path_factory):
    return write_neighbours(tmp_path_factory.mktemp("nodes"), [forge.mine.trusted()], PAYING)


@pytest.fixture
def find(written, tokens, tmp_path, monkeypatch):
    """Sends requests to fresh copies of the nodes with a protection."""

    def send(protection, number, enough=None):
        folders = {name: tmp_path / folder.name for name, folder in written.items()}
        for name, folder in written.items():
            copytree(folder, folders[name])
        protected_as(protection, folders.values())
        return find_interference(folders, tokens, number, monkeypatch, enough)

    return send


@pytest.mark.parametrize(
    ("protection", "number"), [(SOON_SPENT, 1_500), (PUBLIC, 400)], ids=["until spent", "default"]
)
def test_every_difference_between_neighbours_is_paid(find, protection, number):
    found = find(protection, number)
    assert found.unpaid == []
    if protection is SOON_SPENT:  # people of these nodes do differ, and budgets were used
        assert found.differing["public"] > 20
        assert found.differing["registered"] > 20
        for tier in ("public", "registered"):
            spent = sum(row[4] for row in found.charges if row[1] == tier)
            assert spent > 0.9 * protection.budget
    assert found.statuses.keys() >= {200, 400, 401, 403, 404}


# --- leaks that nodes once had, put back ---


def form_by_rows(monkeypatch):
    """A count of variants below a number of rows, above it a yes or no."""
    answer = protected_answers.answer_protected

    def leaking(question, group, door, node_data):
        sets, told = answer(question, group, door, node_data)
        rows = sum(1 for _ in search_variants(question.variants(), node_data))
        if group.granularity == "count" and question.entry_type == "g_variants" and rows < 23:
            sets = [replace(one, count=int(one.exists), granularity="count") for one in sets]
        return sets, told

    monkeypatch.setattr(answers, "answer_protected", leaking)


def _is_allele_beside_filter(text):
    _, _, _, *filters, variant = text.split("\n")
    return filters and variant != "no variant"


def unpaid_filter(monkeypatch):
    """An allele beside a filter is counted without noise or price."""
    answer = Door.answer

    def leaking(self, question, counted, caller, count):
        if not _is_allele_beside_filter(question.text):
            return answer(self, question, counted, caller, count)
        number = count()
        return ProtectedAnswer(number >= 5, number, "noisy count")

    monkeypatch.setattr(Door, "answer", leaking)


def filter_paid_elsewhere(monkeypatch):
    """An allele beside a filter has a budget of its own, and noise for each allele."""
    answer, budgets = Door.answer, {}

    def leaking(self, question, counted, caller, count):
        own = self.ledger
        if _is_allele_beside_filter(question.text):
            self.ledger = budgets.setdefault(id(self), Ledger("other", bytes(32)))
        try:
            return answer(self, question, counted, caller, count)
        finally:
            self.ledger = own

    monkeypatch.setattr(Door, "answer", leaking)


def noise_by_count(monkeypatch):
    """The noise of an answer, and so its key, depends on the number of people."""
    answer = Door.answer

    def leaking(self, question, counted, caller, count):
        keyed = replace(question, text=f"{question.text}\n{count()}")
        return answer(self, keyed, counted, caller, count)

    monkeypatch.setattr(Door, "answer", leaking)


def price_by_people(monkeypatch):
    """The price of an answer depends on the number of people."""
    pay = Door._pay

    def leaking(self, question, caller, count):
        self.mechanism = replace(self.mechanism, price=1 / (1 + count()))
        return pay(self, question, caller, count)

    monkeypatch.setattr(Door, "_pay", leaking)


def digest_of_the_data(monkeypatch):
    """What a node was built from is told as a digest."""
    info = info_endpoints.info
    monkeypatch.setattr(
        info_endpoints, "info", lambda settings: info(settings) | {"x": settings.build}
    )


def terms_by_people(monkeypatch):
    """The terms that people here have are listed, for the purpose of the request."""
    terms = info_endpoints.filtering_terms
    monkeypatch.setattr(
        info_endpoints,
        "filtering_terms",
        lambda node_data, rights, *rest: terms(node_data, replace(rights, doors={}), *rest),
    )


def exact_sizes(monkeypatch):
    """The exact number of people is told."""
    monkeypatch.setattr(
        records, "_size", lambda dataset, data, rights: len(data.people.everyone - rights.excluded)
    )


def identifiers_of_people(monkeypatch):
    """A computed identifier is the question of the allele that people here carry."""
    find = NodeData.vrs_index
    monkeypatch.setattr(NodeData, "vrs_index", lambda self, source: find(self, self.variants))


def names_of_people(monkeypatch):
    """A name in a gene is refused where nobody here carries its allele."""
    meaning = entries.on_gene_model

    def leaking(query, genes):
        found, usual = meaning(query, genes)
        if isinstance(found, Description) and not carried(found):
            raise Problem.mismatch("genomicAlleleShortForm", "an allele", "none")
        return found, usual

    def carried(description):
        query = HgvsQuery(description)
        return next(search_variants(query, asked[-1]), None) is not None

    asked = []
    answering = entries.answer_entries
    monkeypatch.setattr(entries, "on_gene_model", leaking)
    monkeypatch.setattr(
        "rehearsal.node.app.answer_entries",
        lambda data, *rest: asked.append(data) or answering(data, *rest),
    )


def warnings_by_people(monkeypatch):
    """A term is called unknown where nobody here has it."""
    answering = entries.answer_entries

    def leaking(data, rights, request, *rest):
        strange = [one for one in request.filters if not data.people.with_term(one.id)]
        return answering(data, rights, request, *rest) | {"x": [str(one) for one in strange]}

    monkeypatch.setattr("rehearsal.node.app.answer_entries", leaking)


LEAKS = (
    *(form_by_rows, unpaid_filter, filter_paid_elsewhere, noise_by_count, price_by_people),
    *(terms_by_people, exact_sizes, digest_of_the_data),
    *(identifiers_of_people, names_of_people, warnings_by_people),
)


@pytest.mark.parametrize("leak", LEAKS, ids=lambda leak: leak.__name__)
def test_a_leak_that_is_put_back_is_found(find, monkeypatch, leak):
    leak(monkeypatch)
    assert find(PAYING, ENOUGH, enough=1).unpaid
