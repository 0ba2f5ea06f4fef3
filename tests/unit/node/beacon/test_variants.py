"""Variants: look-ups, ranges, brackets, genes, HGVS; counts by sex, exact also with filters."""

from types import SimpleNamespace

import pytest
from pyroaring import BitMap

from rehearsal.node.beacon import records

WOMAN, MAN = "NCIT:C16576", "NCIT:C20197"
HEART = "ICD10:I25.1"


def expected_counts(facts, allele, among):
    """Count AC, AN, homozygous, heterozygous, hemizygous, in alleles, one genotype at a time."""
    contig, copies = allele[0], facts.genotypes[allele]
    number = homozygous = heterozygous = hemizygous = 0
    for person in among:
        haploid = contig == "chrX" and person in facts.men
        carried = copies.get(person, 0)
        number += 1 if haploid else 2
        homozygous += carried if carried == 2 else 0
        heterozygous += carried if carried == 1 and not haploid else 0
        hemizygous += carried if haploid else 0
    return homozygous + heterozygous + hemizygous, number, homozygous, heterozygous, hemizygous


def told_counts(record, population):
    rows = record["frequencyInPopulations"][0]["frequencies"]
    (row,) = [row for row in rows if row["population"] == population]
    assert row["alleleFrequency"] == row["alleleCount"] / row["alleleNumber"]
    parts = ("Homozygous", "Heterozygous", "Hemizygous")
    return row["alleleCount"], row["alleleNumber"], *(row[f"alleleCount{part}"] for part in parts)


def sequence(allele):
    contig, start, ref, alt = allele
    return {
        "assemblyId": "GRCh38",
        "referenceName": contig,
        "start": [start],
        "referenceBases": ref,
        "alternateBases": alt,
    }


def result_set(body, dataset):
    sets = {one["id"]: one for one in body["response"]["resultSets"]}
    return sets[dataset]


def ids(body, dataset="GOE-FI-REHEARSAL-1"):
    return [record["variantInternalId"] for record in result_set(body, dataset)["results"]]


def name(allele):
    contig, start, ref, alt = allele
    return f"{contig}-{start + 1}-{ref}-{alt}"


def overlapping(facts, contig, start, end):
    found = (
        allele
        for allele in facts.genotypes
        if allele[0] == contig and allele[1] < end and allele[1] + len(allele[2]) > start
    )
    return [name(allele) for allele in sorted(found)]


def test_a_look_up_returns_allele_counts_by_sex(query, facts):
    for allele in facts.genotypes:
        body = query("g_variants", _granularity="record", **sequence(allele))
        (record,) = result_set(body, "GOE-FI-REHEARSAL-1")["results"]
        everyone = range(facts.people)
        assert told_counts(record, "FI") == expected_counts(facts, allele, everyone)
        assert told_counts(record, "FI_F") == expected_counts(facts, allele, facts.women)
        assert told_counts(record, "FI_M") == expected_counts(facts, allele, facts.men)


def test_counts_among_filtered_people_are_recomputed(query, facts):
    ill = {0, 1, 5}
    for allele, copies in facts.genotypes.items():
        body = query("g_variants", [HEART], "record", **sequence(allele))
        if not ill & set(copies):
            assert body["responseSummary"] == {"exists": False, "numTotalResults": 0}
            continue
        (record,) = result_set(body, "GOE-FI-REHEARSAL-1")["results"]
        assert told_counts(record, "FI") == expected_counts(facts, allele, ill)
        assert told_counts(record, "FI_F") == expected_counts(facts, allele, ill & facts.women)
        assert told_counts(record, "FI_M") == expected_counts(facts, allele, ill & facts.men)


def test_a_population_without_people_is_left_out(query, facts):
    allele = ("chrX", 12_886_151, "A", "G")
    body = query("g_variants", [WOMAN], "record", **sequence(allele))
    (record,) = result_set(body, "GOE-FI-REHEARSAL-1")["results"]
    told = record["frequencyInPopulations"][0]["frequencies"]
    assert [row["population"] for row in told] == ["FI", "FI_F"]


def test_only_the_people_dataset_names_carriers(query, facts):
    allele = ("chrX", 12_886_151, "A", "G")
    body = query("g_variants", _granularity="record", **sequence(allele))
    (frequency,) = result_set(body, "GOE-FI-REHEARSAL-1")["results"]
    (record,) = result_set(body, "GDI-FI-REHEARSAL-1")["results"]
    assert "caseLevelData" not in frequency
    assert "frequencyInPopulations" not in record
    told = {case["individualId"]: case["zygosity"]["label"] for case in record["caseLevelData"]}
    assert told == {
        "FI-000002": "hemizygous",
        "FI-000003": "heterozygous",
        "FI-000004": "hemizygous",
        "FI-000005": "homozygous",
    }


def test_a_long_list_of_carriers_is_cut_with_a_total(query, monkeypatch):
    monkeypatch.setattr("rehearsal.node.beacon.records.MAX_CASES", 3)
    allele = ("chrX", 12_886_151, "A", "G")
    body = query("g_variants", _granularity="record", **sequence(allele))
    (record,) = result_set(body, "GDI-FI-REHEARSAL-1")["results"]
    assert len(record["caseLevelData"]) == 3
    assert record["info"] == {"caseLevelDataTotal": 4}


def test_a_variant_in_two_datasets_counts_once(query, facts):
    body = query("g_variants", **sequence(next(iter(facts.genotypes))))
    assert body["responseSummary"] == {"exists": True, "numTotalResults": 1}
    assert [one["resultsCount"] for one in body["response"]["resultSets"]] == [1, 1]


@pytest.mark.parametrize("contig", ["17", "chr17", "NC_000017.11", "refseq:NC_000017.11"])
def test_a_contig_is_found_by_all_its_names(query, contig):
    asked = sequence(("chr17", 43_044_300, "A", "G")) | {"referenceName": contig}
    assert query("g_variants", **asked)["responseSummary"]["numTotalResults"] == 1


@pytest.mark.parametrize(
    "change", [{"alternateBases": "C"}, {"referenceBases": "T"}, {"start": [43_044_301]}]
)
def test_another_allele_is_absent(query, change):
    asked = {**sequence(("chr17", 43_044_300, "A", "G")), **change}
    body = query("g_variants", _granularity="boolean", **asked)
    assert body["responseSummary"] == {"exists": False}


def test_a_contig_without_data_holds_nothing(query):
    asked = sequence(("chr1", 1000, "A", "G"))
    assert query("g_variants", **asked)["responseSummary"]["numTotalResults"] == 0


@pytest.mark.parametrize(
    ("start", "ref", "alt", "found"),
    [
        (43_044_300, None, "G", ["chr17-43044301-A-G"]),
        (43_044_300, "N", "G", ["chr17-43044301-A-G"]),
        (43_044_300, "R", "S", ["chr17-43044301-A-G"]),
        (43_044_300, "Y", "G", []),
        (43_044_300, "NN", "G", []),
        (43_050_001, "", "A", ["chr17-43050001-C-CA"]),
        (43_124_027, "CT", "", ["chr17-43124027-ACT-A"]),
    ],
)
def test_a_sequence_may_have_wildcards_and_empty_alleles(query, start, ref, alt, found):
    asked = {"referenceName": "17", "start": [start], "alternateBases": alt}
    if ref is not None:
        asked["referenceBases"] = ref
    body = query("g_variants", _granularity="record", _include="ALL", **asked)
    assert ids(body) == found


@pytest.mark.parametrize(
    ("start", "end"),
    [
        (43_000_000, 43_100_000),
        (43_124_028, 43_124_029),  # inside the deleted bases
        (43_124_029, 43_124_030),  # just after them
        (43_044_300, 43_044_301),
        (43_044_301, 43_044_302),
        (0, 83_257_441),
    ],
)
def test_a_range_finds_every_variant_that_overlaps_it(query, facts, start, end):
    asked = {"referenceName": "chr17", "start": [start], "end": [end]}
    body = query("g_variants", _granularity="record", _include="ALL", **asked)
    assert ids(body) == overlapping(facts, "chr17", start, end)


@pytest.mark.parametrize(
    ("restriction", "count"),
    [
        ({"variantType": "SNP"}, 3),
        ({"variantType": "INS"}, 2),
        ({"variantType": "DEL"}, 1),
        ({"variantType": "DUP"}, 0),
        ({"variantMinLength": 2}, 1),
        ({"variantMaxLength": 1}, 5),
        ({"alternateBases": "T"}, 1),
        ({"referenceBases": "S", "alternateBases": "S"}, 1),
    ],
)
def test_a_range_can_be_restricted(query, restriction, count):
    asked = {"referenceName": "chr17", "start": [0], "end": [83_257_441], **restriction}
    assert query("g_variants", **asked)["responseSummary"]["numTotalResults"] == count


def test_a_bracket_bounds_start_and_end(query):
    place = {"referenceName": "chr17", "start": [43_124_000, 43_124_026]}
    for end, count in (
        ([43_124_029, 43_124_030], 1),
        ([43_124_030, 43_124_040], 0),
        ([43_124_027, 43_124_028], 0),
    ):
        body = query("g_variants", **place, end=end)
        assert body["responseSummary"]["numTotalResults"] == count, end


def test_a_gene_is_its_range(query, facts):
    body = query("g_variants", geneId="BRCA1", _granularity="record")
    assert ids(body) == overlapping(facts, "chr17", 43_044_294, 43_125_364)


def test_every_variant_is_found_by_its_own_hgvs_and_by_its_identifier(query, ask, facts):
    for allele in facts.genotypes:
        found = query("g_variants", _granularity="record", **sequence(allele))
        (record,) = result_set(found, "GOE-FI-REHEARSAL-1")["results"]
        described = record["identifiers"]["genomicHGVSId"]
        body = query("g_variants", genomicAlleleShortForm=described, _granularity="record")
        assert ids(body) == [name(allele)], described
        status, body = ask(f"/g_variants/{name(allele)}")
        assert status == 200
        assert ids(body) == [name(allele)]


def test_a_filter_leaves_variants_that_matching_people_carry(query, facts):
    ill = {0, 1, 5}
    carried = [name(a) for a, copies in sorted(facts.genotypes.items()) if ill & set(copies)]
    body = query("g_variants", [HEART], "record", _limit=1000)
    assert ids(body) == carried
    assert body["responseSummary"]["numTotalResults"] == len(carried)


def test_pages_together_are_the_whole_and_the_total_stays(query, facts):
    pages = [query("g_variants", _granularity="record", _skip=i, _limit=7) for i in range(6)]
    assert {body["responseSummary"]["numTotalResults"] for body in pages} == {len(facts.genotypes)}
    found = [identifier for body in pages for identifier in ids(body)]
    assert found == [name(allele) for allele in sorted(facts.genotypes)]


def test_one_persons_variants(ask, facts):
    status, body = ask("/individuals/FI-000006/g_variants", requestedGranularity="record", limit=0)
    assert status == 200
    carried = [name(a) for a, copies in sorted(facts.genotypes.items()) if 5 in copies]
    assert ids(body, "GDI-FI-REHEARSAL-1") == carried
    assert [one["id"] for one in body["response"]["resultSets"]] == ["GDI-FI-REHEARSAL-1"]


def test_test_mode_answers_from_the_first_ten_people(query, facts):
    allele = ("chr17", 50_000_000, "G", "C")  # carried by the last two people only
    assert query("g_variants", **sequence(allele))["responseSummary"]["exists"] is True
    body = query("g_variants", _test=True, _include="ALL", **sequence(allele))
    assert body["meta"]["testMode"] is True
    assert [one["id"] for one in body["response"]["resultSets"]] == ["GDI-FI-TEST-1"]
    assert body["responseSummary"]["exists"] is False
    allele = ("chr17", 43_044_300, "A", "G")
    body = query("g_variants", _test=True, _granularity="record", **sequence(allele))
    (record,) = result_set(body, "GDI-FI-TEST-1")["results"]
    assert told_counts(record, "FI") == expected_counts(facts, allele, range(10))
    assert len(record["caseLevelData"]) == 4


EVERYTHING = {"referenceName": "22", "start": [0], "end": [50_000_000]}


@pytest.mark.parametrize(
    ("path", "parameters", "where"),
    [
        ("/g_variants", EVERYTHING, "start and end"),
        ("/g_variants", EVERYTHING | {"variantMinLength": 1000}, "start and end"),
        ("/individuals", EVERYTHING, "start and end"),
        ("/g_variants", {**EVERYTHING, "start": [0, 9], "end": [1, 50_000_000]}, None),
    ],
)
def test_a_caller_without_a_grant_has_no_long_scan(ask, monkeypatch, path, parameters, where):
    monkeypatch.setattr("rehearsal.node.beacon.scan_limit.MOST_LOOKED_AT", 1)
    body = {"query": {"requestParameters": parameters, "requestedGranularity": "count"}}
    status, answer = ask(path, body)
    if where is None:
        assert status == 200
        return
    assert status == 400
    expected = f"{where}: expected a region with at most 1 alleles, without a grant, found a larger"
    assert answer["error"]["errorMessage"].startswith(expected)


@pytest.mark.parametrize(
    "impossible",
    [
        {"variantMinLength": 300_000_000},
        {"variantType": "BND"},
        {"referenceBases": "R", "alternateBases": "C", "variantMinLength": 2},
    ],
)
def test_conditions_that_exclude_every_allele_need_no_scan(ask, monkeypatch, impossible):
    monkeypatch.setattr("rehearsal.node.beacon.scan_limit.MOST_LOOKED_AT", 0)
    body = {"query": {"requestParameters": EVERYTHING | impossible}}
    status, answer = ask("/g_variants", body)
    assert (status, answer["responseSummary"]["exists"]) == (200, False)


@pytest.mark.parametrize("path", ["/g_variants", "/individuals"])
def test_a_caller_without_a_grant_has_short_pages(ask, monkeypatch, path):
    monkeypatch.setattr("rehearsal.node.beacon.scan_limit.MOST_RECORDS", 2)
    for limit, expected in ((2, 200), (3, 400)):
        status, answer = ask(path, None, requestedGranularity="record", limit=limit)
        assert status == expected
    message = "pagination.limit: expected at most 2 records of a page, without a grant, found 3"
    assert answer["error"]["errorMessage"] == message


def test_carriers_of_mitochondrial_alleles_are_not_hemizygous(node_data):
    """A node knows the major allele of a person, not in how many mitochondrial genomes it is."""
    row = SimpleNamespace(
        contig="chrM", start=99, carriers=lambda: BitMap([0, 1]), homozygotes=BitMap
    )
    listed = records.cases(row, None, node_data)["caseLevelData"]
    unspecified = {"id": "GENO:0000137", "label": "unspecified zygosity"}
    assert [one["zygosity"] for one in listed] == [unspecified] * 2
