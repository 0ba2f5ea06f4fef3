"""Generates requests to all endpoints of a node, of all shapes, by all kinds of callers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from typing import Any
from urllib.parse import quote, urlencode

import orjson
from hypothesis import strategies as st

from rehearsal.genomes.assembly import CONTIG_LENGTHS
from rehearsal.genomes.coding_names import coding_name
from rehearsal.genomes.genomic_names import describe, describe_structural, trimmed
from rehearsal.genomes.reference_identity import ContigIdentity, ReferenceIdentity
from rehearsal.node.beacon.entry_types import ENTRY_TYPES
from rehearsal.node.beacon.vrs_index import identifiers_of
from rehearsal.node.privacy.public_facts import PublicAllele

from ..beacon import named_genes
from ..beacon.named_genes import PUBLISHED
from .neighbouring_nodes import ALLELES, MATCHMAKER_KEY, PRIVATE, SIZE, SOMATIC, UNHEARD

Allele = tuple[str, int, str, str]


@dataclass(frozen=True)
class Request:
    """One request. ``token`` names a token; the empty name stands for none."""

    method: str
    path: str
    parameters: str = ""
    body: bytes = b""
    purpose: str = ""
    token: str = ""
    address: str = "192.0.2.1"
    accept: str = "*/*"
    key: bytes = b""  # of a matchmaker


FREQUENCIES, PEOPLE = "GOE-FI-REHEARSAL-1", "GDI-FI-REHEARSAL-1"
TESTS, TUMOURS = "GDI-FI-TEST-1", "GDI-FI-TUMOURS-1"
DATASETS = (FREQUENCIES, PEOPLE, TESTS, TUMOURS, "GDI-SE-REHEARSAL-1")
TOKENS = (*[""] * 8, *("one", "two") * 4, "committee", "expired", "nonsense", "stranger")
ADDRESSES = ("192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", "2001:db8:0:1::1")
PURPOSES = (
    *("", "DUO:0000006", "DUO:0000042", "DUO:0000011") * 3,
    *("DUO:0000006, DUO:0000045", "DUO:0000007 MONDO:0007254", "DUO:0000043", "research"),
)
GRANULARITIES = (*(None, "boolean", "count", "record") * 5, "none")
INCLUDED = (None, "ALL", "HIT", "MISS", "NONE")
ONE_PERSON = tuple(f"FI-{number:06d}" for number in (1, 3, 8, 99))
TERMS = (
    *("NCIT:C16576", "NCIT:C20197", "ICD10:I25.1", "ICD10:C50", "ICD10:G35", UNHEARD[0]),
    *("MONDO:0007254", "MONDO:0005301", "MONDO:0009061", "HP:0001250", "HP:0000252"),
    *("HP:0000707", "HP:0012638", "ICD10:A00", "UBERON:0000178", "MONDO:9999999"),
    *("SO:0001583", "FOO:123", "HP:9999999", "HP:0001366", "MONDO:0005105", "MONDO:0000001"),
)
# of a matchmaker, which opens no Beacon, and of nobody
NO_KEY = b"another key"
KEYS = (*[b""] * 18, MATCHMAKER_KEY, NO_KEY)
# every base is named on GRCh38, as in a run with real bases
SEQUENCES = ReferenceIdentity(
    "reference.fa.gz",
    {
        contig: ContigIdentity(length, "SQ.own", "", "synthetic", [(0, length)], "own")
        for contig, length in CONTIG_LENGTHS.items()
    },
)

GENES = (
    *("BRCA1", "BRCA1", "TLR7", "PTEN", "brca1", "HGNC:1100", "ENSG00000012048.25", "672"),
    *("HGNC:15631", "HGNC:99999", "ENSG00000000000"),
)

pick = st.sampled_from
alleles: st.SearchStrategy[Allele] = st.one_of(
    pick(tuple(ALLELES)),
    pick(tuple(ALLELES)),
    pick(PRIVATE + SOMATIC),
    st.builds(lambda one, by: (one[0], one[1] + by, *one[2:]), pick(tuple(ALLELES)), pick((1, 7))),
)
widths = pick((1, 2, 150, 1_000, 2_000, 3_000, 4_000, 10_000, 10_001, 1_000_000))


def _names(contig: str) -> tuple[str, ...]:
    return contig, contig.removeprefix("chr")


def _coding_name(allele: Allele) -> Iterator[str]:
    """Name an allele by each transcript that it lies in."""
    contig, start, ref, alt = allele
    for transcript in named_genes.transcripts():
        if contig == transcript.contig and not alt.startswith("<"):
            change = trimmed(contig, start, ref, alt)
            place = change.start, change.end, change.inserted
            name = coding_name(transcript, named_genes.genes().window(transcript), *place)
            if name:
                yield f"{transcript.name}:{name}"


@cache
def _coding_names() -> tuple[str, ...]:
    """Names of alleles in BRCA1 and TLR7, of people here and elsewhere, and some that are wrong."""
    found = ["NM_007294.3:c.5266dup", "NM_007294.4:c.68_69delGA", "NM_007294.4:c.99999del"]
    found += [one for one, _, _ in PUBLISHED]
    found += [one for allele in (*PRIVATE, *ALLELES, *SOMATIC) for one in _coding_name(allele)]
    return tuple(dict.fromkeys(found))


@cache
def _identifiers() -> tuple[str, ...]:
    """Computed identifiers of all alleles, and one of none."""
    found = ["ga4gh:VA." + "A" * 32]
    for contig, start, ref, alt in (*ALLELES, *PRIVATE, *SOMATIC):
        size = SIZE if alt.startswith("<") else 0
        row = PublicAllele(contig, start, ref, alt, size, size, 0, 0, 0)
        found += [one for _, one in identifiers_of(row, SEQUENCES)]
    return tuple(found)


PROTEINS = (
    *("NP_009225.1:p.Gln1756ProfsTer74", "NP_009225.1:p.(Q1756Pfs*74)", "NP_057646.1:p.N215S"),
    *("NP_057646.1:p.Arg215Ser", "NP_057646.2:p.Asn215Ser"),
)
# places on GRCh37: of planted variants, and one that is not known
EARLIER = (
    ("17", 41_209_078, "T", "TG"),
    ("chr17", 41_276_043, "ACT", "A"),
    ("NC_000023.10", 12_904_270, "A", "G"),
    ("22", 21_000_000, "A", "C"),
)


@st.composite
def names(draw: Any) -> str:
    """Names of alleles and of changes of proteins, genomic and in genes."""
    contig, start, ref, alt = draw(alleles)
    structural = describe_structural(contig, start, start + 1 + SIZE, alt)
    genomic = structural or describe(contig, start, ref, alt)
    return draw(pick((genomic, genomic, draw(pick(_coding_names())), draw(pick(PROTEINS)))))


@st.composite
def narrowed(draw: Any) -> dict[str, Any]:
    """Conditions on variants beyond their location."""
    narrowing = {
        "variantType": pick(
            (
                *("SNP", "INDEL", "DEL", "INS", "DUP", "INV", "CNV", "EFO:0030067", "SO:0001483"),
                *("odd", "deletion", "Substitution", "copy number loss", "snv"),
            )
        ),
        "variantMinLength": pick((0, 1, 2, 50, SIZE)),
        "variantMaxLength": pick((1, 2, 50, SIZE)),
        "alternateBases": pick(("A", "G", "N", "TG")),
        "referenceBases": pick(("A", "N", "ACT")),
    }
    if draw(pick((True, True, False))):
        return {}
    chosen = draw(st.sets(pick(tuple(narrowing)), max_size=2))
    return {name: draw(narrowing[name]) for name in sorted(chosen)}


@st.composite
def variants(draw: Any) -> dict[str, Any]:
    """Parameters of a variant query, or none."""
    contig, start, ref, alt = draw(alleles)
    assembly = draw(pick(("assemblyId", "assemblyId", "assemblyid")))
    place = {assembly: "GRCh38", "referenceName": draw(pick(_names(contig))), "start": start}
    shape = draw(pick((*("allele", "range") * 3, "bracket", "gene", "HGVS", "other", "GRCh37")))
    if shape == "allele":
        bases = {"referenceBases": ref, "alternateBases": alt}
        if draw(st.booleans()):
            bases = {key: f"{one}AC".lower() for key, one in bases.items()}
        return place | bases
    if shape == "range":
        width = draw(widths)
        first = max(0, start - draw(st.integers(0, 3)) * (width // 3))
        return place | {"start": first, "end": first + width} | draw(narrowed())
    if shape == "bracket":
        width = draw(pick((0, 0, 1, 150, 4_000)))
        ends = [start + 1, start + width + 1]
        if alt.startswith("<"):
            ends = [one + SIZE for one in ends]
        return place | {"start": [start, start + width], "end": ends} | draw(narrowed())
    if shape == "gene":
        return {"geneId": draw(pick(GENES))} | draw(narrowed())
    if shape == "HGVS":
        return {"genomicAlleleShortForm": draw(names())}
    if shape == "GRCh37":
        return _on_grch37(draw(pick(EARLIER)), draw(pick(("GRCh37", "hg19", "GRCh36"))))
    broken = {"start": start}
    protein = {"aminoacidChange": draw(pick(("N215S", "Asn215Ser", "Q1756fs", *PROTEINS, "?")))}
    return draw(pick((*[{}] * 5, protein, broken, place, protein | {"geneId": "TLR7"})))


def _on_grch37(allele: Allele, assembly: str) -> dict[str, Any]:
    contig, start, ref, alt = allele
    place = {"assemblyId": assembly, "referenceName": contig, "start": start}
    return place | {"referenceBases": ref, "alternateBases": alt}


terms = st.builds(
    lambda term, more: {"id": term} | more,
    pick(TERMS),
    pick(
        (
            *({}, {}, {}, {"includeDescendantTerms": False}),
            *({"similarity": "high"}, {"similarity": "exact"}, {"scope": "individuals"}),
            *({"scope": "genomicVariations"}, {"scope": "biosamples"}),
        )
    ),
)
comparisons = pick(
    (
        *({"id": "LOINC:22748-8", "operator": ">", "value": "2.9"}, {"id": "age>50"}),
        *({"id": "disease", "operator": "=", "value": "%sclerosis%"}, {"id": "odd", "value": "1"}),
        {"id": "demographic.birthDecade:1960"},
    )
)
filters = st.one_of(
    st.just([]),
    st.just([]),
    st.lists(terms, min_size=1, max_size=1),
    st.lists(terms, min_size=1, max_size=1),
    st.tuples(pick(TERMS[:2]), pick(TERMS[2:])).map(lambda two: [{"id": one} for one in two]),
    st.lists(st.one_of(terms, terms, comparisons), max_size=2),
)


@st.composite
def beacon_query(draw: Any, with_variants: bool = True) -> dict[str, Any]:
    """The query of a POST to an entry type."""
    query = {
        "requestedGranularity": draw(pick(GRANULARITIES)),
        "includeResultsetResponses": draw(pick(INCLUDED)),
        "testMode": draw(pick((None, None, None, True))),
        "filters": draw(filters) or None,
        "pagination": draw(pick((None, None, {"skip": 1}, {"limit": 0}, {"skip": 3, "limit": 7}))),
    }
    parameters = draw(variants()) if with_variants else {}
    datasets = draw(
        st.one_of(*[st.just([])] * 4, st.lists(pick(DATASETS), max_size=2, unique=True))
    )
    if datasets:
        named = ({"datasets": datasets}, {"datasetIds": datasets})
        parameters |= draw(pick((*named, {"datasets": {"datasetIds": datasets}})))
    if parameters:
        query["requestParameters"] = parameters
    return {key: one for key, one in query.items() if one is not None}


@st.composite
def entry_paths(draw: Any) -> tuple[str, bool]:
    """Path of an entry type, an entry or a list below it; whether it may name variants."""
    kind = draw(pick((*("g_variants", "individuals") * 4, *ENTRY_TYPES)))
    if draw(pick((True, True, True, False))):
        return f"/{kind}", True
    contig, start, ref, alt = draw(alleles)
    own = f"{contig}-{start + 1}-{ref}-{alt}"
    if alt.startswith("<"):
        own = f"{contig}-{start + 1}-{ref}-{alt[1:-1]}-{SIZE}"
    identifier = {
        "g_variants": draw(pick((own, own, draw(names()), draw(pick(_identifiers()))))),
        "datasets": draw(pick(DATASETS)),
        "cohorts": draw(pick(("COHORT-FI-1", "COHORT-SE-1"))),
    }.get(kind) or draw(pick(ONE_PERSON)) + {"biosamples": "-BS", "runs": "-RUN"}.get(kind, "")
    below = draw(pick(("", "filtering_terms", *ENTRY_TYPES[kind].lists)))
    path = f"/{kind}/{quote(identifier)}" + (f"/{below}" if below else "")
    return path, kind != "g_variants"


@st.composite
def placed(draw: Any, query: dict[str, Any]) -> dict[str, Any]:
    """A body with the query, some of whose keys are beside it, as some clients put them."""
    if draw(pick((True, True, False))):
        return {"query": query}
    movable = ("requestedGranularity", "pagination", "filters")
    moved = {key: query.pop(key) for key in movable if key in query and draw(st.booleans())}
    schema = {"entityType": "genomicVariant", draw(pick(("schema", "schema:"))): "x"}
    beside = draw(pick(({}, {"requestedSchemas": [schema]}, {"meta": {"apiVersion": "2.2"}})))
    return {"query": query} | moved | beside


@st.composite
def queries(draw: Any) -> Request:
    """A Beacon query, by POST or by GET."""
    path, with_variants = draw(entry_paths())
    query = draw(beacon_query(with_variants))
    if draw(st.booleans()):
        return Request("POST", path, body=orjson.dumps(draw(placed(query))))
    flat = dict(query.pop("requestParameters", {})) | dict(query.pop("pagination", {}))
    flat |= query
    if "testMode" in flat:
        flat["testMode"] = "true"
    if isinstance(flat.get("datasets"), dict):
        flat["datasets"] = flat["datasets"]["datasetIds"]
    if "filters" in flat:
        flat["filters"] = ",".join(one["id"] for one in flat["filters"])
    joined = {k: ",".join(map(str, v)) if isinstance(v, list) else v for k, v in flat.items()}
    return Request(draw(pick(("GET", "GET", "GET", "HEAD"))), path, urlencode(joined))


INFORMING = (
    *("/", "/info", "/service-info", "/configuration", "/entry_types", "/map", "/openapi.json"),
    *("/filtering_terms", "/individuals/filtering_terms", "/g_variants/filtering_terms"),
    *("/v2.0.0/map", "/v2.0.0/g_variants", "/v2/datasets", "/v2.1.1/individuals/FI-000001"),
    *("/datasets", "/cohorts", f"/datasets/{PEOPLE}", f"/datasets/{TUMOURS}"),
    *("/cohorts/COHORT-FI-1", "/health", "/metrics", "/nothing", "/individuals/", "/scores"),
    *("/subscriptions", "/alerts", "/htsget/variants/service-info", f"/htsget/variants/{PEOPLE}"),
    *("/htsget/variants/X", f"/htsget/data/{PEOPLE}/header.bcf", "/fdp", "/fdp/catalogs"),
    *("/fdp/datasets", f"/fdp/dataset/{PEOPLE}/distributions"),
    *("/fdp/catalog", f"/fdp/dataset/{PEOPLE}", f"/fdp/dataset/{FREQUENCIES}"),
    *(f"/fdp/policy/{PEOPLE}", f"/fdp/distribution/{PEOPLE}-htsget", "/fdp/service"),
    *(f"/drug_flags/{one}" for one in ONE_PERSON),
    *(f"/individuals/{one}/phenopacket" for one in ONE_PERSON),
    *(f"/scores/{'0' * 64}/individuals/{one}" for one in ONE_PERSON),
    *(f"/htsget/variants/{PEOPLE}?{one}" for one in ("referenceName=chr22", "format=BCF")),
)
PROFILE = {"sex": "male", "age": {"from": 1, "to": 99}, "terms": ["HP:0001250"], "gene": "TLR7"}
PATIENT = {
    "id": "P1",
    "contact": {"name": "N", "href": "mailto:n@example.org"},
    "features": [{"id": "HP:0001250"}],
    "genomicFeatures": [{"gene": {"id": "BRCA1"}}],
}
POSTED = {
    "/scores": {"scoringFile": "0" * 64, "bins": {"from": -1, "to": 1, "width": 1}},
    "/scores/hazard": {"scoringFile": "0" * 64, "disease": "ICD10:I25.1", "coefficient": 0},
    "/subscriptions": {"profile": PROFILE},
    "/alerts/acknowledged": {"tokens": ["x"]},
    "/match": {"patient": PATIENT},
    f"/htsget/variants/{PEOPLE}": {"format": "VCF"},
}


def _forms() -> list[tuple[str, dict[str, Any]]]:
    """A path and a body for every form of question that nodes read beside the standard's own."""
    contig, start, ref, alt = PRIVATE[0]
    place = {"referenceName": contig, "start": start}
    allele = place | {"referenceBases": ref, "alternateBases": alt}
    region = {"referenceName": "22", "start": 21_000_000, "end": 21_002_000}
    gene = {"geneId": "HGNC:1100", "variantType": "deletion", "variantMaxLength": 9}
    beside = {"requestedGranularity": "count", "filters": [{"id": "ICD10:G35"}]}
    asked = [
        region,
        allele | {"assemblyid": "GRCh38", "datasetIds": [PEOPLE]},
        allele | {"variantType": "SNP", "datasets": {"datasetIds": [PEOPLE]}},
        *(_on_grch37(one, "GRCh37") for one in EARLIER),
        gene,
        gene | {"geneId": "ENSG00000012048.25"},
        *({"genomicAlleleShortForm": one} for one in (*_coding_names()[:18], *PROTEINS)),
        {"aminoacidChange": "Q1756fs", "geneId": "672"},
    ]
    found = [
        ("/g_variants", {"query": {"requestParameters": one, "requestedGranularity": "count"}})
        for one in asked
    ]
    found += [(f"/g_variants/{one}", {}) for one in _identifiers()[::16]]
    found += [
        (f"/{kind}", {"query": {"filters": [{"id": term} | scope]}})
        for kind in ("individuals", "g_variants")
        for term in ("FOO:123", "HP:9999999", "MONDO:9999999", "MONDO:0000001", UNHEARD[0])
        for scope in ({}, {"scope": "individuals"})
    ]
    return [*found, ("/individuals", beside), ("/individuals", {"query": {}} | beside)]


def fixed_requests() -> list[Request]:
    """One request of each caller to every endpoint without Beacon queries, and one of each form."""
    found = []
    for path, body in _forms():
        for token, key in (("", b""), ("one", b""), ("", MATCHMAKER_KEY)):
            found.append(Request("POST", path, "", orjson.dumps(body), token=token, key=key))
    for token in ("", "one", "expired"):
        for path in INFORMING:
            path, _, parameters = path.partition("?")
            for accept in ("*/*", "application/ld+json")[: 1 + path.startswith("/fdp")]:
                found.append(Request("GET", path, parameters, token=token, accept=accept))
        found += [
            Request("POST", "/match", "", orjson.dumps(POSTED["/match"]), token=token, key=NO_KEY),
            Request("GET", "/heartbeat", token=token, key=NO_KEY),
            Request("GET", "/metrics", token=token, key=NO_KEY),
        ]
        for path, body in POSTED.items():
            for purpose in ("", "DUO:0000006"):
                found.append(Request("POST", path, "", orjson.dumps(body), purpose, token))
    return found


def requests() -> st.SearchStrategy[Request]:
    """Beacon queries of all kinds by all callers."""
    return st.builds(
        lambda one, purpose, token, address, key: replace(
            one, purpose=purpose, token=token, address=address, key=key
        ),
        queries(),
        pick(PURPOSES),
        pick(TOKENS),
        pick(ADDRESSES),
        pick(KEYS),
    )
