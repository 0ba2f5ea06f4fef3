"""What known clients send beside the standard or instead of it, and how a request reads it.

Each use is noted in ``info.warnings`` of the answer. Any other unknown key is refused: ignoring a
key that narrows a question would answer a wider one. The table is also in
docs/reference/leniency.md.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from msgspec import UNSET

from rehearsal.node.beacon.entry_types import ENTRY_TYPES
from rehearsal.node.beacon.protein_changes import is_in_three_letters
from rehearsal.node.beacon.request_models import (
    BeaconQuery,
    DatasetsObject,
    Pagination,
    RequestedSchema,
    RequestMeta,
    RequestParameters,
    VariantParameters,
)
from rehearsal.node.beacon.variant_types import is_word

_BEACON = "ga4gh-beacon/beacon-v2 47af89c8, docs/"
_PI = "EGA-archive/beacon2-pi-api e51c5c6b, beacon/models/ga4gh/beacon_v2_default_model/"
_STANDARD = "ga4gh-beacon/beacon-v2 v2.1.1, framework/json/"
_PORTAL = (
    "gdi-userportal-dataset-discovery-service b2904a63, src/main/resources/META-INF/resources/"
)


@dataclass(frozen=True, slots=True)
class Addition:
    """One addition: what is sent, how it is read, and where a client says so."""

    sent: str
    read_as: str
    source: str  # repository, commit, file and lines

    @property
    def warning(self) -> str:
        """The note in the answer."""
        return f"{self.sent}: {self.read_as}"


DATASET_IDS = Addition(
    "datasetIds", "read as datasets", f"{_BEACON}variant-queries.md, lines 32 and 264"
)
DATASETS_OBJECT = Addition(
    "datasets.datasetIds",
    "read as the list datasets",
    f"{_BEACON}implementations/org.progenetix.md, lines 38 to 40",
)
ASSEMBLY = Addition(
    "assemblyid", "read as assemblyId", f"{_BEACON}implementations/org.progenetix.md, line 41"
)
BESIDE_QUERY = Addition(
    "requestedGranularity, pagination and filters beside query",
    "read as if they were in query",
    f"{_BEACON}variant-queries.md, lines 59 to 63; {_BEACON}implementations/org.progenetix.md, "
    "lines 48 to 50",
)
SCHEMAS = Addition(
    "requestedSchemas in query or beside it",
    "read as if they were in meta",
    "no code of a client at hand; a schema does not narrow a question",
)
SCHEMA_COLON = Addition(
    "the key schema: of a requested schema", "ignored", f"{_BEACON}variant-queries.md, line 46"
)
OTHER_SCHEMA = Addition(
    "a schema in requestedSchemas that is not served",
    "ignored: records have the schema that /entry_types names",
    f"{_STANDARD}requests/beaconRequestMeta.json, requestedSchemas",
)
PAGE_NAMES = Addition(
    "currentPage, nextPage and previousPage of pagination",
    "ignored: skip and limit choose the page",
    f"{_STANDARD}common/beaconCommonComponents.json, Pagination",
)
VARIANT_TYPE = Addition(
    "a variant type as a word, such as deletion",
    "read as its symbol, such as DEL",
    "Sequence Ontology, names of SO:0000159 and others",
)
TYPE_OF_ALLELE = Addition(
    "variantType beside the bases of one allele",
    "checked against the bases: an allele of another type is not found; INDEL includes INS and DEL",
    "gdi-mini-node 670695a4, mini_node/beacon/service/_parquet.py, lines 32 to 37",
)
MOST_LENGTH = Addition(
    "variantMaxLength",
    "bases of the longer allele without shared bases, or of the structural variant; beacon2-pi-api "
    "takes alleles of which neither REF nor ALT has more than one letter beyond it, which is the "
    "same but for bases that are replaced by others (one base longer) and symbolic alleles",
    f"{_PI}connections/mongo/filters/request_parameters/alphanumeric.py, lines 90 to 117",
)
LEAST_LENGTH = Addition(
    "variantMinLength",
    "counted as variantMaxLength; beacon2-pi-api takes alleles of which both REF and ALT have more "
    "letters, so from 1 on no single base, insertion or deletion; gdi-mini-node 670695a4 answers a "
    "request with either length with nothing (mini_node/beacon/model/variant.py, lines 51 to 57)",
    f"{_PI}connections/mongo/filters/request_parameters/alphanumeric.py, lines 120 to 146",
)
GENE_IDS = Addition(
    "a gene's identifier of HGNC, Ensembl or NCBI in geneId",
    "read as its symbol",
    f"{_PORTAL}beacon-filters.json, geneId",
)
AMINO_ACIDS = Addition(
    "aminoacidChange in three-letter notation",
    "read as in one-letter notation",
    f"{_PORTAL}beacon-filters.json, aminoacidChange",
)
IN_A_GENE = Addition(
    "a name of a transcript (c.) or protein (p.)",
    "read on the gene model and the reference of the node, as the alleles that have it there",
    f"{_BEACON}variant-queries.md, line 333",
)
TERM_AS_VALUE = Addition(
    "a term as the value of sex, disease or phenotype",
    "read as a filter for the term",
    "gdi-mini-node 670695a4, mini_node/beacon/service/individuals.py, lines 47, 48, 263 and 264",
)
SCOPE = Addition(
    "scope of a filter for people, other than individual",
    "not compared: people with the term and all their samples, runs and analyses are found",
    f"{_STANDARD}requests/filteringTerms.json, scope",
)
ADDITIONS = (
    *(DATASET_IDS, DATASETS_OBJECT, ASSEMBLY, BESIDE_QUERY, SCHEMAS, SCHEMA_COLON),
    *(OTHER_SCHEMA, PAGE_NAMES),
    *(VARIANT_TYPE, TYPE_OF_ALLELE, MOST_LENGTH, LEAST_LENGTH, GENE_IDS, AMINO_ACIDS, IN_A_GENE),
    *(TERM_AS_VALUE, SCOPE),
)
GENE_IDENTIFIER = re.compile(r"HGNC:\d{1,6}|ENSG\d{11}(\.\d{1,3})?|\d{1,9}")


NOTED = frozenset(
    {"assemblyid", "variantType", "variantMinLength", "variantMaxLength", "geneId"}
    | {"aminoacidChange"}
)


# identifiers and addresses of the schemas that records have
SERVED = frozenset(text for one in ENTRY_TYPES.values() for text in (one.schema, one.schema_url))


def additions_in(
    meta: RequestMeta,
    page: Pagination,
    parameters: RequestParameters,
    variants: VariantParameters,
    given: Collection[str],
) -> tuple[Addition, ...]:
    """Find the additions in the parts of a request that GET and POST share.

    Args:
        meta: The request's meta.
        page: Its pagination.
        parameters: Its parameters.
        variants: The parameters of variants among them, from both places.
        given: Names of the parameters of variants that the request contains, as sent.

    Returns:
        The additions.
    """
    noted = not NOTED.isdisjoint(given)
    paged = page.current_page is page.next_page is page.previous_page is None
    if paged and parameters.dataset_ids is parameters.datasets is meta.requested_schemas is None:
        return tuple(_in_variants(variants)) if noted else ()  # as most requests
    pages = () if paged else (PAGE_NAMES,)
    return (*pages, *_in_the_rest(meta, parameters), *(_in_variants(variants) if noted else ()))


def _in_the_rest(meta: RequestMeta, parameters: RequestParameters) -> Iterator[Addition]:
    if parameters.dataset_ids is not None:
        yield DATASET_IDS
    if isinstance(parameters.datasets, DatasetsObject):
        yield DATASETS_OBJECT
    schemas = meta.requested_schemas or ()
    models = [one for one in schemas if isinstance(one, RequestedSchema)]
    if any(one.schema_colon is not None for one in models):
        yield SCHEMA_COLON
    if not all(map(_is_served, schemas)):
        yield OTHER_SCHEMA


def _is_served(schema: RequestedSchema | str) -> bool:
    name = schema if isinstance(schema, str) else schema.schema
    return name is UNSET or name in SERVED


def _in_variants(given: VariantParameters) -> Iterator[Addition]:
    kind, change = _text(given.variant_type), _text(given.aminoacid_change)
    found = (
        (ASSEMBLY, given.assemblyid is not None),
        (VARIANT_TYPE, is_word(kind)),
        (TYPE_OF_ALLELE, kind != "" and given.start is not None and given.end is None),
        (MOST_LENGTH, given.variant_max_length is not None),
        (LEAST_LENGTH, given.variant_min_length is not None),
        (GENE_IDS, GENE_IDENTIFIER.fullmatch(_text(given.gene_id)) is not None),
        (AMINO_ACIDS, is_in_three_letters(change)),
    )
    yield from (addition for addition, is_used in found if is_used)


def _text(sent: str | tuple[str, ...] | None) -> str:
    return (sent[0] if isinstance(sent, tuple) else sent) or ""


def additions_around(body: BeaconQuery) -> tuple[Addition, ...]:
    """Find the additions in the body of a POST that a GET cannot have.

    Args:
        body: The body.

    Returns:
        The additions.
    """
    beside = not (body.requested_granularity is body.pagination is body.filters is None)
    in_query = body.query is not None and body.query.requested_schemas is not None
    if in_query or body.requested_schemas is not None:
        return (BESIDE_QUERY, SCHEMAS) if beside else (SCHEMAS,)
    return (BESIDE_QUERY,) if beside else ()
