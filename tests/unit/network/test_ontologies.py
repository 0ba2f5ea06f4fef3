"""Terms of a request mean what their ontology says, without a token and with a grant.

The truth about the node's people is in tests/unit/node/conftest.py: one woman with breast cancer,
three people with heart disease, one who used to smoke.
"""

import pytest
from pyroaring import BitMap

from rehearsal.node.beacon.known_clients import TERM_AS_VALUE
from rehearsal.stores.people_store import Term

# terms, and how many of the twelve people have them or something more specific
FOUND = {
    "MONDO:0007254": 1,  # breast cancer
    "MONDO:0004992": 1,  # cancer, of which it is a kind
    "MONDO:0005070": 1,  # neoplasm
    "MONDO:0005385": 3,  # vascular disorder, above coronary artery disorder
    "SNOMEDCT:8517006": 1,  # ex-smoker, as the record shows it
    "LOINC:72166-2": 1,  # tobacco smoking status
    "LOINC:22748-8": 11,  # LDL cholesterol
    "UBERON:0000178": 12,  # blood
    "OBI:0002630": 12,  # the sequencing platform
    "NCBITaxon:9606": 12,
    "HP:0000252": 1,
    "HP:0001366": 1,  # merged into it
}


def body(term, granularity="count"):
    return {"query": {"filters": [{"id": term}], "requestedGranularity": granularity}}


@pytest.mark.parametrize("where", ["EE", "network"])
@pytest.mark.parametrize("term", FOUND)
def test_a_term_finds_everybody_who_has_it_or_something_more_specific(asked, where, term):
    nodes = 3 if where == "network" else 1
    status, answer = asked.ask(where, "/individuals", body(term), granted=True)
    assert status == 200
    assert answer["responseSummary"]["numTotalResults"] == FOUND[term] * nodes
    assert "warnings" not in answer.get("info", {})


@pytest.mark.parametrize("term", ["MONDO:0004992", "SNOMEDCT:8517006", "HP:0001366"])
def test_the_public_learns_nothing_about_so_few(asked, term):
    for where in ("EE", "network"):
        status, answer = asked.ask(where, "/individuals", body(term), granted=False)
        if status == 200:  # or no budget pays for an answer
            assert answer["responseSummary"]["exists"] is False
        else:
            assert (status, answer["error"]["errorCode"]) == (403, 403)


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("where", ["EE", "network"])
def test_a_well_formed_term_of_an_unknown_ontology_is_a_warning(asked, where, granted):
    status, answer = asked.ask(where, "/individuals", body("FOO:123"), granted=granted)
    if granted:
        assert status == 200
        assert answer["info"]["warnings"] == ["filters: FOO:123 is of no ontology known here"]
        assert answer["responseSummary"] == {"exists": False, "numTotalResults": 0}
    else:
        assert status in (200, 403)
    status, answer = asked.ask(where, "/individuals", body("no term"), granted=granted)
    assert status == 400


@pytest.mark.parametrize("path", ["individuals", "g_variants", "biosamples", "datasets"])
@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("where", ["EE", "network"])
@pytest.mark.parametrize(
    ("term", "name"),
    [
        ("HP:9999999", "Human Phenotype Ontology"),
        ("HP:123", "Human Phenotype Ontology"),
        ("MONDO:9999999", "Mondo Disease Ontology"),
    ],
)
def test_a_code_that_is_no_term_of_its_ontology_is_a_warning(
    asked, where, granted, term, name, path
):
    for granularity in ("boolean", "count", "record"):
        sent = body(term, granularity)
        status, answer = asked.ask(where, f"/{path}", sent, granted=granted)
        assert status == 200
        assert answer["info"]["warnings"] == [f"filters: {term} is no term of its ontology, {name}"]
        assert answer["responseSummary"]["exists"] is False
        assert answer["responseSummary"].get("numTotalResults", 0) == 0


@pytest.mark.parametrize("granted", [False, True])
@pytest.mark.parametrize("where", ["EE", "network"])
@pytest.mark.parametrize(
    ("term", "reason"),
    [
        ("OMIM:114480", "is of Online Mendelian Inheritance in Man, of which /filtering_terms"),
        ("ORPHA:227535", "is of Orphanet, of which /filtering_terms lists no term"),
        ("Orphanet:227535", "is of no ontology known here"),
        ("DOID:1612", "is of Human Disease Ontology, of which /filtering_terms lists no term"),
        ("EFO:0000305", "is of Experimental Factor Ontology, of which /filtering_terms lists no"),
        ("ICD10CM:C50.919", "is of ICD-10-CM, of which /filtering_terms lists no term"),
        ("ICD10:C00-C97", "is no code like C50 or C50.9; codes in a group are not searched"),
        ("ICD10:II", "is no code like C50 or C50.9; codes in a group are not searched"),
    ],
)
def test_a_term_that_the_records_do_not_use_is_a_warning(asked, where, granted, term, reason):
    status, answer = asked.ask(where, "/individuals", body(term), granted=granted)
    if status == 403 and not granted:
        return  # no budget pays for an answer
    assert status == 200
    (warning,) = answer["info"]["warnings"]
    assert warning.startswith(f"filters: {term} {reason}")
    assert answer["responseSummary"]["exists"] is False


def test_terms_of_a_seldom_used_ontology_are_found_without_a_warning_where_records_have_it(
    asked, monkeypatch
):
    omim = Term("OMIM:114480", "breast cancer", "disease")
    store = asked.data["EE"].people
    monkeypatch.setattr(store, "terms", store.terms | {omim.id: omim})
    monkeypatch.setattr(store, "with_term", lambda term, descendants=True: BitMap([4]))
    _, answer = asked.ask("EE", "/individuals", body("OMIM:114480"), granted=True)
    assert answer["responseSummary"]["numTotalResults"] == 1
    assert "warnings" not in answer.get("info", {})


def test_snomed_ct_may_have_its_shorter_prefix(asked):
    _, answer = asked.ask("EE", "/individuals", body("SNOMED:8517006"), granted=True)
    assert answer["responseSummary"]["numTotalResults"] == 1
    assert "warnings" not in answer.get("info", {})


@pytest.mark.parametrize("where", ["EE", "network"])
@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("sex", "NCIT:C16576", 6),
        ("disease", "MONDO:0004992", 1),  # and what is more specific
        ("disease", "ICD10:I25", 3),
        ("phenotype", "HP:0001366", 1),  # a merged identifier
    ],
)
def test_a_term_as_the_value_of_a_field_is_a_filter_for_the_term(asked, where, field, value, found):
    sent = body("x") | {"query": {"filters": [{"id": field, "value": value}]}}
    sent["query"]["requestedGranularity"] = "count"
    nodes = 3 if where == "network" else 1
    _, answer = asked.ask(where, "/individuals", sent, granted=True)
    assert answer["responseSummary"]["numTotalResults"] == found * nodes
    assert TERM_AS_VALUE.warning in answer["info"]["warnings"]
    _, answer = asked.ask("EE", "/individuals", None, f"filters={field}={value}", granted=True)
    assert answer["responseSummary"]["exists"] is True


def test_the_public_may_send_a_sex_as_the_value_of_a_field_too(asked):
    query = {"filters": [{"id": "sex", "scope": "individual", "value": "NCIT:C16576"}]}
    status, answer = asked.ask("EE", "/individuals", {"query": query}, granted=False)
    plain = {"query": {"filters": [{"id": "NCIT:C16576"}]}}
    plain_status, expected = asked.ask("EE", "/individuals", plain, granted=False)
    assert status == plain_status
    assert answer.get("responseSummary") == expected.get("responseSummary")


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (
            {"id": "sex", "value": "MONDO:0007254"},
            "expected a label, or NCIT:C16576 or NCIT:C20197",
        ),
        ({"id": "disease", "value": "HP:0000252"}, "expected a label, or a disease, like MONDO:"),
        ({"id": "phenotype", "value": "ICD10:C50"}, "expected a label, or a phenotype, like HP:"),
        ({"id": "sex", "operator": "!", "value": "NCIT:C16576"}, "expected =, as 'NCIT:C16576' is"),
        (
            {"id": "LOINC:22748-8", "operator": ">", "value": "P5Y"},
            "expected a number, as it is no age, found 'P5Y'",
        ),
        ({"id": "bmi", "operator": ">", "value": "P5Y"}, "expected a number, as it is no age"),
        ({"id": "birthYear", "operator": ">", "value": "P5Y"}, "expected a number, as it is no"),
    ],
)
def test_values_that_do_not_fit_their_field_are_refused(asked, sent, reason):
    query = {"query": {"filters": [sent]}}
    status, answer = asked.ask("EE", "/individuals", query, granted=True)
    assert status == 400
    assert reason in answer["error"]["errorMessage"]


@pytest.mark.parametrize("term", ["HP:0001250", "HP:0001366", "MONDO:0005301", "ICD10:A00.0"])
def test_a_term_that_nobody_has_is_no_warning(asked, term):
    _, answer = asked.ask("EE", "/individuals", body(term), granted=True)
    assert "warnings" not in answer.get("info", {})


def codes_in(record):
    """Every code that a record shows, as ``PREFIX:CODE``, beside units and relatives."""
    if isinstance(record, dict):
        for key, value in record.items():
            if key in ("id", "sameAs", "code") and isinstance(value, str) and ":" in value:
                yield value
            elif key not in ("unit", "familyHistory", "geographicOrigin", "missing"):
                yield from codes_in(value)
    if isinstance(record, list):
        for value in record:
            yield from codes_in(value)


@pytest.mark.parametrize("path", ["individuals", "biosamples"])
def test_every_code_that_a_record_shows_finds_it(asked, path):
    _, answer = asked.ask("EE", f"/{path}", body("LOINC:72166-2", "record"), granted=True)
    ((record,),) = [
        one["results"] for one in answer["response"]["resultSets"] if one["id"].startswith("GDI")
    ]
    for code in {*codes_in(record)} - {"EFO:0009654"}:  # the status of every sample: a reference
        _, found = asked.ask("EE", f"/{path}", body(code, "record"), granted=True)
        names = [one["id"] for some in found["response"]["resultSets"] for one in some["results"]]
        assert record["id"] in names, code
