"""A no that little is known about says so, and a no that everybody knows costs nothing."""

import asyncio
from dataclasses import replace

import orjson
import pytest
from pyroaring import BitMap

from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.consent import Purpose
from rehearsal.node.access.rights import Rights
from rehearsal.node.access.settings import AccessSettings
from rehearsal.node.app import beacon_app
from rehearsal.node.beacon.answers import NO_PURPOSE, hints_on_purpose
from rehearsal.node.beacon.known_clients import SCOPE
from rehearsal.node.beacon.known_limits import NO_EFFECTS, NO_REPEATS, OTHER_SEQUENCE
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.privacy.door import Door, ProtectedAnswer

from ..conftest import call

CHR17 = {"assemblyId": "GRCh38", "referenceName": "17"}
IN_BRCA1 = CHR17 | {"start": 43_044_300, "end": 43_044_310}
PROTECTED = AccessSettings(without_consent="include", purpose="DUO:0000042")


@pytest.fixture
def asking(node_data):
    """Query a node whose settings are changed: gives status and body."""

    def of(**changed):
        settings = replace(node_data.settings, **changed)
        data = NodeData(settings, node_data.variants, node_data.people)
        app = beacon_app(data, Authorizer(settings, data.people))

        def send(path, *filters, **parameters):
            query = {"filters": list(filters), "requestParameters": parameters}
            sent = orjson.dumps({"query": query | {"requestedGranularity": "count"}})
            status, _, body = asyncio.run(call(app, path, sent))
            return status, orjson.loads(body)

        return send

    return of


@pytest.fixture
def asked(monkeypatch):
    """The questions that reach a budget."""
    texts = []

    def answer(self, question, counted, caller, count):
        texts.append(question.text)
        return ProtectedAnswer(False, 0 if counted else None, "noisy count")

    monkeypatch.setattr(Door, "answer", answer)
    return texts


def warnings(body):
    return body.get("info", {}).get("warnings", [])


def is_no(body):
    return body["responseSummary"]["exists"] is False


DELETION = CHR17 | {"start": 43_044_399, "referenceBases": "ACT", "alternateBases": "A"}


def test_a_node_without_a_reference_does_not_know_the_places_of_indels_in_repeats(asking):
    named = {"genomicAlleleShortForm": "NC_000017.11:g.43044409del"}
    for parameters in (DELETION, named):
        _, body = asking(knows_repeats=False)("/g_variants", **parameters)
        assert is_no(body)
        assert NO_REPEATS in warnings(body)
        _, body = asking()("/g_variants", **parameters)
        assert NO_REPEATS not in warnings(body)


def test_substitutions_need_no_repeats(asking):
    snv = CHR17 | {"start": 43_044_399, "referenceBases": "A", "alternateBases": "T"}
    _, body = asking(knows_repeats=False)("/g_variants", **snv)
    assert is_no(body)
    assert not warnings(body)


@pytest.mark.parametrize("term", ["OMIM:114480", "MONDO:0005010"])
def test_an_ontology_without_any_listed_term_is_noted(asking, node_data, term):
    listed = {one.partition(":")[0] for one in node_data.people.terms}
    _, body = asking()("/individuals", {"id": term})
    noted = [one for one in warnings(body) if "of which /filtering_terms lists no term" in one]
    assert bool(noted) is (term.partition(":")[0] not in listed)


@pytest.mark.parametrize("term", ["ICD10:C50", "HP:0001250", "MONDO:0007254", "SNOMEDCT:8517006"])
def test_a_node_of_genotypes_only_says_that_it_has_no_diseases_for_nothing(asking, asked, term):
    _, body = asking(access=PROTECTED, genotypes_only=True)("/individuals", {"id": term})
    assert is_no(body)
    assert not asked
    assert any(one.startswith(f"filters: {term} is of") for one in warnings(body))


@pytest.mark.parametrize("term", ["HP:9999999", "foo:bar"])
def test_a_term_that_does_not_exist_is_a_free_no(asking, asked, term):
    _, body = asking(access=PROTECTED)("/individuals", {"id": term})
    assert is_no(body)
    assert not asked
    assert warnings(body)


def test_the_same_bases_twice_are_a_free_no(asking, asked):
    same = CHR17 | {"start": 43_044_300, "referenceBases": "C", "alternateBases": "C"}
    _, body = asking(access=PROTECTED)("/g_variants", **same)
    assert is_no(body)
    assert not asked
    assert "expected bases other than those of the reference" in warnings(body)[0]


def test_runs_and_analyses_of_genotypes_alone_are_a_free_no(asking, asked):
    send = asking(access=PROTECTED, genotypes_only=True)
    for path in ("/runs", "/analyses"):
        assert is_no(send(path)[1])
    assert not asked


def test_people_and_their_samples_are_one_question_at_a_node_of_genotypes(asking, asked):
    send = asking(access=PROTECTED, genotypes_only=True)
    for path in ("/individuals", "/biosamples"):
        send(path, {"id": "NCIT:C16576"}, **IN_BRCA1)
    assert len(asked) == 2
    assert len(set(asked)) == 1


@pytest.mark.parametrize("effect", ["SO:0001583", "SO:0001818"])
def test_effects_are_not_known_without_a_gene_model(asking, effect):
    _, body = asking()("/g_variants", {"id": effect}, **IN_BRCA1)
    assert is_no(body)
    assert NO_EFFECTS in warnings(body)


def test_an_unknown_effect_is_noted(asking):
    _, body = asking()("/g_variants", {"id": "SO:9999999"}, **IN_BRCA1)
    assert is_no(body)
    assert any("expected an effect that nodes compute" in one for one in warnings(body))


@pytest.mark.parametrize(
    "place",
    [
        {"referenceName": "3", "start": 1_000, "end": 2_000},
        {"referenceName": "17", "start": 60_000_000, "referenceBases": "A", "alternateBases": "G"},
        {"referenceName": "17", "start": [60_000_000, 60_000_010], "end": [60_000_020, 60_000_030]},
        {"genomicAlleleShortForm": "NC_000022.11:g.30000001A>G"},
    ],
)
def test_a_place_without_data_is_a_free_no_that_names_the_places_with_data(asking, asked, place):
    send = asking(regions=("chr17-43000000-43200000",), access=PROTECTED)
    assembly = {} if "genomicAlleleShortForm" in place else {"assemblyId": "GRCh38"}
    _, body = send("/g_variants", **assembly, **place)
    assert is_no(body)
    assert not asked
    (warning,) = (one for one in warnings(body) if "do not cover this place" in one)
    assert "chr17" in warning
    assert warning.endswith("this answer does not say no")


def test_a_place_with_data_has_no_such_warning(asking):
    _, body = asking(regions=("chr17-43000000-43200000",))("/g_variants", **IN_BRCA1)
    assert not [one for one in warnings(body) if "cover" in one]


def test_an_identifier_of_another_sequence_is_no_plain_no(asking):
    _, body = asking()("/g_variants/ga4gh:VA.5KqNZJ9eoYuPq2fPFs0cGuYtmVAzGqbX")
    assert is_no(body)
    assert OTHER_SEQUENCE in warnings(body)


def test_a_scope_of_samples_is_noted(asking):
    woman = {"id": "NCIT:C16576"}
    for scope, noted in (("biosample", True), ("run", True), ("individual", False)):
        _, body = asking()("/individuals", woman | {"scope": scope})
        assert (SCOPE.warning in warnings(body)) is noted


@pytest.mark.parametrize(
    ("purpose", "share", "basis", "hinted"),
    [
        (None, 0.6, "noisy count", True),
        (None, 0.6, "public facts", False),
        (None, 1.0, "noisy count", False),
        (Purpose("DUO:0000006"), 0.6, "noisy count", False),
    ],
)
def test_a_purpose_is_hinted_at_where_it_would_matter(purpose, share, basis, hinted):
    rights = Rights(None, purpose, {}, {}, {}, {}, BitMap(), None, share)
    found = list(hints_on_purpose(rights, {"GDI-FI-REHEARSAL-1": {"basis": basis}}))
    assert found == ([NO_PURPOSE] if hinted else [])


def test_a_node_without_patients_does_not_offer_to_match(ask):
    _, told = ask("/map")
    assert "otherEndpoints" not in told["response"]
    assert "matchmakerExchange" not in ask("/service-info")[1]
