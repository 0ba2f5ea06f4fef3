"""A query, its right answer, and answers in the form of a Beacon."""

from rehearsal.evaluation.suite import beacon_request
from rehearsal.model import AlleleCounts, Answer, Query, Variant
from rehearsal.truth.expected_answers import ExpectedAnswer

VARIANT = Variant("chr22", 100, "A", "G")
EXPECTED = ExpectedAnswer(
    True,
    1,
    {
        VARIANT: {
            "": AlleleCounts(an=6, ac=3, hom=1, het=1, hemi=0),
            "_F": AlleleCounts(an=4, ac=2, hom=1, het=0, hemi=0),
            "_M": AlleleCounts(an=2, ac=1, hom=0, het=1, hemi=0),
        }
    },
)
NOTHING = ExpectedAnswer(False, 0)
ERROR = {"error": {"errorCode": 400, "errorMessage": "start is negative"}}


def query(granularity: str, entry_type: str = "g_variants", limit: int = 10) -> Query:
    request = beacon_request({}, [], granularity, {"skip": 0, "limit": limit})
    return Query("q", "count", entry_type, request)


def body(granularity: str, exists: bool, count: int | None = None, results=None) -> dict:
    content = {"meta": {"returnedGranularity": granularity}, "responseSummary": {"exists": exists}}
    if count is not None:
        content["responseSummary"]["numTotalResults"] = count
    if results is not None:
        sets = [{"id": "GOE", "exists": exists, "resultsCount": count, "results": results}]
        content["response"] = {"resultSets": sets}
    return content


def answered(content: dict, node: str = "FI") -> Answer:
    return Answer("q", node, "answered", 200, content, 0.01, 100)


def population(name: str, ac: int, an: int, hom: int, het: int) -> dict:
    return {
        "population": name,
        "alleleFrequency": ac / an,
        "alleleCount": ac,
        "alleleNumber": an,
        "alleleCountHomozygous": hom,
        "alleleCountHeterozygous": het,
        "alleleCountHemizygous": 0,
    }


def record(node: str = "FI") -> dict:
    return {
        "variation": {
            "location": {"interval": {"start": {"value": 100}, "end": {"value": 101}}},
            "referenceBases": "A",
            "alternateBases": "G",
        },
        "frequencyInPopulations": [
            {
                "frequencies": [
                    population(node, 3, 6, 2, 1),  # one homozygous person: two alleles
                    population(f"{node}_F", 2, 4, 2, 0),
                    population(f"{node}_M", 1, 2, 0, 1),
                ]
            }
        ],
    }
