"""Which requests are one protected question, paid once, and which are different ones."""

import asyncio
import sqlite3
from dataclasses import replace
from itertools import combinations
from urllib.parse import urlencode

import orjson
import pytest

from rehearsal.node.access.authorizer import Authorizer
from rehearsal.node.access.settings import AccessSettings
from rehearsal.node.app import beacon_app
from rehearsal.node.beacon import hgvs
from rehearsal.node.beacon.canonical_queries import canonical_query
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.variant_queries import HgvsQuery, SequenceQuery
from rehearsal.node.privacy.door import Door, ProtectedAnswer
from rehearsal.node.privacy.public_facts import SCHEMA, PublicFacts, size_facts

from ..conftest import call

HEALTH, DEFAULT = "DUO:0000006", "DUO:0000042"
WOMAN, HEART, BREAST = "NCIT:C16576", "ICD10:I25.1", "ICD10:C50"
PLACE = {"assemblyId": "GRCh38", "referenceName": "chr17"}
START = 43_044_300
SNV = PLACE | {"start": START, "referenceBases": "A", "alternateBases": "G"}
HGVS = "NC_000017.11:g."
BRCA1 = PLACE | {"start": 43_044_294, "end": 43_125_364}


def url(path, purpose=None, **parameters):
    return (f"/{path}", None, urlencode(parameters, doseq=True), purpose)


def body(path, purpose=None, **query):
    return (f"/{path}", orjson.dumps({"query": query}), "", purpose)


def by_filters(path, *filters, **parameters):
    return body(path, filters=filters, requestParameters=parameters)


@pytest.fixture
def questions_of(node_data, monkeypatch):
    """Returns the canonical questions that a request puts to the door."""
    texts = set()

    def answer(self, question, counted, caller, count):
        texts.add(question.text)
        return ProtectedAnswer(False, None, "public facts")

    monkeypatch.setattr(Door, "answer", answer)
    access = AccessSettings(without_consent="include", purpose=DEFAULT)
    settings = replace(node_data.settings, access=access)
    data = NodeData(settings, node_data.variants, node_data.people)
    app = beacon_app(data, Authorizer(settings, data.people))

    def questions(path, sent, parameters, purpose):
        texts.clear()
        headers = [(b"x-rehearsal-purpose", purpose.encode())] if purpose else []
        status, _, answer = asyncio.run(call(app, path, sent, parameters, headers=headers))
        assert status == 200, answer
        return frozenset(texts)

    return questions


ONE_QUESTION = {
    "an allele": [
        url("g_variants", **SNV),
        body("g_variants", requestParameters=SNV),
        body("g_variants", requestParameters={"g_variant": SNV}),
        url("individuals", **SNV),
        url("g_variants", **SNV | {"referenceName": "17"}),
        url("g_variants", **SNV | {"referenceName": "NC_000017.11", "assemblyId": "hg38"}),
        url("g_variants", **SNV | {"referenceName": "refseq:NC_000017.11"}),
        url("g_variants", **SNV | {"referenceBases": "a", "alternateBases": "g"}),
        url("g_variants", **SNV | {"referenceBases": "AT", "alternateBases": "GT"}),
        url(
            "g_variants",
            **SNV | {"start": START - 2, "referenceBases": "CCA"} | {"alternateBases": "CCG"},
        ),
        url("g_variants", **SNV | {"end": START + 1}),
        url("g_variants", **SNV | {"end": START + 1, "variantType": "SNP"}),
        url("g_variants", **SNV | {"end": START + 1, "variantMinLength": 1, "variantMaxLength": 9}),
        url("g_variants", **SNV | {"start": [START] * 2, "end": [START + 1] * 2}),
        url("g_variants", genomicAlleleShortForm=f"{HGVS}{START + 1}A>G"),
        url("g_variants", genomicAlleleShortForm=f"{HGVS}0{START + 1}A>G"),
        url("g_variants", genomicAlleleShortForm=f"{HGVS}{START + 1}delAinsG"),
        url("g_variants", genomicAlleleShortForm=f"{HGVS}{START + 1}_{START + 2}delATinsGT"),
        url(f"g_variants/chr17-{START + 1}-A-G", requestedGranularity="count"),
        url(f"g_variants/17-0{START + 1}-A-G/individuals"),
        url("datasets/GOE-FI-REHEARSAL-1/g_variants", **SNV),
        url("datasets/GDI-FI-REHEARSAL-1/individuals", **SNV),
        url("cohorts/COHORT-FI-1/individuals", **SNV),
        url("datasets", **SNV, datasets="GDI-FI-REHEARSAL-1"),
        url("g_variants", **SNV, requestedGranularity="count", includeResultsetResponses="ALL"),
        url("g_variants", **SNV, skip=3, limit=1, datasets="GDI-FI-REHEARSAL-1"),
    ],
    "a deletion": [
        url("g_variants", **SNV | {"referenceBases": "ACT", "alternateBases": "A"}),
        url(
            "g_variants", **SNV | {"start": START + 1, "referenceBases": "CT", "alternateBases": ""}
        ),
        url("g_variants", genomicAlleleShortForm=f"{HGVS}{START + 2}_{START + 3}del"),
        url("g_variants", genomicAlleleShortForm=f"{HGVS}{START + 2}_{START + 3}delCT"),
    ],
    "an insertion": [
        url("g_variants", **SNV | {"referenceBases": "A", "alternateBases": "AC"}),
        url("g_variants", **SNV | {"referenceBases": "AT", "alternateBases": "ACT"}),
        url(
            "g_variants", **SNV | {"start": START + 1, "referenceBases": "", "alternateBases": "C"}
        ),
        url("g_variants", genomicAlleleShortForm=f"{HGVS}{START + 1}_{START + 2}insC"),
    ],
    "a duplication": [
        url("g_variants", **SNV | {"referenceBases": "A", "alternateBases": "AA"}),
        url("g_variants", **SNV | {"referenceBases": "", "alternateBases": "A"}),
        url("g_variants", genomicAlleleShortForm=f"{HGVS}{START}_{START + 1}insA"),
    ],
    "a duplication without its bases": [
        url("g_variants", genomicAlleleShortForm=f"{HGVS}{START + 1}dup"),
        url("g_variants", genomicAlleleShortForm=f"{HGVS}{START + 1}dupA"),
    ],
    "a gene": [
        url("g_variants", geneId="BRCA1"),
        url("individuals", geneId="BRCA1"),
        url("g_variants", **BRCA1),
        url("g_variants", **BRCA1 | {"referenceName": "17", "variantMinLength": 0}),
    ],
    "a type of variant": [
        url("g_variants", **BRCA1, variantType="DELINS"),
        url("g_variants", **BRCA1, variantType="delins"),
        url("g_variants", **BRCA1, variantType="SO:1000032"),
        url("g_variants", geneId="BRCA1", variantType="DELINS"),
    ],
    "a change of a protein": [
        url("g_variants", aminoacidChange="M5L", geneId="BRCA1"),
        url("g_variants", aminoacidChange="Met5Leu", geneId="BRCA1"),
    ],
    "an allele beside filters": [
        by_filters("g_variants", {"id": WOMAN}, {"id": HEART}, **SNV),
        by_filters("g_variants", {"id": HEART}, {"id": WOMAN}, **SNV),
        by_filters("individuals", {"id": HEART}, {"id": WOMAN}, {"id": HEART}, **SNV),
        by_filters("individuals", HEART, WOMAN, WOMAN, **SNV),
        by_filters("individuals", {"id": HEART, "similarity": "exact"}, {"id": WOMAN}, **SNV),
        url("g_variants", filters=f"{WOMAN},{HEART}", **SNV),
        url("datasets/GOE-FI-REHEARSAL-1", filters=f"{WOMAN},{HEART}", **SNV),
    ],
    "everybody": [
        url("individuals"),
        url("g_variants"),
        url("individuals", DEFAULT),
        body("individuals"),
    ],
    "a purpose with conditions": [
        url("individuals", f"{HEALTH}, DUO:0000045, DUO:0000046"),
        url("individuals", f"{HEALTH},DUO:0000046,DUO:0000045,DUO:0000045"),
    ],
    "people for tests": [
        url("individuals", testMode="true"),
        url("datasets/GDI-FI-TEST-1/individuals"),
        url("individuals", datasets="GDI-FI-TEST-1"),
    ],
}


@pytest.mark.parametrize("requests", ONE_QUESTION.values(), ids=ONE_QUESTION)
def test_other_wordings_are_one_question(questions_of, requests):
    found = {frozenset(questions_of(*one)) for one in requests}
    assert len(found) == 1, found
    assert len(found.pop()) == 1


OTHERS = [
    url("g_variants", **SNV | {"alternateBases": "T"}),
    url("g_variants", **SNV | {"start": START + 1}),
    url("g_variants", **SNV | {"referenceName": "22"}),
    url("g_variants", **SNV | {"end": START + 2, "referenceBases": "N"}),
    url("g_variants", **{key: one for key, one in SNV.items() if key != "referenceBases"}),
    url("g_variants", **BRCA1, variantMinLength=2),
    url("g_variants", HEALTH, **SNV),
    url("biosamples", **SNV),
    url("runs", **SNV),
    url("analyses", **SNV),
    url("g_variants", **SNV, testMode="true"),
    by_filters("g_variants", WOMAN, **SNV),
    by_filters("g_variants", {"id": BREAST}, **SNV),
    by_filters("g_variants", {"id": BREAST}, WOMAN, **SNV),
    by_filters("individuals", {"id": BREAST}, WOMAN),
    *(one[0] for one in ONE_QUESTION.values()),
]


def test_other_meanings_are_other_questions(questions_of):
    found = [questions_of(*one) for one in OTHERS]
    assert all(len(one) == 1 for one in found)
    for one, other in combinations(found, 2):
        assert one != other


def test_a_listed_duplication_has_the_key_of_its_bases(node_data):
    """HGVS does not state them, but the public facts do."""
    connection = sqlite3.connect(":memory:")
    connection.executescript(SCHEMA)
    connection.executemany("INSERT INTO meta VALUES (?, ?)", size_facts(100, "release"))
    connection.execute("INSERT INTO contigs VALUES ('chr17', 83257441, 1, 0)")
    connection.execute(
        "INSERT INTO alleles VALUES ('chr17', ?, 'A', 'AA', 0, 0, 0, 9, 9)", (START,)
    )
    facts = PublicFacts(connection)
    duplication = HgvsQuery(hgvs.parse(f"{HGVS}{START + 1}dup"))
    named = SequenceQuery("chr17", START, "A", "AA")
    found = canonical_query(duplication, node_data, facts)
    assert found == canonical_query(named, node_data, facts)
    facts.close()
