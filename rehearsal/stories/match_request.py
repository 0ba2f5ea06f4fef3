"""The request of a clinician for matching patients: GA4GH Matchmaker Exchange."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
import pandas as pd

from rehearsal.node.matchmaker.contact_tokens import ContactTokens
from rehearsal.stories.query_context import QueryContext
from rehearsal.stories.story_types import Question
from rehearsal.web.openapi import Body


def match_request(question: Question, context: QueryContext) -> Body:
    """Build the request, with the patient as the home node has them on record.

    Args:
        question: The question.
        context: Connection to the network.
    """
    home, individual = context.home_folder(), context.patient(question.about)
    asker = context.asker
    return {
        "patient": {
            "id": _own_token(context, home, individual),
            "contact": {
                "name": asker.name,
                "href": f"mailto:clinician@hospital.example.{asker.country.lower()}",
            },
            "features": _features(home, individual),
            "genomicFeatures": _genomic_features(
                question.parameters["variants"], _rows(home, "candidate_genes", individual)
            ),
            "_consent": _permitted_uses(_rows(home, "consent", individual)),
        }
    }


def _rows(home: Path, table: str, individual: str) -> pd.DataFrame:
    rows = pd.read_parquet(home / "phenotypes" / f"{table}.parquet")
    return rows[rows["individual"] == individual]


def _own_token(context: QueryContext, home: Path, individual: str) -> str:
    """Return the home node's token of the patient, so that it leaves them out of its matches."""
    claims = jwt.decode(context.token or "", options={"verify_signature": False})
    return ContactTokens.of_node(home).token(claims["iss"], claims["sub"], individual)


def _features(home: Path, individual: str) -> list[Body]:
    observed = _rows(home, "features", individual)
    excluded = _rows(home, "excluded_features", individual)
    return [
        *({"id": one.code, "label": one.label} for one in observed.itertuples()),
        *({"id": one.code, "label": one.label, "observed": "no"} for one in excluded.itertuples()),
    ]


def _genomic_features(variants: list[Body], candidates: pd.DataFrame) -> list[Body]:
    """Return the known variants, and candidate genes that none of them names."""
    named = {one["gene"] for one in variants}
    genes = [{"gene": {"id": gene}} for gene in candidates["gene"] if gene not in named]
    return [*map(_genomic_feature, variants), *genes]


def _genomic_feature(variant: Mapping[str, Any]) -> Body:
    return {
        "gene": {"id": variant["gene"]},
        "variant": {
            "assembly": "GRCh38",
            "referenceName": variant["contig"].removeprefix("chr"),
            "start": variant["start"],
            "referenceBases": variant["ref"],
            "alternateBases": variant["alt"],
        },
    }


def _permitted_uses(consent: pd.DataFrame) -> list[str]:
    if consent["withdrawn"].any():
        return []
    return [use.strip() for text in consent["uses"] for use in text.split(",")]
