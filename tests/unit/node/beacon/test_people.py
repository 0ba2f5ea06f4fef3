"""Individuals and their samples: filters, carriers, pages, records."""

from contextlib import closing

import pytest
from pyroaring import BitMap

from rehearsal.errors import InputError
from rehearsal.node.beacon.node_data import NodeData
from rehearsal.node.beacon.people_records import biosample, individual
from rehearsal.stores.people_store import PeopleStore
from rehearsal.stores.people_store_writer import build_people

from ..conftest import NAMES, individuals, samples

WOMAN, MAN = "NCIT:C16576", "NCIT:C20197"
BRCA1 = {"referenceName": "17", "start": [43_044_300], "referenceBases": "A"}
BRCA1["alternateBases"] = "G"  # carried by 0, 1, 2, 3


def people(body):
    """Numbers of the people in the records."""
    (one,) = body["response"]["resultSets"]
    return {int(record["id"][3:9]) - 1 for record in one["results"]}


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], set(range(12))),
        ([WOMAN], {0, 2, 4, 6, 8, 10}),
        ([{"id": MAN}], {1, 3, 5, 7, 9, 11}),
        ([WOMAN, MAN], set()),
        (["ICD10:I25.1"], {0, 1, 5}),
        (["ICD10:I25"], {0, 1, 5}),  # an ancestor: descendants are included
        ([{"id": "ICD10:I25", "includeDescendantTerms": False}], set()),
        (["MONDO:0005010"], {0, 1, 5}),
        (["ICD10:I25.1", MAN], {1, 5}),
        (["HP:0000252"], {6}),
        (["HP:9999999"], set()),  # a term that nobody here has
        ([{"id": "HP:0000252", "scope": "individuals"}], {6}),
        # born 1940, 1945, ...: in 2025 they are 85, 80, ...
        ([{"id": "age", "operator": ">=", "value": "80"}], {0, 1}),
        ([{"id": "age", "operator": ">", "value": "P80Y"}], {0}),
        ([{"id": "age", "operator": "<", "value": "35"}], {11}),
        ([{"id": "age", "operator": "<=", "value": 35}], {10, 11}),
        ([{"id": "age", "operator": "=", "value": "50"}], {7}),
        ([{"id": "age", "operator": "!", "value": "50"}], set(range(12)) - {7}),
        ([{"id": "LOINC:22748-8", "operator": ">", "value": "4"}], {9, 10}),
        ([{"id": "LDL", "operator": "<", "value": "2.3"}], {0, 1}),
        ([{"id": "LDL", "operator": "!", "value": "2.25"}], set(range(11)) - {1}),  # 11 has none
        ([{"id": "BMI", "operator": ">", "value": "20"}], set()),  # known, but not measured here
        ([{"id": "diseases.ageOfOnset.iso8601duration", "operator": "<", "value": "P50Y"}], {4}),
        ([{"id": "ageOfOnset", "operator": "=", "value": "P61Y6M"}], {0}),
        ([{"id": "disease", "operator": "=", "value": "%cancer"}], {4}),
        ([{"id": "disease", "operator": "!", "value": "%CANCER"}], set(range(12)) - {4}),
        ([{"id": "phenotype", "operator": "=", "value": "Micro%"}], {6}),
        ([{"id": "sex", "operator": "=", "value": "female"}, "ICD10:I25"], {0}),
        (["age>=80"], {0, 1}),
    ],
)
def test_filters_find_the_people_who_pass_all_of_them(query, filters, expected):
    body = query("individuals", filters, "record", _limit=0, _include="ALL")
    assert people(body) == expected
    assert body["responseSummary"] == {"exists": bool(expected), "numTotalResults": len(expected)}


def test_a_variant_query_finds_its_carriers(query):
    assert people(query("individuals", _granularity="record", **BRCA1)) == {0, 1, 2, 3}
    assert people(query("individuals", [WOMAN], "record", **BRCA1)) == {0, 2}
    body = query("individuals", geneId="TLR7", _granularity="record")
    assert people(body) == {1, 2, 3, 4}


@pytest.mark.parametrize("path", ["individuals", "biosamples", "runs", "analyses"])
def test_samples_are_found_like_their_people(ask, query, path):
    assert query(path, [WOMAN])["responseSummary"]["numTotalResults"] == 6
    assert people(query(path, [WOMAN], "record", **BRCA1)) == {0, 2}
    status, body = ask(f"/g_variants/chr17-43044301-A-G/{path}", requestedGranularity="record")
    assert status == 200
    assert people(body) == {0, 1, 2, 3}


@pytest.mark.parametrize("path", ["biosamples", "runs", "analyses"])
def test_a_person_leads_to_their_samples_and_back(ask, path):
    _, body = ask(f"/individuals/FI-000003/{path}", requestedGranularity="record")
    (record,) = body["response"]["resultSets"][0]["results"]
    assert record["individualId"] == "FI-000003"
    _, back = ask(f"/{path}/{record['id']}")
    assert back["response"]["resultSets"][0]["results"] == [record]
    _, variants = ask(f"/{path}/{record['id']}/g_variants", requestedGranularity="count")
    _, direct = ask("/individuals/FI-000003/g_variants", requestedGranularity="count")
    assert variants["responseSummary"] == direct["responseSummary"]
    assert direct["responseSummary"]["numTotalResults"] > 0


def test_an_individuals_record_is_complete(ask):
    _, body = ask("/individuals/FI-000001")
    (record,) = body["response"]["resultSets"][0]["results"]
    assert record["sex"] == {"id": WOMAN, "label": "female"}
    assert record["karyotypicSex"] == "XX"
    assert record["diseases"] == [
        {
            "diseaseCode": {
                "id": "ICD10:I25.1",
                "label": "Atherosclerotic heart disease",
                "sameAs": "MONDO:0005010",
            },
            "familyHistory": True,
            "ageOfOnset": {"iso8601duration": "P61Y6M"},
        }
    ]
    assert record["measures"][0]["measurementValue"] == {
        "unit": {"id": "UCUM:mmol/L", "label": "mmol/L"},
        "value": 2.0,
    }
    assert (record["info"]["birthYear"], record["info"]["age"]) == (1940, 85)


def test_a_child_names_its_family(ask):
    _, body = ask("/individuals/FI-000012")
    info = body["response"]["resultSets"][0]["results"][0]["info"]
    assert info["father"] == "FI-000002"
    assert info["family"] == "FI-F1"


def test_a_person_of_another_country_does_not_exist_here(ask):
    status, body = ask("/individuals/SE-000001", includeResultsetResponses="ALL")
    assert status == 200
    assert body["responseSummary"] == {"exists": False, "numTotalResults": 0}


def test_pages_of_people_together_are_all_people(query):
    pages = [query("individuals", _granularity="record", _skip=i, _limit=5) for i in range(4)]
    assert [len(people(body)) for body in pages] == [5, 5, 2, 0]
    assert set.union(*map(people, pages)) == set(range(12))
    assert {body["responseSummary"]["numTotalResults"] for body in pages} == {12}


@pytest.mark.parametrize(
    ("include", "hit", "miss"),
    [("ALL", 1, 1), ("HIT", 1, 0), ("MISS", 0, 1), ("NONE", 0, 0)],
)
def test_result_sets_are_the_requested_ones(query, include, hit, miss):
    body = query("individuals", [WOMAN], _include=include)
    assert len(body["response"]["resultSets"]) == hit
    assert body["responseSummary"] == {"exists": True, "numTotalResults": 6}
    body = query("individuals", [WOMAN, MAN], _include=include)
    assert len(body["response"]["resultSets"]) == miss
    assert body["responseSummary"] == {"exists": False, "numTotalResults": 0}


def test_granularity_decides_the_content_of_answers(query):
    body = query("individuals", _granularity="boolean")
    assert body["responseSummary"] == {"exists": True}
    (one,) = body["response"]["resultSets"]
    named = {"beaconId": "org.rehearsal.fi", "id": "GDI-FI-REHEARSAL-1", "setType": "dataset"}
    assert one == named | {"exists": True}
    body = query("individuals", _granularity="count")
    assert body["response"]["resultSets"][0]["results"] == []
    assert body["meta"]["returnedGranularity"] == "count"


def test_test_mode_has_ten_people(query):
    body = query("individuals", _test=True)
    assert body["responseSummary"]["numTotalResults"] == 10


def test_datasets_and_cohorts_hold_their_people(ask):
    _, body = ask("/datasets")
    names = [one["id"] for one in body["response"]["collections"]]
    assert names == ["GOE-FI-REHEARSAL-1", "GDI-FI-REHEARSAL-1", "GDI-FI-TEST-1"]
    count = {"requestedGranularity": "count"}
    for path, people_there in (
        ("/datasets/GDI-FI-REHEARSAL-1/individuals", 12),
        ("/datasets/GDI-FI-TEST-1/individuals", 10),
        ("/datasets/GOE-FI-REHEARSAL-1/individuals", 0),
        ("/cohorts/COHORT-FI-1/individuals", 12),
    ):
        _, body = ask(path, **count)
        assert body["responseSummary"]["numTotalResults"] == people_there, path
    _, body = ask("/datasets", referenceName="17", start=50_000_000, alternateBases="C")
    assert [one["id"] for one in body["response"]["collections"]] == names[:2]
    assert ask("/datasets/GDI-SE-REHEARSAL-1")[0] == 404
    assert ask("/cohorts/COHORT-SE-1/individuals")[0] == 404


def test_filtering_terms_list_what_filters_may_use(ask, query):
    _, body = ask("/filtering_terms")
    terms = body["response"]["filteringTerms"]
    assert {WOMAN, MAN, "ICD10:I25.1", "MONDO:0005010", "HP:0000252", "age", "LOINC:22748-8"} <= {
        term["id"] for term in terms
    }
    for term in terms:
        given = {"id": term["id"]}
        if term["type"] == "alphanumeric":
            text = "label" in term["label"]
            given |= {"operator": "=", "value": "%"} if text else {"operator": ">=", "value": "0"}
        assert query("individuals", [given])["responseSummary"]["exists"] is True, term
    for path in ("individuals", "g_variants", "datasets/GDI-FI-REHEARSAL-1"):
        assert ask(f"/{path}/filtering_terms")[1]["response"] == body["response"]


def only_record(body):
    (held,) = body["response"]["resultSets"]
    (record,) = held["results"]
    return record


def test_treatments_habits_and_family_come_from_the_tables(ask):
    record = only_record(ask("/individuals/FI-000001")[1])
    assert record["treatments"] == [
        {
            "treatmentCode": {"id": "ATC:B01AC06", "label": "acetylsalicylic acid"},
            "ageAtOnset": {"iso8601duration": "P62Y"},
            "info": {
                "doseMg": 75.0,
                "indication": {"id": "ICD10:I25.1", "label": "Atherosclerotic heart disease"},
            },
        }
    ]
    assert record["measures"][-1]["measurementValue"]["label"] == "Ex-smoker"
    (relative,) = record["info"]["familyHistory"]
    assert (relative["relative"], relative["relation"]) == ("FI-000002", "HL7RoleCode:NBRO")
    assert record["info"]["birthDate"] == "1940-06-01"
    last = only_record(ask("/individuals/FI-000012")[1])
    assert last["info"]["missing"][0]["nullFlavour"] == "ASKU"


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("biosamples/FI-000003-BS", {"collectionDate": "2024-05-01", "collectionMoment": "P30Y"}),
        (
            "runs/FI-000003-RUN",
            {
                "runDate": "2024-06-01",
                "libraryStrategy": "WGS",
                "platformModel": {"id": "OBI:0002630", "label": "Illumina NovaSeq 6000"},
            },
        ),
        (
            "analyses/FI-000003-AN",
            {"analysisDate": "2024-07-01", "pipelineName": "Rehearsal simulation"},
        ),
    ],
)
def test_samples_come_from_the_tables(ask, path, told):
    record = only_record(ask(f"/{path}")[1])
    assert {key: record[key] for key in told} == told
    assert record["individualId"] == "FI-000003"


def test_the_metrics_of_a_run_are_in_info(ask):
    info = only_record(ask("/runs/FI-000003-RUN")[1])["info"]
    assert (info["meanAutosomeCoverage"], info["figures"]) == (29.7, "simulated")
    assert only_record(ask("/analyses/FI-000003-AN")[1])["info"]["countSnvs"] == 802


def test_records_reveal_nothing_about_excluded_relatives(node_data):
    first = node_data.people.position("FI-000001")
    brother = BitMap([node_data.people.position("FI-000002")])
    record = individual(first, node_data, brother)
    assert "familyHistory" not in record["info"]
    assert "familyHistory" not in record["diseases"][0]


def without_tables(tmp_path):
    build_people(individuals(), {}, tmp_path / "people.sqlite")
    return PeopleStore.open(tmp_path / "people.sqlite")


def test_samples_without_tables_have_unknown_properties(node_data, tmp_path):
    with closing(without_tables(tmp_path)) as people:
        bare = NodeData(node_data.settings, node_data.variants, people)
        assert biosample(0, bare, BitMap())["sampleOriginType"]["label"] == "Unknown"
        assert len(people.with_sample("biosamples")) == len(NAMES)
        assert not people.with_sample("runs")
        assert not people.with_sample("analyses")


@pytest.mark.parametrize(
    ("rows", "said"),
    [([0, 0], "one row"), ([0], "runs.id: expected FI-000001-RUN, found 'another'")],
)
def test_a_second_or_misnamed_run_of_a_person_is_refused(tmp_path, rows, said):
    runs = samples(NAMES)["runs"].iloc[rows]
    if len(rows) == 1:
        runs = runs.assign(id="another")
    with pytest.raises(InputError, match=said):
        build_people(individuals(), {"runs": runs}, tmp_path / "people.sqlite")
    assert not (tmp_path / "people.sqlite").exists()


def test_a_custom_filter_finds_a_decade_of_births(query, ask):
    asked = [{"id": "demographic.birthDecade:1950", "scope": "individuals"}]
    body = query("individuals", _filters=asked, _granularity="record")
    assert people(body) == {2, 3}  # born in 1950 and 1955
    listed = ask("/filtering_terms")[1]["response"]["filteringTerms"]
    decades = [one["id"] for one in listed if one["type"] == "custom"]
    assert decades == [f"demographic.birthDecade:{year}" for year in range(1940, 2000, 10)]


@pytest.mark.parametrize("decade", ["1955", "none", "", "195"])
def test_a_custom_filter_without_a_decade_is_refused(query, decade):
    asked = [{"id": f"demographic.birthDecade:{decade}"}]
    query("individuals", _filters=asked, _status=400)
