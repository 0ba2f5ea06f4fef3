"""Beacon documents in a Mongo database answer the queries of EGA's beacon2-pi-api.

Its queries are those of EGA-archive/beacon2-pi-api, commit e51c5c6e, in
beacon/models/ga4gh/beacon_v2_default_model/connections/mongo/filters: for one allele
request_parameters/apply_request_parameters.py, lines 46 to 57, and alphanumeric.py, lines 14 to 66
(the contig); for a range the former, lines 66 to 146; for carriers cross_queries/
get_biosampleIds.py and request_parameters/request_parameters.py, lines 18 to 52.
"""

import gzip
import json

import pandas as pd
import pytest

from rehearsal.export.beacon_json import COLLECTIONS, write_beacon_json

from .test_beacon_json import YEAR, genotypes_of

mongomock = pytest.importorskip("mongomock")

START, END = "variation.location.interval.start.value", "variation.location.interval.end.value"
ON_X = {"$or": [{"identifiers.genomicHGVSId": {"$regex": "^NC_000023.11:g"}}]}
DATASET = "REHEARSAL-TEST-FI"


@pytest.fixture
def database(people, tables, tmp_path):
    sample = tables["biosamples"]
    second = sample.assign(id="FI-2-BS", individual="FI-2")
    tables = {**tables, "biosamples": pd.concat([sample, second])}
    write_beacon_json("test-FI", people, tables, [genotypes_of(people)], tmp_path / "beacon", YEAR)
    database = mongomock.MongoClient()["beacon"]
    for name in COLLECTIONS:
        documents = json.loads(gzip.decompress((tmp_path / f"beacon/{name}.json.gz").read_bytes()))
        database[name].insert_many(documents)
    return database


def of_allele(start, ref, alt):
    bases = {"variation.referenceBases": ref}, {"variation.alternateBases": alt}
    return {"$and": [{START: start}, *bases, ON_X]}


def of_range(database, start, end):
    long = database.genomicVariations.find({"length": {"$gte": end - start}, "datasetId": DATASET})
    around = [
        one["_id"]
        for one in long
        if one["variation"]["location"]["interval"]["start"]["value"] < start
        and one["variation"]["location"]["interval"]["end"]["value"] > end
    ]
    begins = {"$and": [{START: {"$gte": start}}, {START: {"$lte": end}}]}
    ends = {"$and": [{END: {"$gte": start}}, {END: {"$lte": end}}]}
    parts = [begins, ends, {"$and": [{"_id": {"$in": around}}]}]
    return {"$and": [ON_X, {"$and": [{"$or": parts}]}]}


def found(database, query):
    """Find variants as a query of one dataset does."""
    documents = database.genomicVariations.find({**query, "$or": [{"datasetId": DATASET}]})
    return [one["identifiers"]["genomicHGVSId"].split(":g.")[1] for one in documents]


def carriers(database, query):
    """Find people as a query for individuals with a variant does."""
    names = [one["identifiers"]["genomicHGVSId"] for one in database.genomicVariations.find(query)]
    cases = database.caseLevelData.find({"datasetId": DATASET, "id": {"$in": names}})[0]
    samples = database.targets.find({"datasetId": DATASET})[0]["biosampleIds"]
    chosen = [{"id": samples[int(key)]} for key in cases if key not in ("datasetId", "id", "_id")]
    people = [one["individualId"] for one in database.biosamples.find({"$or": chosen})]
    either = [{"id": one} for one in people]
    return [one["id"] for one in database.individuals.find({"$and": [{"$or": either}]})]


def test_an_allele_is_found_by_contig_position_and_bases(database):
    assert found(database, of_allele(99, "ACT", "A")) == ["101_102del"]
    assert found(database, of_allele(99, "ACT", "AC")) == []
    other = json.loads(json.dumps(of_allele(99, "ACT", "A")).replace("NC_000023", "NC_000022"))
    assert found(database, other) == []


def test_a_range_finds_what_begins_ends_or_lies_around_it(database):
    assert found(database, of_range(database, 95, 105)) == ["101_102del"]
    assert found(database, of_range(database, 220, 230)) == ["202_291del"]
    assert found(database, of_range(database, 120, 130)) == []


def test_every_kind_of_variant_has_a_name_of_its_own_on_the_contig(database):
    names = found(database, {"$and": [ON_X]})
    assert names == [
        *("101_102del", "202_291del", "302_361dup", "401_402insN[281]", "502_571inv"),
        "602_801[3]",
    ]


def test_carriers_are_found_by_the_place_of_their_sample(database):
    assert carriers(database, of_allele(99, "ACT", "A")) == ["FI-1", "FI-2"]
    structural = {"$and": [{START: 200}, ON_X]}
    assert carriers(database, structural) == ["FI-2"]


def test_carriers_are_coded_by_zygosity(database):
    codes = database.caseLevelData.find_one({"id": "NC_000023.11:g.101_102del"})
    assert (codes["0"], codes["1"]) == ("11", "y")
    assert "0" not in database.caseLevelData.find_one({"id": "NC_000023.11:g.202_291del"})


def test_frequencies_are_those_of_all_people_women_and_men(database):
    (variant,) = database.genomicVariations.find({START: 99})
    (source,) = variant["frequencyInPopulations"]
    counts = {
        one["population"]: (
            one["alleleCount"],
            one["alleleNumber"],
            one["alleleCountHomozygous"],
            one["alleleCountHemizygous"],
        )
        for one in source["frequencies"]
    }
    women, men = (2, 2, 2, 0), (1, 1, 0, 1)
    assert counts == {DATASET: (3, 3, 2, 1), f"{DATASET}_F": women, f"{DATASET}_M": men}


def test_an_identifier_looks_like_no_term_of_an_ontology(database):
    """Every text with a colon is searched for as a term, one by one: extract_filtering_terms.py."""
    for variant in database.genomicVariations.find({"variation.symbolicAllele": None}):
        assert ":" not in variant["_id"]
        assert variant["_id"] == variant["variantInternalId"]
