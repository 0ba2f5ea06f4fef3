"""``POST /match`` (Matchmaker Exchange 1.1): authorization, request and answer.

The caller's rights are checked first, then the request, then the consent of the patient in it. No
person of the node is looked up before all three are in order.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import orjson
from starlette.requests import Request
from starlette.responses import Response

from rehearsal.errors import shown
from rehearsal.node.access.consent import permits
from rehearsal.node.access.rights import Rights, caller_rights
from rehearsal.node.access.settings import CLINICAL_CARE
from rehearsal.node.access.visas import Caller
from rehearsal.node.matchmaker.contact_tokens import ContactTokens
from rehearsal.node.matchmaker.index import FILE_NAME, MatchmakerIndex, Term
from rehearsal.node.matchmaker.ranking import Match, Ranking
from rehearsal.node.matchmaker.request import MAX_BODY, MatchRequest, read_match
from rehearsal.node.settings.node_settings import NodeSettings
from rehearsal.stores.variant_store import VariantStore
from rehearsal.web.app import ErrorBody, Json
from rehearsal.web.openapi import Body
from rehearsal.web.problem import Problem
from rehearsal.web.request_limits import read_body

API_VERSION = "1.1"
VERSIONS = ("1.0", "1.1")
MEDIA_TYPE = f"application/vnd.ga4gh.matchmaker.v{API_VERSION}+json"
PLAIN = "application/json"
OTHER_VERSION = re.compile(r"application/vnd\.ga4gh\.matchmaker\.v(?!1\.[01]\+)[^+]*\+json")
MOST_MATCHES = 50
# added to the Beacon's service-info
SERVICE = {"matchmakerExchange": {"version": API_VERSION, "path": "/match"}}
DISCLAIMER = "All people are synthetic. None of them exists."


class MatchEndpoint:
    """The handler of ``/match`` for one node's people.

    Args:
        settings: The node's settings.
        variants: Germline variants of the people.
        folder: The node's folder. Without an index in it, matching is answered with 404.
        secret: The node's secret, for contact tokens.
        error_body: Builds error bodies of the API.

    Raises:
        InputError: The index cannot be used.
    """

    def __init__(
        self,
        settings: NodeSettings,
        variants: VariantStore,
        folder: Path,
        secret: bytes,
        error_body: ErrorBody,
    ) -> None:
        self._settings, self._error_body = settings, error_body
        self._names = variants.individuals
        self._contacts = ContactTokens(secret)
        self._ranking = None
        path = folder / FILE_NAME
        if path.exists():
            index = MatchmakerIndex.open(path, len(self._names))
            genes = {gene.name: gene for gene in settings.genes}
            self._ranking, self._hpo = Ranking(variants, genes, index), index.hpo

    async def answer(self, request: Request) -> Response:
        """Answer a request. Error bodies are valid for Beacon and for the Matchmaker Exchange.

        Args:
            request: The request, after authorization.

        Returns:
            The matches, or a refusal.

        Raises:
            Problem: The caller is not authenticated (401).
        """
        try:
            return await self._answer(request)
        except Problem as problem:
            if problem.status == 401:  # the API adds the header WWW-Authenticate
                raise
            return Json(_refusal(self._error_body, problem), problem.status)

    async def _answer(self, request: Request) -> Response:
        rights = caller_rights(request)
        caller = self._clinician(rights)
        media_type = negotiate_media_type(request)
        if self._ranking is None:
            raise Problem("This node has no index for patient matching.", 404)
        wanted = read_match(await read_body(request, MAX_BODY))
        if not permits(wanted.uses, rights.purpose):
            raise Problem(
                f"The consent in patient._consent does not permit the purpose {rights.purpose}.",
                403,
                cause="the patient's consent does not permit the purpose",
            )
        found = self._ranking.matches(wanted, rights.excluded, MOST_MATCHES)
        body = orjson.dumps(self._response(wanted, found, caller))
        return Response(body, media_type=media_type)

    def _clinician(self, rights: Rights) -> Caller:
        """Return the caller, who must state clinical care and have a grant for the node's people.

        Raises Problem (401, 403). The authorizer has already checked the role that the settings
        require for clinical care.
        """
        if rights.caller is None:
            raise rights.refusal()
        if rights.purpose is None or rights.purpose.term != CLINICAL_CARE:
            raise Problem(
                f"Patient matching requires the purpose {CLINICAL_CARE} (clinical care).",
                403,
                cause="another purpose than clinical care",
            )
        rights.require_records([self._settings.people_dataset])
        return rights.caller

    def _response(self, wanted: MatchRequest, found: Sequence[Match], caller: Caller) -> Body:
        """Build the answer. A person whose own token is the request's patient id is left out."""
        named = [(one, self._contacts.for_caller(caller, self._names[one.person])) for one in found]
        named = [(one, token) for one, token in named if token != wanted.id]
        named.sort(key=lambda pair: (-pair[0].score, not pair[0].variants, pair[1]))
        response: Body = {
            "results": [self._result(one, token, wanted) for one, token in named[:MOST_MATCHES]],
            "disclaimer": DISCLAIMER,
            "_hpo": self._hpo,
        }
        if wanted.notes:
            response["_notes"] = list(wanted.notes)
        return response

    def _result(self, match: Match, token: str, wanted: MatchRequest) -> Body:
        country = self._settings.country_code
        contact = {
            "name": f"Rare disease desk of {self._settings.country_name}",
            "institution": f"Rehearsal node of {self._settings.country_name}",
            "href": f"mailto:match@{country.lower()}.rehearsal.example?subject={token}",
        }
        patient = {
            "id": token,
            "contact": contact,
            "features": [_feature(term) for term in match.terms],
            "genomicFeatures": _genomic_features(match, wanted),
        }
        return {"score": {"patient": match.score}, "patient": patient}


def _refusal(error_body: ErrorBody, problem: Problem) -> Body:
    """Build an error body that is valid for the API and for the Matchmaker Exchange."""
    body = {**error_body(problem.status, problem.message), "message": problem.message}
    if problem.status in (406, 415):
        body["supportedVersions"] = list(VERSIONS)
    return body


def _feature(term: Term) -> Body:
    return {"id": term.id, "label": term.label, "observed": "yes"}


def _genomic_features(match: Match, wanted: MatchRequest) -> list[Body]:
    """List shared variants with the match's copies, then shared genes without such a variant."""
    features: list[Body] = []
    with_variants = set()
    for variant, copies in match.variants:
        gene = wanted.gene_of.get(variant)
        if gene is not None:
            with_variants.add(gene)
        features.append(
            {
                **({} if gene is None else {"gene": {"id": gene}}),
                "variant": {
                    "assembly": "GRCh38",
                    "referenceName": variant.contig.removeprefix("chr"),
                    "start": variant.start,
                    "end": variant.start + len(variant.ref),
                    "referenceBases": variant.ref,
                    "alternateBases": variant.alt,
                },
                "zygosity": copies,
            }
        )
    return features + [{"gene": {"id": one}} for one in match.genes if one not in with_variants]


def negotiate_media_type(request: Request) -> str:
    """Choose the media type of the answer.

    Args:
        request: The request, with its ``Content-Type`` and ``Accept``.

    Returns:
        The Matchmaker Exchange's type, or ``application/json``.

    Raises:
        Problem: The body has another type (415), or the caller accepts only other versions (406).
    """
    _check_content_type(_essence(request.headers.get("content-type", PLAIN)))
    accepted = [_essence(one) for one in request.headers.get("accept", "*/*").split(",")]
    usable = [one for one in accepted if not OTHER_VERSION.fullmatch(one)]
    if not usable:
        raise Problem.mismatch("Accept", MEDIA_TYPE, shown(", ".join(accepted)), 406)
    wants_plain = PLAIN in usable and not any("matchmaker" in one for one in usable)
    return PLAIN if wants_plain else MEDIA_TYPE


def _check_content_type(sent: str) -> None:
    if OTHER_VERSION.fullmatch(sent) or not (sent == PLAIN or "ga4gh.matchmaker" in sent):
        raise Problem.mismatch("Content-Type", f"{MEDIA_TYPE} or {PLAIN}", shown(sent), 415)


def _essence(media_type: str) -> str:
    """Return type and subtype, without parameters."""
    return media_type.partition(";")[0].strip().lower()
