"""Models of requests to subscriptions and alerts. Unknown keys are refused."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, field

from rehearsal.model import Sex
from rehearsal.web.model_errors import ModelError
from rehearsal.web.request_models import RequestModel, Term

LONGEST_WAIT_S = 30.0
MOST_SUBSCRIPTIONS = 100  # of one subscriber at one node
MOST_TOKENS = 1000  # per request
MOST_TERMS = 20  # of one profile
OLDEST = 150  # years

Years = Annotated[int, Meta(ge=0, le=OLDEST)]
Symbol = Annotated[str, Meta(description="Gene symbol. Requires maximumFrequency.")]
Frequency = Annotated[
    float,
    Meta(ge=0, le=1, description="Largest frequency, at the node, of a variant in the gene."),
]


class AgeRange(RequestModel):
    """Completed years, both ends included."""

    from_: Annotated[Years, Meta(description="Smallest age.")] = field(name="from")
    to: Annotated[Years, Meta(description="Largest age.")]

    def __post_init__(self) -> None:
        if self.from_ > self.to:
            raise ModelError("from at most to", f"from {self.from_} and to {self.to}")


class ProfileRequest(RequestModel):
    """The patients to look for. Requires terms or a gene."""

    sex: Annotated[Sex | None, Meta(description="Sex of the patient.")] = None
    age: AgeRange | None = None
    terms: Annotated[
        tuple[Term, ...],
        Meta(
            max_length=MOST_TERMS,
            description="Terms that the patient has, directly or by descendants.",
        ),
    ] = ()
    gene: Symbol | None = None
    maximum_frequency: Frequency | None = None

    def __post_init__(self) -> None:
        if not self.terms and self.gene is None:
            raise ModelError("terms, a gene, or both", "neither")
        if (self.gene is None) != (self.maximum_frequency is None):
            raise ModelError("gene and maximumFrequency together", "only one of them")


class SubscriptionRequest(RequestModel):
    """The body of a new subscription."""

    profile: Annotated[
        ProfileRequest,
        Meta(
            extra_json_schema={
                "dependentRequired": {"gene": ["maximumFrequency"], "maximumFrequency": ["gene"]}
            }
        ),
    ]


class AlertsQuery(RequestModel):
    """Parameters of ``GET /alerts``."""

    wait_s: Annotated[
        float,
        Meta(ge=0, le=LONGEST_WAIT_S, description="Longest wait for the first alert, seconds."),
    ] = 0.0


class Acknowledgement(RequestModel):
    """Tokens of the alerts that were received."""

    tokens: Annotated[
        tuple[Annotated[str, Meta(description="Token of an alert.")], ...],
        Meta(max_length=MOST_TOKENS, description="Tokens of the alerts that were received."),
    ]
