"""What a Beacon request may hold, as models: of a POST's body, and by parts of a GET's parameters.

Where the standard has a number or a list, its text or its one item are taken as well: a GET has
nothing else.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Annotated, Any, Literal

from msgspec import UNSET, Meta, UnsetType, field

from rehearsal.model import Granularity
from rehearsal.web.problem import Problem
from rehearsal.web.request_models import RequestModel, convert_values, whole

MAX_FILTERS = 100

Include = Literal["ALL", "HIT", "MISS", "NONE"]
Operator = Literal["=", "<", ">", "!", ">=", "<="]
Similarity = Literal["exact", "high", "medium", "low"]
FilterScope = Literal[
    "individual",
    "individuals",
    "biosample",
    "biosamples",
    "run",
    "runs",
    "analysis",
    "analyses",
]

# A text with a pattern must not stand beside a list (see rehearsal.web.request_models): there the
# pattern is described only, and the text is checked where the query is made.
BASES = r"[ACGTUNRYSWKMBDHVacgtunryswkmbdhv.\-]*"
Text = Annotated[str, Meta(max_length=5000)]
Digits = Annotated[str, Meta(pattern=whole("[+-]?[0-9]{1,18}"), title="a whole number")]
Number = Annotated[int, Meta(ge=0, le=2**63 - 1)] | Digits
NumberFromOne = Annotated[int, Meta(ge=1, le=2**63 - 1)] | Digits
OneOrTwo = Meta(min_length=1, max_length=2, description="two values make a bracket")
DigitsOrList = Annotated[str, Meta(max_length=19, extra_json_schema={"pattern": "^[+-]?[0-9]+$"})]
OneItem = Meta(min_length=1, max_length=1)
OneText = Text | Annotated[tuple[Text, ...], OneItem]
OneOfBases = (
    Annotated[str, Meta(max_length=5000, extra_json_schema={"pattern": f"^{BASES}$"})]
    | Annotated[tuple[Text, ...], OneItem]
)
Positions = (
    Annotated[int, Meta(ge=0, le=2**63 - 1)]
    | DigitsOrList
    | Annotated[tuple[Number, ...], OneOrTwo]
)
PositionsFromOne = (
    Annotated[int, Meta(ge=1, le=2**63 - 1)]
    | DigitsOrList
    | Annotated[tuple[NumberFromOne, ...], OneOrTwo]
)


class VariantParameters(RequestModel):
    """Which variants are asked for. Positions are 0-based, ends exclusive, on GRCh38."""

    assembly_id: Annotated[OneText | None, Meta(description="GRCh38")] = None
    reference_name: Annotated[OneText | None, Meta(description="17, chr17 or NC_000017.11")] = None
    start: Positions | None = None
    end: PositionsFromOne | None = None
    reference_bases: OneOfBases | None = None
    alternate_bases: OneOfBases | None = None
    variant_type: OneText | None = None
    variant_min_length: Number | None = None
    variant_max_length: NumberFromOne | None = None
    gene_id: Annotated[OneText | None, Meta(description="symbol")] = None
    aminoacid_change: Annotated[OneText | None, Meta(examples=["V600E"])] = None
    genomic_allele_short_form: Annotated[
        OneText | None, Meta(examples=["NC_000017.11:g.43057063G>A"])
    ] = None
    mate_name: Annotated[
        OneText | None, Meta(description="refused: there are no variants between two contigs")
    ] = None

    def sent(self) -> dict[str, Any]:
        """The parameters that are there, as they were sent."""
        values = _values(self)
        return {key: one for key, one in zip(KEYS, values, strict=True) if one is not None}


KEYS = VariantParameters.__struct_encode_fields__
_values = attrgetter(*VariantParameters.__struct_fields__)


class RequestParameters(VariantParameters):
    """The same, or below ``g_variant``, and the datasets that are asked."""

    g_variant: VariantParameters | None = field(name="g_variant", default=None)
    datasets: tuple[str, ...] | None = None
    schema_: Any = field(name="$schema", default=None)

    def variants(self) -> VariantParameters:
        """The parameters of the variants, from both places. Raises Problem for one in both."""
        if self.g_variant is None:
            return self
        beside, below = self.sent(), self.g_variant.sent()
        if twice := beside.keys() & below.keys():
            raise Problem(f"requestParameters: {', '.join(sorted(twice))} is given twice")
        return convert_values(beside | below, VariantParameters) if beside else self.g_variant


class FilterObject(RequestModel):
    """A term (``similarity``: of terms alike), or with ``operator`` and ``value`` a comparison."""

    id: Annotated[str, Meta(min_length=1, max_length=200)]
    scope: FilterScope | None = None
    operator: Operator | UnsetType = UNSET
    value: Annotated[str, Meta(min_length=1, max_length=200)] | float | UnsetType = UNSET
    include_descendant_terms: bool | UnsetType = UNSET
    similarity: Similarity | UnsetType = UNSET


class Pagination(RequestModel):
    """Which page of the records."""

    skip: Annotated[Number | None, Meta(description="pages")] = None
    limit: Annotated[Number | None, Meta(description="records a page; 0: the most")] = None
    current_page: Any = None
    next_page: Any = None
    previous_page: Any = None


class QueryOptions(RequestModel):
    """What is told of what is found, and of which people."""

    requested_granularity: Granularity | None = None
    include_resultset_responses: Include | None = None
    test_mode: bool | Literal["true", "false"] = False
    filters: (
        Annotated[
            tuple[FilterObject | Annotated[str, Meta(examples=["NCIT:C16576"])], ...],
            Meta(max_length=MAX_FILTERS),
        ]
        | str
        | None
    ) = None


class Query(QueryOptions):
    """What is asked."""

    pagination: Pagination | None = None
    request_parameters: RequestParameters | None = None


class RequestedSchema(RequestModel):
    """A schema that answers should have; the default one answers for any that is not known."""

    entity_type: str | UnsetType = UNSET
    schema: str | UnsetType = UNSET


class RequestMeta(RequestModel):
    """What is said of the request itself."""

    api_version: Annotated[
        str | Annotated[int, Meta(ge=2, le=2)] | float | None, Meta(examples=["v2.0"])
    ] = None
    requested_schemas: Annotated[tuple[RequestedSchema | str, ...], Meta(max_length=100)] | None = (
        None
    )
    schema_: Any = field(name="$schema", default=None)


class BeaconQuery(RequestModel):
    """A request's body. All of it may be left out: then everything is asked for."""

    meta: RequestMeta | None = None
    query: Query | None = None
    schema_: Any = field(name="$schema", default=None)
