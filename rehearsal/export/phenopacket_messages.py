"""Parts of phenopackets, each made from one row of a table."""

from __future__ import annotations

from functools import cache
from typing import Any

from rehearsal.phenotypes.clinical_types import NULL_FLAVOURS

Message = dict[str, Any]


@cache
def term(code: str, label: str) -> Message:
    """Build an ``OntologyClass``.

    Args:
        code: CURIE of the term.
        label: Its name.
    """
    return {"id": code, "label": label}


@cache
def age(years: int) -> Message:
    """Build a ``TimeElement`` of an age.

    Args:
        years: Age in whole years.
    """
    return {"age": {"iso8601duration": f"P{years}Y"}}


def measurement(row: Message) -> Message:
    """Build a ``Measurement`` with a quantity.

    Args:
        row: A row of ``measurements``.
    """
    unit = row["unit"]
    return {
        "assay": term(row["code"], row["label"]),
        "value": {"quantity": {"unit": term(f"UCUM:{unit}", unit), "value": row["value"]}},
        "timeObserved": age(row["age"]),
    }


def exposure(row: Message) -> Message:
    """Build a ``Measurement`` with a coded value.

    Args:
        row: A row of ``exposures``.
    """
    return {
        "assay": term(row["code"], row["label"]),
        "value": {"ontologyClass": term(row["value"], row["value_label"])},
        "timeObserved": age(row["age"]),
    }


def missing_value(row: Message) -> Message:
    """Build a ``Measurement`` whose value is an HL7 null flavour: the reason why it is missing.

    Args:
        row: A row of ``missing``.
    """
    flavour = row["null_flavour"]
    return {
        "assay": term(row["code"], row["label"]),
        "value": {"ontologyClass": term(f"NullFlavor:{flavour}", NULL_FLAVOURS[flavour])},
    }


def biosample(row: Message) -> Message:
    """Build a ``Biosample``.

    Args:
        row: A row of ``biosamples``.
    """
    return {
        "id": row["id"],
        "individualId": row["individual"],
        "sampledTissue": term(row["tissue"], row["tissue_label"]),
        "taxonomy": term(row["organism"], row["organism_label"]),
        "timeOfCollection": age(row["collection_age"]),
        "procedure": {"code": term(row["sample_type"], row["sample_type_label"])},
    }
