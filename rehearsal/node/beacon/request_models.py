"""Models of Beacon requests: of the body of a POST, and of groups of parameters of a GET.

Where the standard has a number or a list, a text or a single item is also accepted, because the
parameters of a GET are texts.
"""

from __future__ import annotations

import re
from operator import attrgetter
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType, field

from rehearsal.errors import shown
from rehearsal.model import Granularity
from rehearsal.web.problem import Problem
from rehearsal.web.request_models import RequestModel, convert_values, whole

MAX_FILTERS = 100

Include = Literal["ALL", "HIT", "MISS", "NONE"]
Operator = Literal["=", "<", ">", "!", ">=", "<="]
Similarity = Literal["exact", "high", "medium", "low"]
OfVariants = Literal["genomicVariation", "genomicVariations", "genomicVariant", "g_variants"]
OfPeople = Literal[
    "individual",
    "individuals",
    "biosample",
    "biosamples",
    "run",
    "runs",
    "analysis",
    "analyses",
]

# A union of a list and a text with a pattern is not possible (see rehearsal.web.request_models).
# There the pattern is only described, and the text is checked when the query is built.
BASES = r"[ACGTUNRYSWKMBDHVacgtunryswkmbdhv.\-]*"
Text = Annotated[str, Meta(max_length=5000)]
GREATEST = 2**63 - 1  # number, also as text
Digits = Annotated[str, Meta(pattern=whole("[+-]?[0-9]{1,19}"), title="a whole number")]
Number = Annotated[int, Meta(ge=0, le=GREATEST)] | Digits
NumberFromOne = Annotated[int, Meta(ge=1, le=GREATEST)] | Digits
OneOrTwo = Meta(min_length=1, max_length=2, description="One value for a range, two for a bracket.")
DigitsOrList = Annotated[str, Meta(max_length=20, extra_json_schema={"pattern": "^[+-]?[0-9]+$"})]
OneItem = Meta(min_length=1, max_length=1)
OneText = Text | Annotated[tuple[Text, ...], OneItem]
OneOfBases = (
    Annotated[str, Meta(max_length=5000, extra_json_schema={"pattern": f"^{BASES}$"})]
    | Annotated[tuple[Text, ...], OneItem]
)
Positions = (
    Annotated[int, Meta(ge=0, le=GREATEST)] | DigitsOrList | Annotated[tuple[Number, ...], OneOrTwo]
)
PositionsFromOne = (
    Annotated[int, Meta(ge=1, le=GREATEST)]
    | DigitsOrList
    | Annotated[tuple[NumberFromOne, ...], OneOrTwo]
)


WHOLE_NUMBER = re.compile("[+-]?[0-9]{1,19}")


class VariantParameters(RequestModel):
    """A query for variants. Positions are 0-based, ends exclusive, on GRCh38."""

    assembly_id: Annotated[
        OneText | None, Meta(description="GRCh38, or GRCh37, from which known positions are moved.")
    ] = None
    assemblyid: Annotated[
        OneText | None, Meta(description="The same, as some clients spell it.")
    ] = None
    reference_name: Annotated[
        OneText | None, Meta(description="Contig, as 17, chr17 or NC_000017.11.")
    ] = None
    start: Annotated[
        Positions | None,
        Meta(description="Start, 0-based. Two values with two of end make a bracket query."),
    ] = None
    end: Annotated[
        PositionsFromOne | None,
        Meta(description="End, exclusive. One value makes a range query, two a bracket query."),
    ] = None
    reference_bases: Annotated[
        OneOfBases | None, Meta(description="Reference bases, as IUPAC codes.")
    ] = None
    alternate_bases: Annotated[
        OneOfBases | None, Meta(description="Alternate bases, as IUPAC codes.")
    ] = None
    variant_type: Annotated[
        OneText | None,
        Meta(
            description="SNP, MNP, INS, DEL, DUP, INV, CNV, INDEL (small INS and DEL), INS:ME, "
            "DUP:TANDEM, a term of SO or EFO for one of them, or its name, such as deletion.",
            examples=["DEL", "EFO:0030070"],
        ),
    ] = None
    variant_min_length: Annotated[
        Number | None,
        Meta(description="Smallest length of the longer allele or structural variant, bases."),
    ] = None
    variant_max_length: Annotated[
        NumberFromOne | None,
        Meta(description="Largest length of the longer allele or structural variant, bases."),
    ] = None
    gene_id: Annotated[
        OneText | None,
        Meta(
            description="Gene symbol, or identifier of HGNC, Ensembl or NCBI. Matches all variants "
            "that overlap the gene.",
            examples=["BRCA1", "HGNC:1100"],
        ),
    ] = None
    aminoacid_change: Annotated[
        OneText | None, Meta(description="Change of a protein.", examples=["V600E"])
    ] = None
    genomic_allele_short_form: Annotated[
        OneText | None,
        Meta(
            description="Genomic HGVS description of one allele.",
            examples=["NC_000017.11:g.43057063G>A"],
        ),
    ] = None
    mate_name: Annotated[
        OneText | None,
        Meta(description="Not supported: this node has no variants between two contigs."),
    ] = None

    def sent(self) -> dict[str, Any]:
        """Return the parameters that the request contains, as sent."""
        values = _values(self)
        return {key: one for key, one in zip(KEYS, values, strict=True) if one is not None}


KEYS = VariantParameters.__struct_encode_fields__
_values = attrgetter(*VariantParameters.__struct_fields__)


class DatasetsObject(RequestModel):
    """Datasets to query, in the form of the example request of progenetix.org."""

    dataset_ids: tuple[str, ...] = ()


class RequestParameters(VariantParameters):
    """A query for variants, given directly or under ``g_variant``, and the datasets to query."""

    g_variant: VariantParameters | None = field(name="g_variant", default=None)
    datasets: Annotated[
        tuple[str, ...] | DatasetsObject | None,
        Meta(description="Identifiers of the datasets to query. By default the usual ones answer."),
    ] = None
    dataset_ids: Annotated[
        tuple[str, ...] | None, Meta(description="The same, as some clients call it.")
    ] = None
    schema_: Annotated[Any, Meta(description="Ignored.")] = field(name="$schema", default=None)

    def variants(self) -> VariantParameters:
        """Merge the variant parameters given directly and under ``g_variant``.

        Returns:
            The parameters.

        Raises:
            Problem: A parameter is given in both places (400).
        """
        if self.g_variant is None:
            return self
        beside, below = self.sent(), self.g_variant.sent()
        if twice := beside.keys() & below.keys():
            found = f"{', '.join(sorted(twice))} here and in g_variant"
            raise Problem.mismatch("requestParameters", "each parameter once", found)
        return convert_values(beside | below, VariantParameters) if beside else self.g_variant

    def named_datasets(self) -> tuple[str, ...]:
        """Return the identifiers of the datasets to query; empty for the usual ones.

        Raises:
            Problem: ``datasets`` and ``datasetIds`` name others (400).
        """
        given = self.datasets
        listed = given.dataset_ids if isinstance(given, DatasetsObject) else given or ()
        also = self.dataset_ids or ()
        if listed and also and set(listed) != set(also):
            found = shown(", ".join(also))
            raise Problem.mismatch("datasetIds", "the same identifiers as in datasets", found)
        return listed or also


class FilterObject(RequestModel):
    """A filter: a term, or a comparison with ``operator`` and ``value``."""

    id: Annotated[
        str,
        Meta(min_length=1, max_length=200, description="A term (PREFIX:CODE), or a field's name."),
    ]
    scope: Annotated[
        OfPeople | OfVariants | None,
        Meta(
            description="Entry type that the filter applies to: one of people for all filters but "
            "molecular effects."
        ),
    ] = None
    operator: Annotated[
        Operator | UnsetType, Meta(description="Of a comparison. By default =, with a value.")
    ] = UNSET
    value: Annotated[
        Annotated[str, Meta(min_length=1, max_length=200)] | float | UnsetType,
        Meta(description="Of a comparison: a number, an age like P70Y, a text or a term."),
    ] = UNSET
    include_descendant_terms: Annotated[
        bool | UnsetType, Meta(description="Whether descendants of a term match. By default yes.")
    ] = UNSET
    similarity: Annotated[
        Similarity | UnsetType, Meta(description="Least similarity of other terms that match.")
    ] = UNSET


Filters = (
    Annotated[
        tuple[FilterObject | Annotated[str, Meta(examples=["NCIT:C16576"])], ...],
        Meta(max_length=MAX_FILTERS),
    ]
    | str
    | None
)


IGNORED = "Ignored, with a warning."


class Pagination(RequestModel):
    """The page of records to return."""

    skip: Annotated[Number | None, Meta(description="Number of pages to skip.")] = None
    limit: Annotated[
        Number | None, Meta(description="Records per page, at most 1000. 0 stands for 1000.")
    ] = None
    current_page: Annotated[Any, Meta(description=IGNORED)] = None
    next_page: Annotated[Any, Meta(description=IGNORED)] = None
    previous_page: Annotated[Any, Meta(description=IGNORED)] = None


class QueryOptions(RequestModel):
    """The granularity of the answer, its datasets, and filters of people."""

    requested_granularity: Annotated[
        Granularity | None,
        Meta(description="Granularity of the answer. A node may return a coarser one."),
    ] = None
    include_resultset_responses: Annotated[
        Include | None,
        Meta(
            description="Which datasets to list: all, those with matches (HIT), without, or none."
        ),
    ] = None
    test_mode: Annotated[
        bool | Literal["true", "false"] | None,
        Meta(description="Query the dataset for tests. No other dataset may be named."),
    ] = None
    filters: Annotated[
        Filters,
        Meta(
            description="Conditions on people, and molecular effects of variants (terms of SO, "
            "beside a gene or region). All must hold."
        ),
    ] = None


class RequestedSchema(RequestModel):
    """A schema that records should follow. For an unknown schema, the default one is used."""

    entity_type: Annotated[str | UnsetType, Meta(description="Entry type, as genomicVariant.")] = (
        UNSET
    )
    schema: Annotated[str | UnsetType, Meta(description="Identifier of the schema.")] = UNSET
    schema_colon: Annotated[Any, Meta(description="Ignored.")] = field(name="schema:", default=None)


Schemas = Annotated[
    Annotated[tuple[RequestedSchema | str, ...], Meta(max_length=100)] | None,
    Meta(description="Schemas that records should follow."),
]
BESIDE = "As in query, where some clients do not put it."


class Query(QueryOptions):
    """The query itself."""

    pagination: Pagination | None = None
    request_parameters: RequestParameters | None = None
    requested_schemas: Schemas = None


class RequestMeta(RequestModel):
    """Information about the request."""

    api_version: Annotated[
        str | Annotated[int, Meta(ge=2, le=2)] | float | None,
        Meta(description="Version of the Beacon API.", examples=["v2.0"]),
    ] = None
    requested_schemas: Schemas = None
    schema_: Annotated[Any, Meta(description="Ignored.")] = field(name="$schema", default=None)


class BeaconQuery(RequestModel):
    """The body of a Beacon request. Without it, everything is queried."""

    meta: RequestMeta | None = None
    query: Query | None = None
    requested_granularity: Annotated[Granularity | None, Meta(description=BESIDE)] = None
    pagination: Annotated[Pagination | None, Meta(description=BESIDE)] = None
    filters: Annotated[Filters, Meta(description=BESIDE)] = None
    requested_schemas: Schemas = None
    schema_: Annotated[Any, Meta(description="Ignored.")] = field(name="$schema", default=None)


def whole_number(name: str, sent: int | str | None, minimum: int = 0) -> int | None:
    """Read a number that may be sent as text.

    Args:
        name: Name of the parameter.
        sent: Its value. Numbers were checked before.
        minimum: Smallest allowed value.

    Returns:
        The number, or None without a value.

    Raises:
        Problem: The text is not a whole number, or is below the minimum (400).
    """
    if sent is None or isinstance(sent, int):
        return sent
    if not WHOLE_NUMBER.fullmatch(sent):
        raise Problem.mismatch(name, "a whole number", shown(sent))
    if int(sent) > GREATEST:
        raise Problem.mismatch(name, f"a whole number of at most {GREATEST}", shown(sent))
    if int(sent) < minimum:
        raise Problem.mismatch(name, f"a whole number of at least {minimum}", shown(sent))
    return int(sent)
